"""What a read tool hands back: evidence, the JSON result that its digest is made of, and the frame behind it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import pandas as pd
from pydantic import JsonValue

from tools.evidence import Evidence, Query, Source, TimeWindow, canonical_json
from tools.moments import iso, iso_texts

MAX_ROWS = 2_000
"""Rows of a frame that a result holds, enough to draw any series; the frame itself stays whole."""
MAX_CELL = 2_000
"""Characters of one text in a result; a frame and a single change keep more."""
_TIME = "datetime64[us, UTC]"


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer of a read tool. Secrets are masked in all three parts."""

    evidence: Evidence
    text: str
    """The result as canonical JSON: what the evidence's digest is made of, and what is stored."""
    frame: pd.DataFrame | None = None
    """All rows, with the columns that `tools.backend` lists; None where the answer is no frame."""

    @cached_property
    def result(self) -> JsonValue:
        """The result as a value."""
        return json.loads(self.text)


def frame_answer(source: Source, query: Query, window: TimeWindow, summary: str, frame: pd.DataFrame) -> Answer:
    """An answer whose result is the frame, thinned evenly to MAX_ROWS; `rows_total` says how many there are."""
    text = canonical_json(frame_json(frame))
    return Answer(Evidence.of_text(source, query, window, summary, text), text, frame)


def value_answer(source: Source, query: Query, window: TimeWindow, summary: str, result: JsonValue) -> Answer:
    """An answer that is a JSON value and no frame."""
    text = canonical_json(result)
    return Answer(Evidence.of_text(source, query, window, summary, text), text)


def frame_json(frame: pd.DataFrame) -> JsonValue:
    """`{"columns", "rows", "rows_total"}`: times as ISO with Z, floats to six significant digits, long texts cut."""
    total = len(frame)
    if total > MAX_ROWS:
        frame = frame.iloc[np.linspace(0, total - 1, MAX_ROWS).round().astype(np.intp)]
    columns = [_cells(frame[name]) for name in frame.columns]
    rows: list[JsonValue] = [list(row) for row in zip(*columns, strict=True)]
    return {"columns": [str(name) for name in frame.columns], "rows": rows, "rows_total": total}


def _cells(column: pd.Series) -> Sequence[JsonValue]:
    """Every cell of a column as JSON, each distinct text and dictionary looked at once."""
    if str(column.dtype) == _TIME and not column.hasnans:
        return iso_texts(column)
    cells = column.tolist()
    if column.dtype == np.float64:
        return [rounded(cell) for cell in cells]
    known = {id(cell): cell for cell in cells}
    told = {at: json_cell(cell) for at, cell in known.items()}
    return [told[id(cell)] for cell in cells]


def json_cell(value: object) -> JsonValue:
    """One cell of a frame as JSON."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, str):
        return value if len(value) <= MAX_CELL else f"{value[:MAX_CELL]}… (+{len(value) - MAX_CELL} characters)"
    if isinstance(value, dict):
        return {str(key): json_cell(item) for key, item in value.items()}
    return value if isinstance(value, bool | int) or value is None else str(value)


def rounded(value: float) -> float | None:
    """Six significant digits, None for what JSON has no number for."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
