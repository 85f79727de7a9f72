"""What the gather nodes found, in a form small enough to store and complete enough to reason from.

Each source contributes one `Observations`; `merge` joins them. Frames never travel further than the node that read them.
"""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from agent.incident import Alert, DataGap, Direction, GoldenSignal, Resource, Shape, Signal
from tools.evidence import ChangeEvent, Edge, Frozen, Query, Runbook, StatusEvent, TimeWindow, UtcDatetime


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
    high: float | None = None
    """The highest level that was kept for a while around the alert or after it; None where it was not looked at."""
    recent: float | None = None
    """Median of the last samples before the alert, from when nothing had been noticed yet."""
    usual: float = 0.0
    """Median of all that came before the alert, an earlier incident of less than half of that time included."""
    usual_spread: float = 0.0
    """Robust standard deviation of the same samples."""
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


class CallGap(Frozen):
    """The time between a caller's and a callee's view of the same calls: network, proxies, the queue before the server.

    Times in milliseconds, medians over the calls.
    """

    caller: str
    callee: str
    query: Query
    before: float
    after: float
    spread: float
    """Robust standard deviation of single calls before."""
    count_before: int
    count_after: int
    server_before: float
    """What the callee itself measured."""
    server_after: float
    since: UtcDatetime


class PathBreak(Frozen):
    """Requests leave their usual path inside one service: after a step, something else follows than before.

    A step is the beginning of an operation or one log statement; paths are read within a span.
    """

    service: str
    operation: str
    step: str
    """The last step that is as usual."""
    usual: str
    """What followed before the split."""
    instead: str
    """What follows now; empty where the path ends."""
    usual_before: float
    """Share of the paths through `step` that took the usual way before, and after."""
    usual_after: float
    instead_before: float
    instead_after: float
    count_before: int
    count_after: int
    strength: float
    """Nats: log-likelihood ratio of two shares against one, divided by the dispersion seen before the split."""
    first: float = Field(ge=0, le=1)
    """Share of the traces with this break in which no other service broke before it."""
    failing: bool
    """What follows now says that something is wrong."""
    raised: bool
    """The path ends early, or what follows speaks of an exception: the code was left, not led elsewhere."""
    since: UtcDatetime
    query: Query


class Excess(Frozen):
    """How much more than usual all requests of a service together wait or fail, from its metrics.

    Latency is in seconds of waiting, errors in failed requests; both sums over the samples after the split.
    """

    service: str
    golden: GoldenSignal
    amount: float
    noise: float
    """Robust standard deviation of the same sum over stretches of the same length before the split."""
    usual: float
    """The same sum (of waiting, or of requests) that is ordinary for that long."""
    new: bool
    """The service had no requests before the split."""
    since: UtcDatetime
    query: Query


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
    calls: tuple[CallGap, ...] = ()
    breaks: tuple[PathBreak, ...] = ()
    excesses: tuple[Excess, ...] = ()
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
        calls=tuple(c for p in parts for c in p.calls),
        breaks=tuple(b for p in parts for b in p.breaks),
        excesses=tuple(x for p in parts for x in p.excesses),
        edges=tuple(dict.fromkeys(e for p in parts for e in p.edges)),
        changes=tuple(c for p in parts for c in p.changes),
        status_events=tuple(s for p in parts for s in p.status_events),
        runbooks=tuple(r for p in parts for r in p.runbooks),
        gaps=tuple(g for p in parts for g in p.gaps),
        history=tuple(dict.fromkeys(x for p in parts for x in p.history)),
    )
