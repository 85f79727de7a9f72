from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from evals.cases import CaseResult, Truth
from evals.figures import (
    BINS,
    RATES,
    calibration_error,
    difference_interval,
    groups,
    interval,
    intervals,
    metrics,
    parts,
    quiet,
    reliability,
)
from tests.evals.incident_folders import answered, ranked, result

X = Truth(cause="x")
NO_CHANGE = Truth(cause="none")
CANNOT_TELL = Truth(cause=None)


def test_figures_of_a_small_suite() -> None:
    figures = metrics(
        [
            answered("x", 0.9, X, seconds=1.0),
            answered("d", 0.8, Truth(cause="x", decoys=("d",)), seconds=2.0),
            answered("none", 0.6, NO_CHANGE, seconds=3.0),
            result(truth=CANNOT_TELL, abstained=True, hit_rank=1, seconds=4.0),
            result(truth=X, error="broke"),
        ]
    )
    assert figures["n"] == 5
    assert figures["ac@1"] == pytest.approx(3 / 5)
    assert figures["mrr"] == pytest.approx(3 / 5)
    assert figures["decoy_hits"] == 1
    assert figures["abstain_precision"] == 1.0
    assert figures["abstain_recall"] == 1.0
    assert figures["confidently_wrong"] == 1
    assert figures["errors"] == 1
    assert figures["not_enough_evidence"] == 1
    assert figures["brier"] == pytest.approx((0.01 + 0.64 + 0.16) / 3)
    assert figures["ece"] == pytest.approx((0.1 + 0.8 + 0.4) / 3)
    assert figures["seconds_p50"] == 2.0


def test_places_make_the_ranking_measures() -> None:
    figures = metrics([result(hit_rank=place) for place in (1, 2, 4, 6, None)])
    assert (figures["ac@1"], figures["ac@3"], figures["ac@5"]) == (0.2, 0.4, 0.6)
    assert figures["avg@5"] == pytest.approx((0.2 + 0.4 + 0.4 + 0.6 + 0.6) / 5)
    assert figures["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 6) / 5)


def test_blaming_a_change_where_there_is_none_costs_recall_and_the_reverse_costs_precision() -> None:
    figures = metrics([answered("a", 0.3, NO_CHANGE), answered("none", 0.3, NO_CHANGE), answered("none", 0.3, X)])
    assert figures["abstain_recall"] == 0.5
    assert figures["abstain_precision"] == 0.5


def test_without_a_label_there_is_no_figure() -> None:
    figures = metrics([answered("x", 0.5, X)])
    for name in (
        "decoy_hits",
        "abstain_precision",
        "abstain_recall",
        "blast_radius_jaccard",
        "remediation_match",
        "kind_right",
        "cause_and_kind_right",
        "metric_right",
        "region_right",
        "first_failing_service_match",
        "model_cost_usd",
    ):
        assert figures[name] is None
    assert metrics([])["ac@1"] is None


def test_labels_beside_the_cause() -> None:
    truth = Truth(
        cause="x",
        kinds=("cpu",),
        first_failing_service="s",
        blast_radius=("t", "u"),
        remediation=("rollback",),
    )
    rows = ranked(("x", 0.5))
    right = result(
        truth=truth,
        ranked=(rows[0].model_copy(update={"kind": "cpu"}),),
        hit_rank=1,
        first_failing_service="s",
        blast_radius=("s", "t"),
        remediation="rollback",
    )
    figures = metrics([right])
    assert figures["kind_right"] == 1.0
    assert figures["cause_and_kind_right"] == 1.0
    assert figures["first_failing_service_match"] == 1.0
    assert figures["remediation_match"] == 1.0
    assert figures["blast_radius_jaccard"] == 0.5
    elsewhere = metrics([right.model_copy(update={"hit_rank": 2})])
    assert (elsewhere["kind_right"], elsewhere["cause_and_kind_right"]) == (1.0, 0.0)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_calibration_error_is_a_share(rows: list[tuple[float, bool]]) -> None:
    table = np.array(rows, dtype=np.float64)
    assert 0.0 <= calibration_error(table[:, 0], table[:, 1]) <= 1.0


def test_perfect_calibration_has_no_error() -> None:
    confidence = np.array([0.75] * 4)
    assert calibration_error(confidence, np.array([1.0, 1.0, 1.0, 0.0])) == 0.0
    assert calibration_error(np.array([1.0]), np.array([0.0])) == 1.0


@given(st.lists(st.sampled_from([1, 2, 5, None]), min_size=1, max_size=12))
def test_intervals_hold_the_figure_and_never_change(places: list[int | None]) -> None:
    results = [result(hit_rank=place) for place in places]
    figures, found = metrics(results), intervals(results)
    assert found == intervals(results)
    for name in ("ac@1", "avg@5", "mrr"):
        interval, figure = found[name], figures[name]
        assert interval is not None
        assert figure is not None
        assert interval[0] - 1e-9 <= figure <= interval[1] + 1e-9


def test_eleven_of_eleven_are_not_certainty() -> None:
    low, high = intervals([result(hit_rank=1)] * 11)["ac@1"] or (0.0, 0.0)
    assert (round(low, 3), high) == (0.715, 1.0)
    assert intervals([result(hit_rank=None)] * 11)["ac@1"] == pytest.approx((0.0, 0.285), abs=1e-3)


def test_every_rate_has_an_interval_or_no_label() -> None:
    assert set(intervals([result(hit_rank=1)])) == set(RATES)


def test_declining_is_no_label_where_every_case_has_a_change() -> None:
    unsure = result(truth=X, abstained=True)
    assert metrics([unsure])["abstain_precision"] is None
    assert intervals([unsure])["abstain_precision"] is None
    assert metrics([unsure, answered("x", 0.5, NO_CHANGE)])["abstain_precision"] == 0.0


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=15))
def test_no_difference_in_few_cases_is_no_proof_that_there_is_none(values: list[float]) -> None:
    low, high = difference_interval(np.array(values))
    mean = float(np.mean(values))
    assert -1 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= 1
    if not any(values):
        assert low < 0 < high


