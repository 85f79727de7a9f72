"""The series that a stored result draws: samples of a metric, lines per minute, milliseconds of an operation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from statistics import median

from pydantic import JsonValue

from agent.incident import Signal, SignalKind
from tools.evidence import Evidence, Frozen, TimeWindow, UtcDatetime, as_utc

BINS = 60
"""Stretches that lines and spans are joined into: a minute each in the usual hour, and more than a sparkline draws."""


Rows = list[Mapping[str, JsonValue]]
Measure = Callable[[Rows], float | None]


class Series(Frozen):
    """What the chart of one stored result draws: moments, oldest first, and a value for each, None where none is."""

    times: tuple[UtcDatetime, ...]
    values: tuple[float | None, ...]


class ShownSignal(Frozen):
    """A deviation with the series in which it can be seen; None where the result behind it is not stored."""

    signal: Signal
    series: Series | None = None


def aspect_of(signal: Signal) -> str:
    """Return what deviates about an operation (`errors`, `calls_per_parent`, `self_time`...), "" for another signal."""
    return signal.attributes.get("aspect", "") if signal.kind is SignalKind.SPAN else ""


def series_of(evidence: Evidence, result: JsonValue, aspect: str = "") -> Series | None:
    """Return the series behind a stored result; None for one that is no series (a change, a page) or has no rows.

    Spans are drawn as what deviates about them, by default their duration.
    """
    match evidence.query.tool:
        case "metric_range":
            return _samples(result)
        case "log_lines":
            return _lines_per_minute(result, evidence.window)
        case "spans":
            return _per_stretch(result, evidence.window, SPAN_MEASURES.get(aspect, _duration))
        case _:
            return None


def _samples(result: JsonValue) -> Series | None:
    """Median over the instances at each moment."""
    at: dict[datetime, list[float]] = defaultdict(list)
    for row in rows_of(result):
        moment, value = _moment(row.get("timestamp")), row.get("value")
        if moment is not None and isinstance(value, int | float):
            at[moment].append(float(value))
    return _series({moment: median(values) for moment, values in at.items()})


def _lines_per_minute(result: JsonValue, window: TimeWindow) -> Series | None:
    rows = rows_of(result)
    if not rows:
        return None
    step = window.length / BINS
    counts = dict.fromkeys(range(BINS), 0)
    for row in rows:
        counts[_bin(_moment(row.get("timestamp")), window)] += 1
    thinned = total_rows(result) / len(rows)
    per_minute = thinned * (timedelta(minutes=1) / step)
    return _series({window.since + step * place: count * per_minute for place, count in counts.items()})


def _per_stretch(result: JsonValue, window: TimeWindow, measure: Measure) -> Series | None:
    """One figure for the spans that start in each stretch."""
    found: dict[int, Rows] = defaultdict(list)
    for row in rows_of(result):
        found[_bin(_moment(row.get("start")), window)].append(row)
    if not found:
        return None
    step = window.length / BINS
    return _series({window.since + step * place: measure(found.get(place, [])) for place in range(BINS)})


def _duration(spans: Rows) -> float | None:
    """Median milliseconds; a stretch without spans has none, not zero."""
    known = [float(each) for span in spans if isinstance(each := span.get("duration_ms"), int | float)]
    return median(known) if known else None


def _share_failed(spans: Rows) -> float | None:
    return sum(span.get("status") == "ERROR" for span in spans) / len(spans) if spans else None


def _calls_per_parent(spans: Rows) -> float:
    return len(spans) / max(len({str(span.get("parent_span_id")) for span in spans}), 1)


def _count(spans: Rows) -> float:
    return float(len(spans))


SPAN_MEASURES: Mapping[str, Measure] = {
    "errors": _share_failed,
    "cancelled": _share_failed,
    "calls_per_parent": _calls_per_parent,
    "new": _count,
    "gone": _count,
}
"""What is drawn for each aspect of an operation; the others are about its duration."""


def rows_of(result: JsonValue) -> Rows:
    """Return the rows of a result as records: of a frame's JSON (`tools.answer.frame_json`), a list or one object."""
    if isinstance(result, dict) and isinstance(result.get("columns"), list) and isinstance(result.get("rows"), list):
        names = [str(name) for name in _listed(result["columns"])]
        return [dict(zip(names, _listed(row), strict=False)) for row in _listed(result["rows"])]
    if isinstance(result, dict):
        return [result]
    return [row for row in _listed(result) if isinstance(row, dict)]


def total_rows(result: JsonValue) -> int:
    """Return how many rows there were before a frame was thinned."""
    total = result.get("rows_total") if isinstance(result, dict) else None
    return total if isinstance(total, int) else len(rows_of(result))


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _moment(value: JsonValue) -> datetime | None:
    return as_utc(datetime.fromisoformat(value)) if isinstance(value, str) else None


def _bin(moment: datetime | None, window: TimeWindow) -> int:
    if moment is None:
        return 0
    return max(0, min(BINS - 1, int((moment - window.since) / window.length * BINS)))


def _series(values: Mapping[datetime, float | None]) -> Series | None:
    if not values:
        return None
    moments = sorted(values)
    return Series(times=tuple(moments), values=tuple(values[moment] for moment in moments))
