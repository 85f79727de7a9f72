from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from agent.incident import OperationKind, Verdict
from evals.cases import CaseResult, NamedBy, Truth
from evals.rootcausebench import SUITE
from evals.scorers import (
    RATES,
    REMEDIATION_WORDS,
    blamed_a_decoy,
    calibration_error,
    confidently_wrong,
    hit_rank,
    intervals,
    jaccard,
    metrics,
    ranked_causes,
)
from tests.evals.answers_for_tests import diagnosis, hypothesis
from tests.evals.incident_folders import GUILTY, ranked, result, write_incident

X = Truth(cause="x")
NO_CHANGE = Truth(cause="none")
CANNOT_TELL = Truth(cause=None)


def test_the_place_counts_different_causes() -> None:
    rows = ranked(("a", 0.5), ("a", 0.4), ("x", 0.3))
    assert hit_rank(rows, X, abstained=False) == 2


def test_ties_count_against_us() -> None:
    rows = ranked(("x", 0.4), ("a", 0.4), ("b", 0.4), ("c", 0.1))
    assert hit_rank(rows, X, abstained=False) == 3


def test_an_abstention_is_right_only_where_nothing_can_be_told() -> None:
    rows = ranked(("x", 0.4))
    assert hit_rank(rows, X, abstained=True) is None
    assert hit_rank(rows, NO_CHANGE, abstained=True) is None
    assert hit_rank(rows, CANNOT_TELL, abstained=True) == 1
    assert hit_rank(rows, CANNOT_TELL, abstained=False) is None


@given(st.lists(st.tuples(st.sampled_from("xabcd"), st.sampled_from([0.1, 0.2, 0.5])), max_size=8))
def test_a_hit_is_never_better_than_the_place_of_the_row(rows: list[tuple[str, float]]) -> None:
    place = hit_rank(ranked(*rows), X, abstained=False)
    causes = list(dict.fromkeys(cause for cause, _ in rows))
    if "x" not in causes:
        assert place is None
    else:
        assert place is not None
        assert causes.index("x") + 1 <= place <= len(causes)


def answered(cause: str, confidence: float, truth: Truth, **others: object) -> CaseResult:
    rows = ranked((cause, confidence))
    return result(truth=truth, ranked=rows, hit_rank=hit_rank(rows, truth, abstained=False), **others)


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
    assert figures["first_failing_service_match"] == 1.0
    assert figures["remediation_match"] == 1.0
    assert figures["blast_radius_jaccard"] == 0.5
    assert metrics([right.model_copy(update={"hit_rank": 2})])["kind_right"] == 0.0


def test_a_decoy_counts_only_as_an_answer() -> None:
    truth = Truth(cause="x", decoys=("d",))
    blamed = result(truth=truth, ranked=ranked(("d", 0.9)))
    assert blamed_a_decoy(blamed)
    assert not blamed_a_decoy(blamed.model_copy(update={"abstained": True}))
    assert not blamed_a_decoy(result(truth=truth, ranked=ranked(("x", 0.9), ("d", 0.1)), hit_rank=1))


def test_confidently_wrong_begins_at_seven_tenths() -> None:
    assert confidently_wrong(answered("a", 0.7, X))
    assert not confidently_wrong(answered("a", 0.69, X))
    assert not confidently_wrong(answered("x", 0.99, X))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_calibration_error_is_a_share(rows: list[tuple[float, bool]]) -> None:
    table = np.array(rows, dtype=np.float64)
    assert 0.0 <= calibration_error(table[:, 0], table[:, 1]) <= 1.0


def test_perfect_calibration_has_no_error() -> None:
    confidence = np.array([0.75] * 4)
    assert calibration_error(confidence, np.array([1.0, 1.0, 1.0, 0.0])) == 0.0
    assert calibration_error(np.array([1.0]), np.array([0.0])) == 1.0


@given(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))
def test_jaccard_is_symmetric_and_one_for_equal_sets(left: set[str], right: set[str]) -> None:
    assert jaccard(left, right) == jaccard(right, left)
    assert (jaccard(left, right) == 1.0) == (left == right)


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


def test_every_operation_has_a_word() -> None:
    assert set(REMEDIATION_WORDS) == set(OperationKind)


@pytest.mark.parametrize(
    ("named_by", "causes"),
    [
        (NamedBy.COMMIT, [GUILTY, "flag-fast_post", "none"]),
        (NamedBy.CHANGE, [f"ledger@v7+{GUILTY[:8]}", "flag-fast_post", "none"]),
        (NamedBy.SERVICE, ["ledger", "ledger", "gate"]),
    ],
)
def test_a_cause_is_called_what_the_suite_calls_it(tmp_path: Path, named_by: NamedBy, causes: list[str]) -> None:
    write_incident(tmp_path / "c")
    recording = SUITE.load(tmp_path, "c").recording
    found = diagnosis(
        recording,
        Verdict.CHANGE,
        hypothesis(1, 0.5, f"ledger@v7+{GUILTY[:8]}"),
        hypothesis(2, 0.3, "flag-fast_post"),
        hypothesis(3, 0.1, None, service="gate"),
    )
    assert [row.cause for row in ranked_causes(found, named_by, recording.changes)] == causes