def test_an_interval_of_the_same_value_between_the_ends_is_that_value() -> None:
    assert interval(np.array([0.5, 0.5])) == (0.5, 0.5)


def test_the_bins_of_the_reliability_diagram_hold_every_answer_once() -> None:
    bins = reliability([answered("x", 1.0, X), answered("x", 0.95, X), answered("a", 0.93, X), result(abstained=True)])
    assert len(bins) == BINS
    assert sum(each.count for each in bins) == 3
    last = bins[-1]
    assert last.confidence == pytest.approx(0.96)
    assert last.accuracy == pytest.approx(2 / 3)
    assert last.interval[0] < last.accuracy < last.interval[1]
    assert bins[0].interval == (0.0, 1.0)


def test_groups_have_the_figures_that_their_cases_have_labels_for() -> None:
    cpu = Truth(cause="x", group="cpu", kinds=("cpu",))
    code = Truth(cause="x", group="code", region=("f",))
    rows = groups([answered("x", 0.5, cpu), answered("a", 0.5, cpu), answered("x", 0.5, code), answered("x", 0.5, X)])
    assert [(row.group, row.n, row.figures["ac@1"]) for row in rows] == [("code", 1, 1.0), ("cpu", 2, 0.5)]
    assert "region_right" in rows[0].figures
    assert "kind_right" not in rows[0].figures
    assert "kind_right" in rows[1].figures
    assert groups([answered("x", 0.5, X)]) == ()


def test_false_alarms_are_a_share_of_the_quiet_stretches() -> None:
    found = quiet(
        [
            answered("a", 0.9, CANNOT_TELL),
            result(truth=CANNOT_TELL, abstained=True, ranked=ranked(("a", 0.9))),
            result(truth=CANNOT_TELL, error="broke"),
            answered("a", 0.3, CANNOT_TELL),
        ]
    )
    assert found is not None
    assert (found.n, found.false_alarms, found.false_alarm_rate, found.errors) == (4, 1, 0.25, 1)
    assert found.interval[0] <= 0.25 <= found.interval[1]
    assert quiet([]) is None


def test_parts_of_the_data_are_the_first_folders_of_the_ids() -> None:
    def case(name: str) -> CaseResult:
        return answered("x", 0.5, X, id=name)

    rows = parts([case("monday/a/1"), case("monday/b"), case("friday/c"), case("loose")])
    assert [(row.group, row.n) for row in rows] == [("friday", 1), ("monday", 2)]
    assert parts([case("monday/a"), case("monday/b")]) == ()
    assert parts([case(f"{number}/a") for number in range(9)]) == ()
