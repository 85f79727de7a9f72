"""Reads `logs.ndjson`: one JSON object per line; keys that are no column become attributes."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pandas as pd

from tools.attributes import scalar_text
from tools.backend import LOG_COLUMNS
from tools.evidence import JsonObject
from tools.moments import NOT_A_TIME
from tools.numbered import Numbered, with_times
from tools.reading import Part, records
from tools.record_split import RecordSplit
from tools.sample import Sample, row_keys
from tools.words import LOG_KEYS, MAX_TEXT, severity

MAX_LOG_LINES = 1_000_000
"""About 1 GB of frame. Of a longer file an even sample over the whole file is kept, so that rates stay comparable."""
_BATCH_LINES = 10_000


def read_logs(part: Part) -> pd.DataFrame | None:
    """Log lines as `tools.backend` lists them, sorted by time; None, with a note, when there is none."""
    split = RecordSplit(LOG_KEYS, LOG_COLUMNS)
    sample = Sample(MAX_LOG_LINES)
    lines = records(part)
    while batch := list(islice(lines, _BATCH_LINES)):
        frame = _frame(part, split, batch)
        sample.add(frame, row_keys(sample.offered, len(frame)))
    frame = sample.frame()
    if frame is None:
        part.note("holds no usable line")
        return None
    if sample.kept < sample.offered:
        part.note(f"{sample.kept} of {sample.offered} lines were kept, evenly over the file")
    order = np.argsort(frame["timestamp"].to_numpy(), kind="stable")
    return with_times(frame, order, "timestamp")[list(LOG_COLUMNS)]


def _frame(part: Part, split: RecordSplit, batch: list[tuple[int, JsonObject]]) -> pd.DataFrame:
    rows = [split(record) for _, record in batch]
    raw = dict(zip(LOG_KEYS, zip(*(values for values, _ in rows), strict=True), strict=True))
    numbered = Numbered(part, "line", np.array([number for number, _ in batch], dtype=np.int64))
    times = numbered.times(raw["timestamp"])
    bodies = [scalar_text(body) for body in raw["body"]]
    lengths = np.fromiter((len(body) for body in bodies), dtype=np.int64, count=len(bodies))
    numbered.note("a line has no body", lengths == 0)
    numbered.note(f"a body was cut after {MAX_TEXT} characters", lengths > MAX_TEXT)
    words = {word: severity(word) for word in set(raw["severity"])}
    frame = pd.DataFrame(
        {
            "timestamp": times,
            "service": pd.Series(numbered.services(raw["service"]), dtype="str"),
            "instance": pd.Series(numbered.names(raw["instance"]), dtype="str"),
            "severity": pd.Series([words[word] for word in raw["severity"]], dtype="str"),
            "body": pd.Series(bodies, dtype="str"),
            "trace_id": pd.Series(numbered.names(raw["trace_id"]), dtype="str"),
            "span_id": pd.Series(numbered.names(raw["span_id"]), dtype="str"),
            "attributes": pd.Series([attributes for _, attributes in rows], dtype="object"),
        }
    )
    return frame[times != NOT_A_TIME]
