from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent.incident import Cause, Claim, DataGap, FaultKind, OperationKind, RuledOut, Verdict
from evals.cases import Case, NamedBy, RankedCause, Truth
from evals.rootcausebench import SUITE
from evals.scorers import (
    REMEDIATION_WORDS,
    TOLD_HYPOTHESES,
    blamed_a_decoy,
    cause_and_kind_right,
    confidently_wrong,
    declined,
    false_alarm,
    first_listed_right,
    hit_rank,
    jaccard,
    kind_right,
    metric_right,
    ranked_causes,
    region_right,
    score,
    score_ranking,
)
from tests.evals.answers_for_tests import diagnosis, hypothesis
from tests.evals.incident_folders import GUILTY, answered, ranked, result, write_incident
from tools.evidence import Source

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


@given(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))
def test_jaccard_is_symmetric_and_one_for_equal_sets(left: set[str], right: set[str]) -> None:
    assert jaccard(left, right) == jaccard(right, left)
    assert (jaccard(left, right) == 1.0) == (left == right)


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


def named(cause: str = "x", **others: str) -> tuple[RankedCause, ...]:
    return (RankedCause(cause=cause, confidence=0.5, **others),)


def test_the_kind_counts_with_and_without_the_cause() -> None:
    truth = Truth(cause="x", kinds=("cpu", "capacity"))
    right = result(truth=truth, ranked=named(kind="cpu"), hit_rank=1)
    elsewhere = result(truth=truth, ranked=named("y", kind="capacity"))
    assert (kind_right(right), cause_and_kind_right(right)) == (1.0, 1.0)
    assert (kind_right(elsewhere), cause_and_kind_right(elsewhere)) == (1.0, 0.0)
    abstained = result(truth=truth, ranked=named(kind="cpu"), abstained=True)
    assert (kind_right(abstained), cause_and_kind_right(abstained)) == (0.0, 0.0)
    assert kind_right(result(truth=X)) is None
    assert cause_and_kind_right(result(truth=X)) is None


def test_the_metric_is_right_to_the_letter_and_with_the_cause_only() -> None:
    truth = Truth(cause="x", metric="cpu_usage")
    assert metric_right(result(truth=truth, ranked=named(metric="cpu_usage"), hit_rank=1)) == 1.0
    assert metric_right(result(truth=truth, ranked=named(metric="cpu"), hit_rank=1)) == 0.0
    assert metric_right(result(truth=truth, ranked=named("y", metric="cpu_usage"))) == 0.0
    assert metric_right(result(truth=X, ranked=named(metric="cpu_usage"), hit_rank=1)) is None


def test_every_text_of_the_region_has_to_be_named() -> None:
    truth = Truth(cause="x", region=("OrderService", "create"))
    assert region_right(result(truth=truth, ranked=named(region="orderservice.Create()"), hit_rank=1)) == 1.0
    assert region_right(result(truth=truth, ranked=named(region="OrderService.pay()"), hit_rank=1)) == 0.0
    assert region_right(result(truth=truth, ranked=named("y", region="OrderService.create()"))) == 0.0
    assert region_right(result(truth=truth)) == 0.0
    assert region_right(result(truth=Truth(cause="x", region=()), hit_rank=1)) is None


def test_a_metric_can_be_the_region_of_a_resource() -> None:
    truth = Truth(cause="x", region=("cpu",))
    assert region_right(result(truth=truth, ranked=named(metric="CpuUsageRate"), hit_rank=1)) == 1.0


def test_a_list_is_judged_apart_from_abstaining() -> None:
    unsure = result(truth=X, ranked=ranked(("x", 0.2), ("y", 0.1)), abstained=True)
    assert unsure.hit_rank is None
    assert first_listed_right(unsure) == 1.0
    assert first_listed_right(result(truth=X, ranked=ranked(("x", 0.2), ("y", 0.2)), abstained=True)) == 0.0
    assert first_listed_right(result(truth=CANNOT_TELL, ranked=ranked(("x", 0.2)))) is None


