"""Small frames of logs and spans, with the columns and types that tools.backend promises."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pandas as pd

from agent.incident import Alert
from tools.evidence import TimeWindow

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """A moment, in minutes after START, on a whole microsecond."""
    return START + timedelta(microseconds=round(minutes * 60_000_000))


ALERT = Alert(service="shop", metric="error_ratio", fired_at=at(65))
WINDOW = TimeWindow(since=START, until=at(90))
SPLIT = at(60)


class Line(NamedTuple):
    minutes: float
    service: str
    severity: str
    body: str
    attributes: dict[str, str] = {}  # noqa: RUF012 - never changed


class Span(NamedTuple):
    trace: str
    span: str
    parent: str
    service: str
    name: str
    minutes: float
    ms: float
    status: str = "OK"
    kind: str = ""
    attributes: dict[str, str] = {}  # noqa: RUF012 - never changed


def log_frame(lines: Iterable[Line]) -> pd.DataFrame:
    rows = sorted(lines, key=lambda line: line.minutes)
    return pd.DataFrame(
        {
            "timestamp": _times([row.minutes for row in rows]),
            "service": _texts([row.service for row in rows]),
            "instance": _texts([""] * len(rows)),
            "severity": _texts([row.severity for row in rows]),
            "body": _texts([row.body for row in rows]),
            "trace_id": _texts([""] * len(rows)),
            "span_id": _texts([""] * len(rows)),
            "attributes": pd.Series([dict(row.attributes) for row in rows], dtype=object),
        }
    )


def span_frame(spans: Iterable[Span]) -> pd.DataFrame:
    rows = sorted(spans, key=lambda span: span.minutes)
    return pd.DataFrame(
        {
            "trace_id": _texts([row.trace for row in rows]),
            "span_id": _texts([row.span for row in rows]),
            "parent_span_id": _texts([row.parent for row in rows]),
            "service": _texts([row.service for row in rows]),
            "name": _texts([row.name for row in rows]),
            "kind": _texts([row.kind for row in rows]),
            "start": _times([row.minutes for row in rows]),
            "duration_ms": pd.Series([float(row.ms) for row in rows], dtype="float64"),
            "status": _texts([row.status for row in rows]),
            "attributes": pd.Series([dict(row.attributes) for row in rows], dtype=object),
        }
    )


def _times(minutes: Sequence[float]) -> pd.Series:
    return pd.Series([at(value) for value in minutes], dtype="datetime64[us, UTC]")


def _texts(values: Sequence[str]) -> pd.Series:
    return pd.Series(values, dtype="str")
