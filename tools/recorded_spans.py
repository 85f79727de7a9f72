"""Reads `traces.ndjson`: one span per line, with OpenTelemetry's names."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.backend import SPAN_COLUMNS
from tools.evidence import JsonObject
from tools.moments import NOT_A_TIME, read_moments
from tools.numbered import Numbered, with_times
from tools.reading import Part, records
from tools.record_split import RecordSplit
from tools.sample import Sample, group_keys
from tools.words import SPAN_KEYS, span_kind, span_status

MAX_SPANS = 1_000_000
"""About 1 GB of frame. Of a larger file every second, fourth, ... trace is kept, each one whole."""
_BATCH_LINES = 10_000
_MILLISECONDS = {"duration_ms": 1.0, "duration_us": 1e-3, "duration_ns": 1e-6, "duration": 1.0}
"""Factors to milliseconds of the columns a duration may stand in."""


def read_spans(part: Part) -> pd.DataFrame | None:
    """Spans as `tools.backend` lists them, sorted by start; None, with a note, when there is none.

    A span without a duration of its own gets it from its end. Spans whose parent is missing, or that are their own
    ancestor, stay as they are.
    """
    split = RecordSplit(SPAN_KEYS, SPAN_COLUMNS)
    sample = Sample(MAX_SPANS)
    lines = records(part)
    while batch := list(islice(lines, _BATCH_LINES)):
        frame = _frame(part, split, batch)
        sample.add(frame, group_keys(frame["trace_id"]))
    frame = sample.frame()
    if frame is None:
        part.note("holds no usable span")
        return None
    if sample.kept < sample.offered:
        part.note(f"{sample.kept} of {sample.offered} spans were kept, in whole traces")
    order = np.argsort(frame["start"].to_numpy(), kind="stable")
    frame = with_times(frame, order, "start")[list(SPAN_COLUMNS)]
    return _without_repeats(part, frame)


def _frame(part: Part, split: RecordSplit, batch: list[tuple[int, JsonObject]]) -> pd.DataFrame:
    rows = [split(record) for _, record in batch]
    raw = dict(zip(SPAN_KEYS, zip(*(values for values, _ in rows), strict=True), strict=True))
    numbered = Numbered(part, "line", np.array([number for number, _ in batch], dtype=np.int64))
    starts = numbered.times(raw["start"], "start")
    durations = _durations(numbered, raw, starts)
    kinds = {word: span_kind(word) for word in set(raw["kind"])}
    statuses = {word: span_status(word) for word in set(raw["status"])}
    data: dict[str, object] = {
        name: pd.Series(numbered.names(raw[name]), dtype="str")
        for name in ("trace_id", "span_id", "parent_span_id", "name")
    }
    data |= {
        "service": pd.Series(numbered.services(raw["service"]), dtype="str"),
        "kind": pd.Series([kinds[word] for word in raw["kind"]], dtype="str"),
        "start": starts,
        "duration_ms": durations,
        "status": pd.Series([statuses[word] for word in raw["status"]], dtype="str"),
        "attributes": pd.Series([attributes for _, attributes in rows], dtype="object"),
    }
    frame = pd.DataFrame(data)
    return frame[(starts != NOT_A_TIME) & np.isfinite(durations)]


def _durations(
    numbered: Numbered, raw: dict[str, tuple[object, ...]], starts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Milliseconds, NaN where neither a duration nor an end tells; those are noted."""
    given = [_first(values) for values in zip(*(raw[column] for column in _MILLISECONDS), strict=True)]
    found = np.array([_number(value) * factor for value, factor in given], dtype=np.float64)
    if any(end is not None for end in raw["end"]):
        ends = read_moments(raw["end"]).microseconds
        silent = np.array([value is None for value, _ in given], dtype=np.bool_)
        use = silent & (ends != NOT_A_TIME) & (starts != NOT_A_TIME)
        found[use] = (ends[use] - starts[use]) / 1000.0
    shown = [value for value, _ in given]
    unitless = np.array([value is not None for value in raw["duration"]], dtype=np.bool_)
    numbered.note("a duration without a unit was read as milliseconds", unitless, "duration", shown)
    numbered.note("a span without a usable duration was left out", ~np.isfinite(found), "duration_ms", shown)
    numbered.note("a span with a negative duration was left out", found < 0, "duration_ms", shown)
    return np.where(found < 0, np.nan, found)


def _first(values: tuple[object, ...]) -> tuple[object, float]:
    """The first duration that is given, with what it takes to make milliseconds of it."""
    for value, factor in zip(values, _MILLISECONDS.values(), strict=True):
        if value is not None:
            return value, factor
    return None, 1.0


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return np.nan
    try:
        return float(value)
    except ValueError:
        return np.nan


def _without_repeats(part: Part, frame: pd.DataFrame) -> pd.DataFrame:
    """Drop spans that were exported twice; note shared ids and missing parents, which stay as they are."""
    shared = frame.duplicated(["trace_id", "span_id"], keep=False) & (frame["span_id"] != "")
    repeated = pd.Series(data=False, index=frame.index)
    repeated[shared] = frame[shared].duplicated([*SPAN_COLUMNS[:-1]])
    part.note("a span was there again; the first one stays", count=int(repeated.sum()))
    frame = frame[~repeated].reset_index(drop=True)
    still = frame.duplicated(["trace_id", "span_id"], keep=False) & (frame["span_id"] != "")
    part.note("a span shares its id with another one; both stay", count=int(still.sum()))
    orphan = (frame["parent_span_id"] != "") & ~frame["parent_span_id"].isin(frame["span_id"])
    part.note("a span names a parent that is not recorded", count=int(orphan.sum()))
    return frame
