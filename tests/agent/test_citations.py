"""A claim without evidence that resolves does not reach anybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from agent.citations import cited_by, keep_resolved
from agent.incident import (
    Cause,
    Claim,
    DataGap,
    Diagnosis,
    FaultKind,
    GoldenSignal,
    Hypothesis,
    RuledOut,
    Source,
    Symptom,
    TimeWindow,
    Verdict,
)

AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
WINDOW = TimeWindow(since=AT - timedelta(hours=1), until=AT + timedelta(hours=1))


def claim(*evidence: str) -> Claim:
    return Claim(text="so it is", evidence=evidence)


def hypothesis(name: str, *for_it: Claim, against: tuple[Claim, ...] = (), chain: tuple[Claim, ...] = ()) -> Hypothesis:
    return Hypothesis(
        id=name,
        title=name,
        cause=Cause(service="s", kind=FaultKind.CAPACITY),
        mechanism="pool",
        evidence_for=for_it,
        evidence_against=against,
        causal_chain=chain,
        confidence=0.4,
    )


def diagnosis(answer: Claim, *hypotheses: Hypothesis, verdict: Verdict = Verdict.CHANGE, **others: object) -> Diagnosis:
    return Diagnosis(
        verdict=verdict,
        answer=answer,
        symptom=Symptom(signal=GoldenSignal.ERRORS, service="s", window=WINDOW),
        onset=AT,
        onset_uncertainty=timedelta(seconds=30),
        first_failing_service="s",
        hypotheses=hypotheses,
        **others,  # type: ignore[arg-type]
    )


def test_what_resolves_stays_as_it_is() -> None:
    whole = diagnosis(claim("E1"), hypothesis("H1", claim("E1", "E2"), against=(claim("E3"),), chain=(claim("E2"),)))
    assert keep_resolved(whole, {"E1", "E2", "E3"}, "EA") == (whole, 0)


def test_a_citation_that_does_not_resolve_goes_and_its_claim_stays_with_the_others() -> None:
    kept, dropped = keep_resolved(diagnosis(claim("E1"), hypothesis("H1", claim("E1", "gone"))), {"E1"}, "EA")
    assert kept.hypotheses[0].evidence_for == (claim("E1"),)
    assert dropped == 0


def test_a_claim_that_cites_nothing_any_more_goes_and_is_counted() -> None:
    whole = diagnosis(
        claim("E1"),
        hypothesis("H1", claim("E1"), claim("gone"), against=(claim("gone"),), chain=(claim("gone"), claim("E1"))),
        ruled_out=(RuledOut(candidate="c1", title="c1", reason=claim("gone")),),
        data_gaps=(DataGap(source=Source.LOGS, claim=claim("gone")),),
    )
    kept, dropped = keep_resolved(whole, {"E1"}, "EA")
    assert dropped == 5
    assert kept.hypotheses[0].evidence_for == (claim("E1"),)
    assert kept.hypotheses[0].evidence_against == ()
    assert kept.hypotheses[0].causal_chain == (claim("E1"),)
    assert kept.ruled_out == ()
    assert kept.data_gaps == ()


def test_without_its_leading_hypothesis_the_answer_is_not_known() -> None:
    whole = diagnosis(claim("E1"), hypothesis("H1", claim("gone")), hypothesis("H2", claim("E1")))
    kept, dropped = keep_resolved(whole, {"E1"}, "EA")
    assert kept.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert kept.answer.evidence == ("EA",)
    assert [h.id for h in kept.hypotheses] == ["H2"]
    assert dropped == 1


def test_without_its_answer_the_answer_is_not_known() -> None:
    kept, _ = keep_resolved(diagnosis(claim("gone"), hypothesis("H1", claim("E1"))), {"E1"}, "EA")
    assert kept.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert kept.answer.evidence == ("EA",)


IDS = st.sampled_from(["E1", "E2", "E3", "E4"])
CLAIMS = st.builds(lambda ids: claim(*ids), st.lists(IDS, min_size=1, max_size=3))
HYPOTHESES = st.builds(
    lambda name, for_it, against: hypothesis(name, *for_it, against=tuple(against)),
    st.sampled_from(["H1", "H2", "H3"]),
    st.lists(CLAIMS, max_size=3),
    st.lists(CLAIMS, max_size=2),
)


@given(CLAIMS, st.lists(HYPOTHESES, max_size=3, unique_by=lambda h: h.id), st.frozensets(IDS), st.sampled_from(Verdict))
def test_whatever_is_left_resolves(
    answer: Claim, hypotheses: list[Hypothesis], known: frozenset[str], verdict: Verdict
) -> None:
    known |= {"EA"}
    whole = diagnosis(answer, *hypotheses, verdict=verdict)
    kept, dropped = keep_resolved(whole, known, "EA")
    assert cited_by(kept) <= known
    assert dropped >= 0
    assert keep_resolved(kept, known, "EA") == (kept, 0)
    if cited_by(whole) <= known:
        assert kept == whole


def test_cited_by_sees_every_claim() -> None:
    whole = diagnosis(claim("E1"), hypothesis("H1", claim("E2"), against=(claim("E3"),), chain=(claim("E4"),)))
    assert cited_by(whole) == {"E1", "E2", "E3", "E4"}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_no_hypothesis_at_all_is_no_loss(verdict: Verdict) -> None:
    whole = diagnosis(claim("E1"), verdict=verdict)
    assert keep_resolved(whole, {"E1"}, "EA") == (whole, 0)
