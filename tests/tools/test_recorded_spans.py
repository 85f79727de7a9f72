from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tools.recorded_spans
from tests.tools.recording_files import at, span
from tools.backend import SPAN_COLUMNS
from tools.evidence import Source
from tools.reading import Notes, Part
from tools.recorded_spans import read_spans


def read(tmp_path: Path, spans: list[dict[str, Any]] | bytes) -> tuple[pd.DataFrame | None, list[str]]:
    path = tmp_path / "traces.ndjson"
    path.write_bytes(spans if isinstance(spans, bytes) else "".join(json.dumps(each) + "\n" for each in spans).encode())
    part = Part(Source.TRACES, path, Notes())
    frame = read_spans(part)
    return frame, [text for _, text in part.notes.lines()]


def kept(tmp_path: Path, spans: list[dict[str, Any]] | bytes) -> tuple[pd.DataFrame, list[str]]:
    frame, notes = read(tmp_path, spans)
    assert frame is not None
    return frame, notes


def test_columns_types_and_order(tmp_path: Path) -> None:
    spans = [
        span(1, "b", "reserve", 5, "s2", parent_span_id="s1", kind="SPAN_KIND_CLIENT", status="error", zone="a"),
        span(0, "a", "POST /", 10, "s1", parent_span_id=None, attributes={"http": {"route": "/"}}),
    ]
    frame, notes = kept(tmp_path, spans)
    assert list(frame.columns) == list(SPAN_COLUMNS)
    assert [str(kind) for kind in frame.dtypes] == [*["str"] * 6, "datetime64[us, UTC]", "float64", "str", "object"]
    assert frame["span_id"].tolist() == ["s1", "s2"]
    assert frame["parent_span_id"].tolist() == ["", "s1"]
    assert frame["kind"].tolist() == ["server", "client"]
    assert frame["status"].tolist() == ["OK", "ERROR"]
    assert frame["attributes"].tolist() == [{"http.route": "/"}, {"zone": "a"}]
    assert notes == []


def test_the_names_of_other_exports_and_a_list(tmp_path: Path) -> None:
    record = {
        "traceId": "t",
        "spanId": "s",
        "parentSpanId": "",
        "operationName": "GET /",
        "startTimeUnixNano": 1772445600000000000,
        "endTimeUnixNano": 1772445600250000000,
        "status": {"code": 2},
        "resource": {"service.name": "shop"},
    }
    frame, notes = kept(tmp_path, json.dumps([record]).encode())
    row = frame.iloc[0]
    assert (row["service"], row["name"], row["duration_ms"], row["status"]) == ("shop", "GET /", 250.0, "ERROR")
    assert notes == []


@pytest.mark.parametrize(("key", "value"), [("duration_ms", "2.5"), ("duration_us", 2500), ("duration_ns", 2_500_000)])
def test_units_of_durations(tmp_path: Path, key: str, value: object) -> None:
    record = span(0, "a", "x", 0, "s") | {key: value}
    if key != "duration_ms":
        del record["duration_ms"]
    assert kept(tmp_path, [record])[0]["duration_ms"].tolist() == [2.5]


def test_a_duration_without_a_unit_is_milliseconds_and_said_to_be(tmp_path: Path) -> None:
    record = {key: value for key, value in span(0, "a", "x", 0, "s").items() if key != "duration_ms"} | {"duration": 7}
    frame, notes = kept(tmp_path, [record])
    assert frame["duration_ms"].tolist() == [7.0]
    assert notes == ["traces.ndjson: a duration without a unit was read as milliseconds (line 1: duration='7')"]


def test_durations_that_are_none_cost_the_span(tmp_path: Path) -> None:
    values: list[Any] = [1, -5, "slow", None, float("nan"), True, -0.5, 0]
    frame, notes = kept(tmp_path, [span(k, "a", "x", value, f"s{k}") for k, value in enumerate(values)])
    assert frame["duration_ms"].tolist() == [1.0, 0.0]
    assert notes == [
        "traces.ndjson: a span without a usable duration was left out, 4 times, first line 3: duration_ms='slow'",
        "traces.ndjson: a span with a negative duration was left out, 2 times, first line 2: duration_ms='-5'",
    ]


def test_a_span_that_ends_before_it_starts_is_left_out(tmp_path: Path) -> None:
    record = {key: value for key, value in span(1, "a", "x", 0, "s").items() if key != "duration_ms"} | {"end": at(0)}
    frame, notes = read(tmp_path, [record, record | {"start": "never"}])
    assert frame is None
    assert any("negative duration" in note for note in notes)
    assert any("readable time" in note for note in notes)


def test_exported_twice_shared_ids_missing_and_cyclic_parents(tmp_path: Path) -> None:
    spans = [
        span(0, "a", "x", 1, "s1"),
        span(0, "a", "x", 1, "s1"),
        span(0, "b", "x", 1, "s1", kind="client"),
        span(1, "a", "y", 1, "s2", parent_span_id="gone"),
        span(2, "a", "z", 1, "s3", parent_span_id="s4"),
        span(3, "a", "z", 1, "s4", parent_span_id="s3"),
        span(4, "a", "z", 1, "s5", parent_span_id="s5"),
        span(5, "a", "no id", 1, ""),
        span(5, "a", "no id", 1, ""),
    ]
    frame, notes = kept(tmp_path, spans)
    assert frame["span_id"].tolist() == ["s1", "s1", "s2", "s3", "s4", "s5", "", ""]
    assert notes == [
        "traces.ndjson: a span was there again; the first one stays",
        "traces.ndjson: a span shares its id with another one; both stay, 2 times",
        "traces.ndjson: a span names a parent that is not recorded",
    ]


def test_too_many_spans_are_thinned_in_whole_traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.recorded_spans, "MAX_SPANS", 400)
    monkeypatch.setattr(tools.recorded_spans, "_BATCH_LINES", 97)
    spans = [span(k / 60, "a", "x", 1, f"s{k}", trace_id=f"t{k // 4}") for k in range(2_000)]
    frame, notes = kept(tmp_path, spans)
    assert 100 < len(frame) <= 400
    assert set(frame["trace_id"].value_counts()) == {4}
    assert f"traces.ndjson: {len(frame)} of 2000 spans were kept, in whole traces" in notes
