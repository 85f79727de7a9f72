"""Every claim cites evidence that can be opened: what is missing is looked up, what cannot be had is not claimed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from agent.analysis.observed import Observations
from agent.analysis.ranking import claims_of
from agent.budget import Budget
from agent.incident import Claim, Diagnosis, Hypothesis, Verdict
from agent.investigation import Investigation
from agent.slices import queries_of
from tools.evidence import ToolError


def cited_by(diagnosis: Diagnosis) -> frozenset[str]:
    """Ids of all evidence that a diagnosis rests on."""
    return frozenset(evidence for claim in claims_of(diagnosis) for evidence in claim.evidence)


def look_up(cited: Iterable[str], seen: Observations, desk: Investigation, budget: Budget) -> list[str]:
    """Fetch and store cited evidence that nobody stored yet, as far as the budget goes; returns the ids it got."""
    by_id = queries_of(seen)
    found: list[str] = []
    for evidence in sorted((set(cited) & by_id.keys()) - desk.known_evidence()):
        if budget.spent:
            break
        budget.calls += 1
        try:
            answer = desk.ask(by_id[evidence], seen.window)
        except ToolError:  # the claim that cites it goes, and is counted, when the diagnosis is made
            continue
        found.extend(desk.keep_answers([answer]))
    return found


def keep_resolved(diagnosis: Diagnosis, known: Set[str], fallback: str) -> tuple[Diagnosis, int]:
    """The diagnosis with those claims only whose evidence is among `known`, and how many claims went.

    A hypothesis that loses all that speaks for it goes too. Without its answer or its leading hypothesis the diagnosis
    is "not enough evidence", and its answer cites `fallback`, which must be known.
    """
    total = len(claims_of(diagnosis))
    hypotheses = [h for h in (_resolved_hypothesis(h, known) for h in diagnosis.hypotheses) if h is not None]
    kept = diagnosis.model_copy(
        update={
            "hypotheses": tuple(hypotheses),
            "ruled_out": tuple(r for r in diagnosis.ruled_out if _resolved(r.reason, known)),
            "data_gaps": tuple(g for g in diagnosis.data_gaps if _resolved(g.claim, known)),
            "mitigations": tuple(m for m in diagnosis.mitigations if _resolved(m.reason, known)),
        }
    )
    answer = _resolved(diagnosis.answer, known)
    lost_leader = diagnosis.leading is not None and diagnosis.leading.id not in {h.id for h in hypotheses}
    if answer is None or (lost_leader and diagnosis.verdict is not Verdict.NOT_ENOUGH_EVIDENCE):
        text = "Not enough evidence: what the answer rested on can no longer be shown."
        answer = Claim(text=text, evidence=(fallback,))
        kept = kept.model_copy(update={"verdict": Verdict.NOT_ENOUGH_EVIDENCE})
    kept = kept.model_copy(update={"answer": answer})
    return kept, total - len(claims_of(kept))


def _resolved(claim: Claim, known: Set[str]) -> Claim | None:
    """The claim with the citations that resolve; None when none does."""
    evidence = tuple(cited for cited in claim.evidence if cited in known)
    return claim.model_copy(update={"evidence": evidence}) if evidence else None


def _all_resolved(claims: Sequence[Claim], known: Set[str]) -> tuple[Claim, ...]:
    return tuple(kept for kept in (_resolved(claim, known) for claim in claims) if kept is not None)


def _resolved_hypothesis(hypothesis: Hypothesis, known: Set[str]) -> Hypothesis | None:
    speaks_for = _all_resolved(hypothesis.evidence_for, known)
    if hypothesis.evidence_for and not speaks_for:
        return None
    return hypothesis.model_copy(
        update={
            "causal_chain": _all_resolved(hypothesis.causal_chain, known),
            "evidence_for": speaks_for,
            "evidence_against": _all_resolved(hypothesis.evidence_against, known),
        }
    )
