"""What the gather nodes found, in a form small enough to store and complete enough to reason from.

Each source contributes one `Observations`; `merge` joins them. Frames never travel further than the node that read them.
"""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from agent.incident import Alert, DataGap, Direction, GoldenSignal, Resource, Shape, Signal
from tools.evidence import ChangeEvent, Edge, Frozen, Runbook, StatusEvent, TimeWindow, UtcDatetime


class Level(Frozen):
    """The level of one metric series (instances of a service joined) before and after the incident began.

    Also kept for series that did not move: they are the controls, and they tell where a limit would have bitten.
    """

    service: str
    metric: str
    evidence: str
    before: float
    """Median before the split."""
    after: float
    """Median after the split."""
    p95_before: float
    spread: float
    """Robust standard deviation before the split (1.4826 × median absolute deviation, with a small floor)."""
    samples: int
    golden: GoldenSignal | None = None
    resource: Resource | None = None
    unit: str = ""
    trend: float = 0.0
    """Theil-Sen slope before the split, in units per minute; 0 when it is not significant (Kendall, p > 0.01)."""
    last: float = 0.0


class Template(Frozen):
    """One log template: every line of one service and severity that differs only in its variable tokens."""

    service: str
    severity: str
    template: str
    evidence: str
    before: float
    """Lines per minute before the split."""
    after: float
    first_seen: UtcDatetime
    last_seen: UtcDatetime
    count: int
    example: str
    examples: tuple[str, ...] = ()
    """Up to five different lines."""
    attributes: dict[str, str] = Field(default_factory=dict)
    """Attributes of the lines after the split: the most frequent value of each key."""


class OperationStats(Frozen):
    """One operation of one service, called by one parent, before and after the split. Times in milliseconds."""

    service: str
    name: str
    evidence: str
    parent_service: str = ""
    parent_name: str = ""
    kind: str = ""
    count_before: int = 0
    count_after: int = 0
    duration_before: float | None = None
    """Median duration; None without a sample."""
    duration_after: float | None = None
    self_before: float | None = None
    """Median of duration minus the union of the children's intervals."""
    self_after: float | None = None
    calls_per_parent_before: float | None = None
    """Mean number of such spans per span of the parent operation that has at least one."""
    calls_per_parent_after: float | None = None
    errors_before: int = 0
    errors_after: int = 0
    messages: tuple[str, ...] = ()
    """Different error texts after the split, most frequent first, at most five."""
    attributes: dict[str, str] = Field(default_factory=dict)
    """Attributes after the split, most frequent value of each key."""
    peer: str | None = None
    """Peer named by the span's attributes (peer.service, net.peer.name, server.address), where it has no span."""


class Past(Frozen):
    """The range of one series over an earlier window, to tell a daily pattern from a deviation."""

    service: str
    metric: str
    low: float
    """5th percentile."""
    high: float
    """95th percentile."""
    window: TimeWindow
    evidence: str


class Observations(Frozen):
    """Everything that is known, by kind."""

    alert: Alert
    window: TimeWindow
    signals: tuple[Signal, ...] = ()
    levels: tuple[Level, ...] = ()
    templates: tuple[Template, ...] = ()
    operations: tuple[OperationStats, ...] = ()
    edges: tuple[Edge, ...] = ()
    changes: tuple[ChangeEvent, ...] = ()
    status_events: tuple[StatusEvent, ...] = ()
    runbooks: tuple[Runbook, ...] = ()
    gaps: tuple[DataGap, ...] = ()
    history: tuple[Past, ...] = ()
    """What probes found of earlier times."""


class Onset(Frozen):
    """When a series changed, and how."""

    at: UtcDatetime
    uncertainty: timedelta
    direction: Direction
    before: float
    after: float
    size: float
    shape: Shape


def merge(parts: list[Observations]) -> Observations:
    """Join what several sources observed of the same alert; raises ValueError on an empty list."""
    if not parts:
        raise ValueError("nothing was gathered")
    first = parts[0]
    return Observations(
        alert=first.alert,
        window=first.window,
        signals=tuple(s for p in parts for s in p.signals),
        levels=tuple(x for p in parts for x in p.levels),
        templates=tuple(x for p in parts for x in p.templates),
        operations=tuple(x for p in parts for x in p.operations),
        edges=tuple(dict.fromkeys(e for p in parts for e in p.edges)),
        changes=tuple(c for p in parts for c in p.changes),
        status_events=tuple(s for p in parts for s in p.status_events),
        runbooks=tuple(r for p in parts for r in p.runbooks),
        gaps=tuple(g for p in parts for g in p.gaps),
        history=tuple(dict.fromkeys(x for p in parts for x in p.history)),
    )
