"""Diagnose: rank again with what the probes brought, and keep only what can be shown."""

from __future__ import annotations

from agent import documents
from agent.analysis.observed import Observations
from agent.analysis.ranking import rank
from agent.budget import Budget
from agent.citations import cited_by, keep_resolved, look_up
from agent.incident import Diagnosis, TimelineKind, Verdict
from agent.investigation import Investigation
from agent.nodes.hypothesize import known_onset, known_symptom
from agent.state import IncidentState
from agent.step import Step
from agent.store import TimelineDraft
from tools.words import counted

CLEARED_TOLD = 5
"""Ruled-out candidates on the timeline: those nearest to the onset, which people would ask about first."""


def diagnose(state: IncidentState, desk: Investigation) -> Step:
    """Store the final ranking and the diagnosis; each of its claims cites stored evidence."""
    seen = desk.get(documents.OBSERVATIONS, Observations)
    ranking = rank(seen, known_symptom(state), known_onset(desk))
    budget = Budget(desk.settings, state)
    look_up(cited_by(ranking.diagnosis), seen, desk, budget)
    diagnosis, dropped = keep_resolved(ranking.diagnosis, desk.known_evidence(), fallback=state.evidence[0])
    desk.put(documents.RANKING, ranking)
    desk.put(documents.DIAGNOSIS, diagnosis)
    changes = {"tool_calls": budget.calls}
    return Step(changes, _told(diagnosis, dropped))


def _told(diagnosis: Diagnosis, dropped: int) -> list[TimelineDraft]:
    text, leading = diagnosis.answer.text, diagnosis.leading
    if leading is not None and diagnosis.verdict is not Verdict.NOT_ENOUGH_EVIDENCE:
        text = f"{text} ({leading.confidence:.0%})"
    entries = [TimelineDraft(kind=TimelineKind.DIAGNOSIS, text=text, evidence=diagnosis.answer.evidence)]
    for cleared in diagnosis.ruled_out[:CLEARED_TOLD]:
        text = f"ruled out: {cleared.title} ({cleared.reason.text})"
        entries.append(TimelineDraft(kind=TimelineKind.DIAGNOSIS, text=text, evidence=cleared.reason.evidence))
    if dropped:
        text = f"left out: {counted(dropped, 'claim')} that cites what could not be fetched"
        entries.append(TimelineDraft(kind=TimelineKind.DIAGNOSIS, text=text))
    return entries
