"""Spans of live backends become rows of a span frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from tools.attributes import attribute_texts
from tools.backend import SPAN_COLUMNS
from tools.evidence import TimeWindow
from tools.moments import microseconds
from tools.words import UNKNOWN_SERVICE, clean_name, span_kind, span_status

TEXTS = ("trace_id", "span_id", "parent_span_id", "service", "name", "kind", "status")
INSTANCES = ("service.instance.id", "k8s.pod.name", "host.name")
"""Attributes of a process that are kept with each of its spans; the others say the same of all of them."""
PLUMBING = (
    *("otel.status_code", "otel.scope.name", "otel.scope.version", "otel.library.name", "otel.library.version"),
    *("span.kind", "internal.span.format", "sampler.type", "sampler.param", "w3c.tracestate"),
)
"""Attributes that a tracing backend adds for itself, or that stand in a column of their own."""
EXCEPTION = ("exception.type", "exception.message")
"""What is kept of the first exception that a span recorded as an event (OpenTelemetry, "Recording Exceptions")."""


@dataclass(frozen=True)
class Span:
    """One span as a backend tells it; times in whole microseconds."""

    trace_id: str
    span_id: str
    parent_span_id: str
    service: str
    name: str
    start_us: int
    duration_us: float
    attributes: dict[str, object] = field(default_factory=dict[str, object])
    exception: dict[str, object] = field(default_factory=dict[str, object])
    kind: object = None
    status: object = None


def span_frame(spans: Iterable[Span], window: TimeWindow) -> pd.DataFrame:
    """The spans that start inside the window as `tools.backend` lists them, sorted by start; each only once."""
    since, until = microseconds(pd.Series([window.since, window.until])).tolist()
    known: dict[tuple[str, str, str, int], Span] = {}
    for span in spans:
        if since <= span.start_us < until and span.duration_us >= 0:
            # Client and server of one call may share an id (Zipkin); service and start tell them apart.
            known.setdefault((span.trace_id, span.span_id, span.service, span.start_us), span)
    rows = sorted(known.values(), key=lambda span: (span.start_us, span.trace_id, span.span_id, span.service))
    columns: dict[str, object] = {
        "trace_id": _texts(span.trace_id for span in rows),
        "span_id": _texts(span.span_id for span in rows),
        "parent_span_id": _texts(span.parent_span_id for span in rows),
        "service": _texts(clean_name(span.service) or UNKNOWN_SERVICE for span in rows),
        "name": _texts(clean_name(span.name) for span in rows),
        "kind": _texts(span_kind(span.kind) for span in rows),
        "start": pd.to_datetime([span.start_us for span in rows], unit="us", utc=True).as_unit("us"),
        "duration_ms": pd.array([span.duration_us / 1000.0 for span in rows], dtype="float64"),
        "status": _texts(span_status(span.status) for span in rows),
        "attributes": pd.Series([_told(span) for span in rows], dtype="object"),
    }
    return pd.DataFrame(columns)[list(SPAN_COLUMNS)]


def only(frame: pd.DataFrame, service: str | None, operation: str | None) -> pd.DataFrame:
    """The rows of one service and one operation; None means all."""
    if service is not None:
        frame = frame[frame["service"] == service]
    if operation is not None:
        frame = frame[frame["name"] == operation]
    return frame.reset_index(drop=True)


def _told(span: Span) -> dict[str, str]:
    own = ((key, value) for key, value in span.attributes.items() if key not in PLUMBING)
    exception = ((key, span.exception[key]) for key in EXCEPTION if key in span.exception)
    return attribute_texts([*own, *exception])


def _texts(values: Iterable[str]) -> object:
    listed: Sequence[str] = list(values)
    return pd.array(listed, dtype="str")
