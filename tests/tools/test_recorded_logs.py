from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tools.recorded_logs
from tests.tools.recording_files import at, log
from tools.backend import LOG_COLUMNS
from tools.evidence import Source
from tools.reading import Notes, Part
from tools.recorded_logs import read_logs
from tools.words import MAX_TEXT


def read(tmp_path: Path, lines: list[dict[str, Any]] | bytes) -> tuple[pd.DataFrame | None, list[str]]:
    path = tmp_path / "logs.ndjson"
    path.write_bytes(lines if isinstance(lines, bytes) else "".join(json.dumps(line) + "\n" for line in lines).encode())
    part = Part(Source.LOGS, path, Notes())
    frame = read_logs(part)
    return frame, [text for _, text in part.notes.lines()]


def kept(tmp_path: Path, lines: list[dict[str, Any]] | bytes) -> tuple[pd.DataFrame, list[str]]:
    frame, notes = read(tmp_path, lines)
    assert frame is not None
    return frame, notes


def test_columns_types_and_order(tmp_path: Path) -> None:
    lines = [log(2, "b", "second", "warn", zone="a"), log(1, "a", "first", "err", trace_id="t", span_id="s")]
    frame, notes = kept(tmp_path, lines)
    assert list(frame.columns) == list(LOG_COLUMNS)
    assert [str(kind) for kind in frame.dtypes] == ["datetime64[us, UTC]", *["str"] * 6, "object"]
    assert frame["body"].tolist() == ["first", "second"]
    assert frame["severity"].tolist() == ["ERROR", "WARN"]
    assert frame["attributes"].tolist() == [{}, {"zone": "a"}]
    assert frame["trace_id"].tolist() == ["t", ""]
    assert notes == []


@pytest.mark.parametrize(
    "record",
    [
        {"@timestamp": at(0), "service.name": "shop", "log.level": "error", "message": "boom", "host.name": "h1"},
        {"@timestamp": at(0), "service": {"name": "shop"}, "log": {"level": "error"}, "message": "boom", "host": "h1"},
        {
            "timeUnixNano": "1772445600000000000",
            "severityNumber": 17,
            "body": {"stringValue": "boom"},
            "resource": {"service.name": "shop"},
            "pod": "h1",
        },
        {"time": 1772445600, "app": "shop", "level": 50, "msg": "boom", "hostname": "h1"},
    ],
)
def test_the_names_of_other_exports(tmp_path: Path, record: dict[str, Any]) -> None:
    frame, notes = kept(tmp_path, [record])
    row = frame.iloc[0]
    assert (row["service"], row["instance"], row["severity"], row["body"]) == ("shop", "h1", "ERROR", "boom")
    assert row["timestamp"] == pd.Timestamp("2026-03-02T10:00:00Z")
    assert row["attributes"] == {}
    assert notes == []


def test_repeated_lines_stay_and_keep_their_order(tmp_path: Path) -> None:
    frame, _ = kept(tmp_path, [log(0, "a", "x"), log(0, "a", "y"), log(0, "a", "x")])
    assert frame["body"].tolist() == ["x", "y", "x"]


def test_troubles_are_counted_and_the_lines_around_them_stay(tmp_path: Path) -> None:
    good = [json.dumps(log(k, "a", f"line {k}")).encode() for k in range(4)]
    bad = [b'{"timestamp": ', b"\xff\xfe\x00", b"[1]", b'{"timestamp": "soon", "service": "a", "body": "x"}', b"\r"]
    frame, notes = kept(tmp_path, b"\n".join([good[0], bad[0], good[1], bad[1], bad[2], good[2], *bad[3:], good[3]]))
    assert frame["body"].tolist() == [f"line {k}" for k in range(4)]
    assert notes == [
        "logs.ndjson: what is not a JSON object was left out, 3 times, first line 2 is not JSON: "
        "unexpected end of data at character 14: '{\"timestamp\": '",
        "logs.ndjson: a line without a readable time was left out (line 7: timestamp='soon')",
    ]


def test_a_last_line_that_was_cut_off(tmp_path: Path) -> None:
    whole = json.dumps(log(0, "a", "kept")).encode()
    frame, notes = kept(tmp_path, whole + b"\n" + whole[:30])
    assert len(frame) == 1
    assert "line 2 is not JSON" in notes[0]


def test_services_are_names_not_paths(tmp_path: Path) -> None:
    frame, notes = kept(tmp_path, [log(0, "../../x\x1b[2J\n", "a"), log(1, "", "b"), log(2, "s" * 999, "c")])
    assert frame["service"].tolist() == ["../../x", "unknown_service", "s" * 200]
    assert notes == ["logs.ndjson: a line without a service was filed under unknown_service (line 2)"]


def test_long_bodies_are_cut_and_empty_ones_noted(tmp_path: Path) -> None:
    frame, notes = kept(tmp_path, [log(0, "a", "x" * (MAX_TEXT + 10)), log(1, "a", "")])
    assert frame["body"][0] == "x" * MAX_TEXT + "… (+10 characters)"
    assert notes == [
        "logs.ndjson: a line has no body (line 2)",
        f"logs.ndjson: a body was cut after {MAX_TEXT} characters (line 1)",
    ]


def test_too_many_lines_are_thinned_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.recorded_logs, "MAX_LOG_LINES", 1_000)
    monkeypatch.setattr(tools.recorded_logs, "_BATCH_LINES", 300)
    lines = [log(k / 60, "a", "start" if k % 2 else "end") for k in range(7_000)]
    frame, notes = kept(tmp_path, lines)
    assert 500 <= len(frame) <= 1_000
    assert abs((frame["body"] == "start").mean() - 0.5) < 0.02
    quarters = pd.cut(frame["timestamp"].astype("int64"), 4).value_counts()
    assert quarters.min() > 0.9 * quarters.max()
    assert notes == [f"logs.ndjson: {len(frame)} of 7000 lines were kept, evenly over the file"]


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"\x00" * 100, b"[]", b"plain text\n", b'{"a": 1}\n'])
def test_a_file_without_lines_is_none_and_a_note(tmp_path: Path, content: bytes) -> None:
    frame, notes = read(tmp_path, content)
    assert frame is None
    assert notes[-1] == "logs.ndjson: holds no usable line"
