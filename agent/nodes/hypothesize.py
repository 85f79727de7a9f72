"""Hypothesize: rank the causes that what was gathered allows. Preliminary; the probes come next."""

from __future__ import annotations

from agent import documents
from agent.analysis.observed import Observations, Onset
from agent.analysis.ranking import rank
from agent.incident import Hypothesis, Symptom, TimelineKind
from agent.investigation import Investigation
from agent.state import IncidentState
from agent.step import Step
from agent.store import TimelineDraft
from tools.words import counted

TOLD = 3
"""Hypotheses that a person can weigh against each other at night."""


def hypothesize(state: IncidentState, desk: Investigation) -> Step:
    """Rank, store the ranking, tell its first hypotheses."""
    ranking = rank(desk.get(documents.OBSERVATIONS, Observations), known_symptom(state), known_onset(desk))
    desk.put(documents.RANKING, ranking)
    hypotheses = ranking.diagnosis.hypotheses
    told = counted(len(hypotheses), "hypothesis", "hypotheses")
    headline = TimelineDraft(
        kind=TimelineKind.HYPOTHESIS,
        text=f"{counted(len(ranking.scores), 'candidate')} weighed; {told} worth telling, preliminary",
        evidence=ranking.diagnosis.answer.evidence,
    )
    return Step({}, [headline, *(_told(h) for h in hypotheses[:TOLD])])


def known_symptom(state: IncidentState) -> Symptom:
    """The symptom that triage found. Raises ValueError before triage."""
    if state.symptom is None:
        raise ValueError(f"{state.incident} has not been triaged")
    return state.symptom


def known_onset(desk: Investigation) -> Onset | None:
    """Onset of the alert's own series; None when it could not be seen."""
    return desk.find(documents.ONSET, Onset)


def _told(hypothesis: Hypothesis) -> TimelineDraft:
    cited = [e for claim in (*hypothesis.causal_chain, *hypothesis.evidence_for) for e in claim.evidence]
    return TimelineDraft(
        kind=TimelineKind.HYPOTHESIS,
        text=f"{hypothesis.id} ({hypothesis.confidence:.0%}): {hypothesis.title}",
        evidence=tuple(dict.fromkeys(cited)),
    )
