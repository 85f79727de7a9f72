"""Write the postmortem: a draft from the record, for people to correct."""

from __future__ import annotations

from agent import documents
from agent.incident import Diagnosis, IncidentStatus, Recovery, TimelineKind, Triage
from agent.investigation import Investigation
from agent.postmortem import draft
from agent.state import IncidentState
from agent.step import Step
from agent.store import TimelineDraft
from tools.words import counted


def write_postmortem(state: IncidentState, desk: Investigation) -> Step:
    """Store the draft. An incident that nobody mitigated stays in the hands of the people who investigate it."""
    if not state.approved:
        desk.move(IncidentStatus.INVESTIGATING)
    postmortem = draft(
        desk.store.incident(desk.incident),
        desk.get(documents.TRIAGE, Triage),
        desk.get(documents.DIAGNOSIS, Diagnosis),
        desk.store.timeline(desk.incident),
        desk.store.approvals(incident_id=desk.incident),
        desk.find(documents.RECOVERY, Recovery),
    )
    desk.put(documents.POSTMORTEM, postmortem)
    text = f"postmortem drafted, with {counted(len(postmortem.action_items), 'suggested action item')}"
    return Step({}, [TimelineDraft(kind=TimelineKind.POSTMORTEM, text=text)])