def test_an_alarm_on_a_quiet_stretch_is_an_answer_to_act_on() -> None:
    assert false_alarm(answered("x", 0.5, CANNOT_TELL))
    assert not false_alarm(answered("x", 0.49, CANNOT_TELL))
    assert not false_alarm(result(truth=CANNOT_TELL, ranked=ranked(("x", 0.9)), abstained=True))


def case_of(folder: Path, named_by: NamedBy = NamedBy.COMMIT) -> Case:
    write_incident(folder / "c")
    return Case(id="c", recording=SUITE.load(folder, "c").recording, truth=X, named_by=named_by)


def test_a_ranking_alone_is_scored_and_an_empty_one_is_a_miss(tmp_path: Path) -> None:
    case = case_of(tmp_path, NamedBy.SERVICE)
    assert score_ranking(case, ranked(("y", 1.0), ("x", 0.5))).hit_rank == 2
    nothing = score_ranking(case, ())
    assert (nothing.hit_rank, nothing.abstained) == (None, True)


def test_metric_and_region_of_an_answer_are_kept(tmp_path: Path) -> None:
    case = case_of(tmp_path, NamedBy.SERVICE)
    cause = Cause(service="x", kind=FaultKind.CPU, metric="cpu", region="a.py")
    found = diagnosis(case.recording, Verdict.NO_CHANGE, hypothesis(1, 0.6, None).model_copy(update={"cause": cause}))
    (row,) = score(case, found).ranked
    assert (row.cause, row.kind, row.metric, row.region) == ("x", "cpu", "cpu", "a.py")


def test_a_story_is_told_only_with_queries_and_names_them(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    claim = Claim(text="cpu rose", evidence=("E1", "E2", "E1"))
    guess = hypothesis(1, 0.6, None).model_copy(update={"causal_chain": (claim,), "evidence_for": (claim,) * 99})
    found = diagnosis(case.recording, Verdict.NO_CHANGE, *(guess for _ in range(9))).model_copy(
        update={
            "ruled_out": (RuledOut(candidate="v8", title="v8", reason=claim),),
            "data_gaps": (DataGap(source=Source.LOGS, claim=claim),),
        }
    )
    assert score(case, found).story == ()
    story = score(case, found, {"E1": "metric_range()"}).story
    assert max(told.place for told in story) == TOLD_HYPOTHESES
    assert [told.part for told in story if told.place == 0] == ["answer", "ruled out", "gap"]
    assert next(told for told in story if told.part == "chain").queries == ("metric_range()", "E2")
    assert next(told for told in story if told.part == "ruled out").text == "v8: cpu rose"
    assert sum(told.part == "for" for told in story if told.place == 1) < 20


@pytest.mark.parametrize(
    ("named_by", "abstained"), [(NamedBy.SERVICE, False), (NamedBy.COMMIT, True), (NamedBy.CHANGE, True)]
)
def test_a_place_alone_answers_only_where_causes_are_places(tmp_path: Path, named_by: NamedBy, abstained: bool) -> None:
    case = case_of(tmp_path, named_by)
    found = diagnosis(case.recording, Verdict.LOCATED, hypothesis(1, 0.9, None, service="x"))
    scored = score(case, found)
    assert scored.abstained is abstained
    assert scored.hit_rank == (None if abstained else 1)
    assert declined(scored) is abstained
    assert not confidently_wrong(scored)


@pytest.mark.parametrize("named_by", NamedBy)
@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_judged_and_not_enough_evidence_never_answers(
    tmp_path: Path, named_by: NamedBy, verdict: Verdict
) -> None:
    case = case_of(tmp_path, named_by)
    abstained = score(case, diagnosis(case.recording, verdict, hypothesis(1, 0.6, None))).abstained
    if verdict is Verdict.LOCATED:
        assert abstained is (named_by is not NamedBy.SERVICE)
    else:
        assert abstained is (verdict is Verdict.NOT_ENOUGH_EVIDENCE)
