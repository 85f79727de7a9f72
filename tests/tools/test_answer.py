from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pandas as pd

from tests.tools.recording_files import START
from tools.answer import MAX_CELL, MAX_ROWS, frame_json, json_cell, rounded


def test_a_frame_as_json() -> None:
    frame = pd.DataFrame(
        {
            "timestamp": pd.to_datetime([START, START + timedelta(milliseconds=5)], utc=True),
            "value": [1.23456789, 12345678.9],
            "count": [1, 2],
            "attributes": [{"a": "b"}, {}],
        }
    )
    assert frame_json(frame) == {
        "columns": ["timestamp", "value", "count", "attributes"],
        "rows": [
            ["2026-03-02T10:00:00Z", 1.23457, 1, {"a": "b"}],
            ["2026-03-02T10:00:00.005000Z", 12345700.0, 2, {}],
        ],
        "rows_total": 2,
    }


def test_long_frames_are_thinned_evenly_and_say_so() -> None:
    result = frame_json(pd.DataFrame({"value": np.arange(50_000.0)}))
    assert isinstance(result, dict)
    assert result["rows_total"] == 50_000
    rows = result["rows"]
    assert isinstance(rows, list)
    assert len(rows) == MAX_ROWS
    values = [row[0] for row in rows if isinstance(row, list)]
    assert values[0] == 0.0
    assert values[-1] == 49_999.0
    steps = np.diff(np.array(values, dtype=float))
    assert steps.min() >= 24
    assert steps.max() <= 26


def test_an_empty_frame_keeps_its_columns() -> None:
    assert frame_json(pd.DataFrame({"a": [], "b": []})) == {"columns": ["a", "b"], "rows": [], "rows_total": 0}


def test_cells_are_json() -> None:
    cells = [float("nan"), float("inf"), None, True, "x" * (MAX_CELL + 1), START, {"k": 1.0000004}]
    told = [json_cell(cell) for cell in cells]
    assert told[:4] == [None, None, None, True]
    assert told[4] == "x" * MAX_CELL + "… (+1 characters)"
    assert told[5:] == ["2026-03-02T10:00:00Z", {"k": 1.0}]
    json.dumps(told, allow_nan=False)


def test_six_significant_digits() -> None:
    assert [rounded(value) for value in (0.1 + 0.2, 1e-9 / 3, 123456789.0, -0.0)] == [
        0.3,
        3.33333e-10,
        123457000.0,
        0.0,
    ]
