"""One incident as a script: the system, its traffic, what is changed when, and the monitor that pages somebody."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from evals.simulator.system import Operation, Sizing, World
from tools.evidence import ChangeEvent, ChangeKind, Edge

Effect = Callable[[World], None]
"""What a change or a happening does to the world."""


@dataclass(frozen=True)
class Part:
    """One service of the system under study."""

    sizing: Sizing
    operations: dict[str, Operation]


@dataclass(frozen=True)
class Traffic:
    """Requests from outside: Poisson arrivals at `rate(minute)` requests per second."""

    service: str
    operation: str
    rate: Callable[[float], float]


@dataclass(frozen=True)
class Change:
    """One entry of the change history; `effect` is what it does to the simulated system, None when nothing shows."""

    id: str
    kind: ChangeKind
    minute: float
    """Minutes after the start of the recording; negative for earlier."""
    title: str
    author: str
    service: str | None = None
    version: str | None = None
    files: tuple[str, ...] = ()
    diff: str | None = None
    before: str | None = None
    after: str | None = None
    merged_minutes_earlier: float | None = None
    in_effect: bool = True
    effect: Effect | None = None

    def event(self, started_at: datetime, incident: str) -> ChangeEvent:
        """The change as a recording keeps it; a flag has no commit."""
        at = started_at + timedelta(minutes=self.minute)
        earlier = self.merged_minutes_earlier
        committed = self.kind is not ChangeKind.FLAG
        return ChangeEvent(
            id=self.id,
            kind=self.kind,
            at=at,
            service=self.service,
            title=self.title,
            author=self.author,
            commit=hashlib.sha1(f"{incident}/{self.id}".encode()).hexdigest() if committed else None,
            merged_at=at - timedelta(minutes=earlier) if earlier is not None else None,
            version=self.version,
            files=self.files,
            diff=self.diff,
            before=self.before,
            after=self.after,
            in_effect=self.in_effect,
        )


@dataclass(frozen=True)
class Happening:
    """Something nobody changed: a certificate that runs out, a provider that fails, a nightly job."""

    minute: float
    effect: Effect


@dataclass(frozen=True)
class Monitor:
    """Pages when a metric stays on the wrong side of a threshold for `samples` samples in a row."""

    name: str
    service: str
    metric: str
    threshold: float
    samples: int
    summary: str
    severity: str = "critical"
    wrong_side: Literal["above", "below"] = "above"

    def breached(self, value: float) -> bool:
        return value > self.threshold if self.wrong_side == "above" else value < self.threshold


@dataclass(frozen=True)
class Scenario:
    """Everything one recording is made from. The same scenario gives the same bytes."""

    name: str
    """Named after what people saw, never after the cause."""
    seed: int
    started_at: datetime
    parts: Mapping[str, Part]
    traffic: tuple[Traffic, ...]
    monitor: Monitor
    changes: tuple[Change, ...]
    happenings: tuple[Happening, ...] = ()
    edges: tuple[Edge, ...] = ()
    status_feed: Mapping[str, object] | None = None
    runbooks: Mapping[str, str] = field(default_factory=dict[str, str])
    prepare: Effect | None = None
    """Sets up certificates and providers before the first request."""
    interval_s: float = 30.0
    minutes_after_alert: float = 6.0
    longest_minutes: float = 150.0
    traces_per_minute: float = 5.0
    withheld: frozenset[str] = frozenset()
    """What this installation does not collect: "logs", "traces", "diffs", "metrics:<service>", "topology"."""
