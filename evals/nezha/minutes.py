"""Reads minute files of a Nezha export: spans and log lines of about the minute before the file's name.

Two minute files may share rows. Spans are told apart by their id, lines by time, pod, span and text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evals.nezha.lines import NO_LINE, read_line
from evals.nezha.rows import Columns, Troubles, read_columns, service_of
from tools.evidence import Source
from tools.moments import NOT_A_TIME, read_moments
from tools.words import clean_name

VERSION = "nezha-minutes-1"
"""Changes whenever this module or `lines` reads anything differently."""

_SPAN_FIELDS = ("TraceID", "SpanID", "ParentID", "PodName", "OperationName", "StartTimeUnixNano", "EndTimeUnixNano")
_LOG_FIELDS = ("TimeUnixNano", "PodName", "TraceID", "SpanID", "Log")
_ROOT = "root"
"""The parent id of a span that has no parent."""
_MAX_DIGITS = 19
_EARLIEST, _LATEST = 10**17, 7 * 10**18
"""1973 and 2191 in nanoseconds. Go's zero time, printed as such a number, overflows and is negative."""


def read_minutes(traces: Sequence[Path], logs: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Frames `spans`, `logs` and `troubles` of a few minute files. Raises OSError when a file cannot be read.

    - spans: start, span_id, trace_id, parent_span_id, service, name, duration_ms
    - logs: timestamp, service, instance, severity, body, trace_id, span_id, place, error

    Sorted by time, without repeats; times are `datetime64[us, UTC]`, span ids and bodies str, other texts categories.
    """
    troubles = Troubles()
    spans = _joined(traces, Source.TRACES, _SPAN_FIELDS, _spans, troubles)
    spans = spans[(spans["span_id"] == "") | ~spans["span_id"].duplicated()]
    lines = _joined(logs, Source.LOGS, _LOG_FIELDS, _lines, troubles)
    lines = lines[~lines.duplicated(["timestamp", "instance", "span_id", "body"])]
    return {
        "spans": _typed(spans, "start", {"span_id"}),
        "logs": _typed(lines, "timestamp", {"span_id", "body"}),
        "troubles": troubles.frame(),
    }


def _joined(
    files: Sequence[Path],
    source: Source,
    needed: Sequence[str],
    made: Callable[[Columns, Troubles], pd.DataFrame],
    troubles: Troubles,
) -> pd.DataFrame:
    """The rows of all files; times are nanoseconds still."""
    empty = made(dict.fromkeys(needed, ()), Troubles())
    found = [made(read_columns(path, source, troubles, needed), troubles) for path in files]
    return pd.concat(found, ignore_index=True) if found else empty


def _typed(frame: pd.DataFrame, time: str, plain: set[str]) -> pd.DataFrame:
    """Sorted by nanoseconds, which then become microseconds; texts that repeat become categories."""
    order = np.argsort(frame[time].to_numpy(dtype=np.int64), kind="stable")
    frame = frame.take(order).reset_index(drop=True)
    for name in frame.columns:
        if name == time:
            frame[name] = pd.to_datetime(frame[name].astype("int64") // 1000, unit="us", utc=True)
        elif name != "duration_ms":
            texts = frame[name].astype("str")
            frame[name] = texts if name in plain else texts.astype("category")
    return frame


def _spans(raw: Columns, troubles: Troubles) -> pd.DataFrame:
    starts, ends = _nanoseconds(raw["StartTimeUnixNano"]), _nanoseconds(raw["EndTimeUnixNano"])
    timed = (starts != NOT_A_TIME) & (ends != NOT_A_TIME)
    troubles.add(Source.TRACES, "a span has no readable start or end and was left out", int((~timed).sum()))
    troubles.add(Source.TRACES, "a span ends before it starts and was left out", int((timed & (ends < starts)).sum()))
    return pd.DataFrame(
        {
            "start": starts,
            "span_id": raw["SpanID"],
            "trace_id": raw["TraceID"],
            "parent_span_id": ["" if parent == _ROOT else parent for parent in raw["ParentID"]],
            "service": _each(raw["PodName"], lambda pod: clean_name(service_of(pod))),
            "name": _each(raw["OperationName"], clean_name),
            "duration_ms": (ends - starts) / 1e6,
        }
    )[timed & (ends >= starts)]


def _lines(raw: Columns, troubles: Troubles) -> pd.DataFrame:
    read = [read_line(text) for text in raw["Log"]]
    lines = [line or NO_LINE for line in read]
    times = _nanoseconds(raw["TimeUnixNano"])
    untimed = np.flatnonzero(times == NOT_A_TIME)
    found = read_moments([lines[place].time for place in untimed]).microseconds
    times[untimed] = np.where(found == NOT_A_TIME, NOT_A_TIME, found * 1000)
    readable = np.array([line is not None for line in read], dtype=np.bool_)
    troubles.add(Source.LOGS, "a line is not the JSON it should be and was left out", int((~readable).sum()))
    troubles.add(
        Source.LOGS,
        "a line has no time of its own; the runtime's was taken",
        int((found != NOT_A_TIME).sum()),
    )
    troubles.add(
        Source.LOGS, "a line has no readable time and was left out", int((readable & (times == NOT_A_TIME)).sum())
    )
    return pd.DataFrame(
        {
            "timestamp": times,
            "service": _each(raw["PodName"], lambda pod: clean_name(service_of(pod))),
            "instance": _each(raw["PodName"], clean_name),
            "severity": [line.severity for line in lines],
            "body": [line.body for line in lines],
            "trace_id": raw["TraceID"],
            "span_id": raw["SpanID"],
            "place": [line.place for line in lines],
            "error": [line.error for line in lines],
        }
    )[readable & (times != NOT_A_TIME)]


def _each(texts: Sequence[str], made: Callable[[str], str]) -> list[str]:
    """What is made of every text, worked out once for each different one."""
    known = {text: made(text) for text in set(texts)}
    return [known[text] for text in texts]


def _nanoseconds(texts: Sequence[str]) -> NDArray[np.int64]:
    """Nanoseconds since 1970, NOT_A_TIME where the text is no such number."""
    found = np.full(len(texts), NOT_A_TIME, dtype=np.int64)
    for place, text in enumerate(texts):
        if len(text) <= _MAX_DIGITS and text.isascii() and text.isdigit():
            found[place] = int(text)
    found[(found < _EARLIEST) | (found > _LATEST)] = NOT_A_TIME
    return found
