"""What travels from node to node, and what a checkpoint holds.

Small on purpose: a checkpoint is the whole state, written after every step. Frames, observations, rankings and the
diagnosis live in the store (see `agent.documents`); the state carries ids.
"""

from __future__ import annotations

import operator
from typing import Annotated

from pydantic import Field

from agent.incident import Severity, Source, Symptom
from tools.evidence import Frozen, TimeWindow, UtcDatetime


def merge_seconds(known: dict[str, float], new: dict[str, float]) -> dict[str, float]:
    """Add the seconds that steps took; steps of a fan-out that share a name never share a key."""
    return known | {step: round(known.get(step, 0.0) + seconds, 6) for step, seconds in new.items()}


class IncidentState(Frozen):
    """The state of one investigation. Reducer fields are lists: a tuple comes back from a checkpoint as a list."""

    incident: str
    """Incident id; also the id of the LangGraph thread. The alert stands with the incident in the store."""
    window: TimeWindow | None = None
    """The stretch of time under investigation; set by triage, together with the next two."""
    split: UtcDatetime | None = None
    """When the symptom began: what lies before is the baseline."""
    symptom: Symptom | None = None
    severity: Severity | None = None
    evidence: Annotated[list[str], operator.add] = Field(default_factory=list[str])
    """Ids of what was read as a whole: the alert, and one per gathered source."""
    approvals: list[str] = Field(default_factory=list[str])
    """Ids of the approval requests that wait, or waited, for a person."""
    approved: list[str] = Field(default_factory=list[str])
    """Ids of those that a person approved."""
    tool_calls: Annotated[int, operator.add] = 0
    seconds: Annotated[dict[str, float], merge_seconds] = Field(default_factory=dict[str, float])
    """Working time by step; waiting for a person is not counted. The branches of a fan-out are `gather.<source>`."""

    @property
    def working_seconds(self) -> float:
        """Working time on the clock: of steps that ran side by side, the longest counts."""
        side_by_side = [taken for step, taken in self.seconds.items() if "." in step]
        return sum(self.seconds.values()) - sum(side_by_side) + max(side_by_side, default=0.0)


class Branch(Frozen):
    """What one branch of the gather fan-out is sent."""

    source: Source
    incident: str
    window: TimeWindow
    split: UtcDatetime
