"""The draft of a postmortem, made of the same values that everybody saw during the incident."""

from __future__ import annotations

from collections.abc import Sequence

import prompts
from agent.approval import Approval
from agent.figures import duration, roughly
from agent.incident import (
    ActionItem,
    Diagnosis,
    Incident,
    Postmortem,
    Recovery,
    TimelineEntry,
    TimelineKind,
    Triage,
)

TOLD_KINDS = frozenset(
    {
        TimelineKind.ALERT,
        TimelineKind.SIGNAL,
        TimelineKind.CHANGE,
        TimelineKind.DIAGNOSIS,
        TimelineKind.APPROVAL,
        TimelineKind.ACTION,
        TimelineKind.RECOVERY,
        TimelineKind.STATUS,
    }
)
"""What happened to the system and what people decided; how the agent worked stands in the incident's own timeline."""

ENTRIES_TOLD = 40


def draft(
    incident: Incident,
    triage: Triage,
    diagnosis: Diagnosis,
    timeline: Sequence[TimelineEntry],
    approvals: Sequence[Approval],
    recovery: Recovery | None,
) -> Postmortem:
    """A blameless draft in Markdown; what people have to add is left open, and said to be."""
    told = sorted((entry for entry in timeline if entry.kind in TOLD_KINDS), key=lambda entry: (entry.at, entry.seq))
    items = action_items(diagnosis)
    markdown = prompts.render(
        "write_postmortem",
        incident=incident,
        severity=triage.severity.value,
        symptom=triage.symptom,
        reasons=triage.reasons,
        diagnosis=diagnosis,
        uncertainty=roughly(diagnosis.onset_uncertainty),
        pain=duration(incident.mitigated_at - diagnosis.onset) if incident.mitigated_at else "",
        timeline=told[:ENTRIES_TOLD],
        entries_left_out=len(timeline) - len(told[:ENTRIES_TOLD]),
        approvals=approvals,
        recovery=recovery,
        action_items=items,
    )
    return Postmortem(title=incident.title, markdown=markdown, action_items=items)


def action_items(diagnosis: Diagnosis) -> tuple[ActionItem, ...]:
    """Candidates that follow from the record alone: the cause, what people had to do by hand, and what was not seen."""
    items: list[ActionItem] = []
    leading = diagnosis.leading
    if leading is not None and leading.status == "leading":
        items.append(ActionItem(title=f"Keep this from happening again: {leading.title}", kind="prevent"))
    items += [
        ActionItem(title=f"Make this a step that can be run: {mitigation.title}", kind="mitigate")
        for mitigation in diagnosis.mitigations
        if mitigation.manual
    ]
    gaps = dict.fromkeys(gap.source for gap in diagnosis.data_gaps)
    items += [ActionItem(title=f"Close the gap in {source.value}", kind="detect") for source in gaps]
    return tuple(items)
