"""What a backend can be asked, by kind of telemetry. A vendor and a recording answer the same protocols.

Frames are pandas frames with exactly the columns listed here, sorted by time, times `datetime64[us, UTC]`:

- metrics: timestamp, service (str), instance (str, "" when unknown), metric (str), value (float64, never NaN or
  infinite), unit (str, "" when unknown)
- logs: timestamp, service, instance, severity (upper case: TRACE DEBUG INFO WARN ERROR FATAL), body (str),
  trace_id, span_id (str, ""), attributes (object column of flat dict[str, str])
- spans: trace_id, span_id, parent_span_id ("" for a root), service, name, kind (lower case, "" when unknown),
  start (datetime64[us, UTC]), duration_ms (float64 >= 0), status ("OK", "ERROR" or ""), attributes (as above)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pandas as pd

from tools.evidence import ChangeEvent, Edge, Operation, OperationResult, Runbook, Source, StatusEvent, TimeWindow

METRIC_COLUMNS = ("timestamp", "service", "instance", "metric", "value", "unit")
LOG_COLUMNS = ("timestamp", "service", "instance", "severity", "body", "trace_id", "span_id", "attributes")
SPAN_COLUMNS = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "service",
    "name",
    "kind",
    "start",
    "duration_ms",
    "status",
    "attributes",
)


class Metrics(Protocol):
    def metric_range(self, window: TimeWindow, service: str | None = None, metric: str | None = None) -> pd.DataFrame:
        """Samples inside the window; None means every service, every metric. Raises ToolError."""
        ...


class Logs(Protocol):
    def log_lines(
        self, window: TimeWindow, service: str | None = None, contains: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        """Log lines inside the window, oldest first; `contains` is a case-sensitive substring of the body.

        Raises ToolError.
        """
        ...


class Traces(Protocol):
    def spans(self, window: TimeWindow, service: str | None = None, operation: str | None = None) -> pd.DataFrame:
        """Spans that start inside the window. Raises ToolError."""
        ...


class Changes(Protocol):
    def changes(self, window: TimeWindow) -> list[ChangeEvent]:
        """Changes that took effect (or were merged) inside the window, oldest first. Raises ToolError."""
        ...

    def status_events(self, window: TimeWindow) -> list[StatusEvent]:
        """Entries of providers' status feeds that overlap the window. Raises ToolError."""
        ...


class Topology(Protocol):
    def edges(self) -> list[Edge]:
        """Dependencies somebody wrote down or a platform knows. Raises ToolError."""
        ...


class Runbooks(Protocol):
    def runbooks(self) -> list[Runbook]:
        """All runbooks. Raises ToolError."""
        ...


class Operations(Protocol):
    def dry_run(self, operation: Operation) -> str:
        """What `perform` would do, in one line, without doing it. Raises ToolError."""
        ...

    def perform(self, operation: Operation, idempotency_key: str) -> OperationResult:
        """Do it, once per key. Raises ToolError when it is not known whether it was done."""
        ...


@dataclass(frozen=True)
class Backend:
    """The tools of one installation. What is not configured is None and becomes a data gap."""

    name: str
    metrics: Metrics | None = None
    logs: Logs | None = None
    traces: Traces | None = None
    changes: Changes | None = None
    topology: Topology | None = None
    runbooks: Runbooks | None = None
    operations: Operations | None = None
    notes: Sequence[tuple[Source, str]] = field(default=())
    """What could not be read or had to be repaired while reading, each a data gap."""
    window: TimeWindow | None = None
    """All that can be asked about, where that has an end (a recording); None for a live system."""
    asked: frozenset[str] = frozenset()
    """Evidence ids of questions about other times that a recording can answer all the same."""
