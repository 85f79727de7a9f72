from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from evals import rcaeval_files
from evals.cases import CaseError
from evals.rcaeval_files import read_logs, read_spans
from tools.backend import LOG_COLUMNS, SPAN_COLUMNS

T0 = 1_700_000_000
LOG_HEADER = "time,timestamp,container_name,message,level,req_path,error"
SPAN_HEADER = "time,traceID,spanID,serviceName,methodName,operationName,startTimeMillis,startTime,duration,statusCode,parentSpanID"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "export.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def span(second: int, trace: str = "t", number: str = "1", status: str = "0.0", duration: str = "1500") -> str:
    at = T0 + second
    return f"{at},{trace},{number},cart,Get,shop.Cart/Get,{at}000,{at}000250,{duration},{status},"


def test_lines_keep_nanoseconds_as_far_as_frames_do_and_what_else_was_told(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        LOG_HEADER,
        f'x,{T0 + 1}000001999,cart,"late, and quoted",error,/cart,timeout',
        f"x,{T0}000000000,,early,,,",
    )
    frame, notes = read_logs(path, "1/logs.csv")
    assert tuple(frame.columns) == LOG_COLUMNS
    assert [str(kind) for kind in frame.dtypes] == ["datetime64[us, UTC]", *["str"] * 6, "object"]
    assert frame["timestamp"].tolist() == [
        pd.Timestamp(T0, unit="s", tz="UTC"),
        pd.Timestamp(T0 + 1, unit="s", tz="UTC") + pd.Timedelta(microseconds=1),
    ]
    assert frame["body"].tolist() == ["early", "late, and quoted"]
    assert frame["service"].tolist() == ["unknown_service", "cart"]
    assert frame["severity"].tolist() == ["INFO", "ERROR"]
    assert frame["attributes"].tolist() == [{}, {"req_path": "/cart", "error": "timeout"}]
    assert notes == ()


def test_lines_without_a_time_are_left_out_and_counted(tmp_path: Path) -> None:
    path = written(tmp_path, "time,container,message", "never,cart,lost", f"{T0},cart,kept")
    frame, notes = read_logs(path, "told-by-the-folder/logs.csv")
    assert frame["body"].tolist() == ["kept"]
    assert notes == ("logs.csv: 1 rows without a readable time or duration were left out",)


def test_spans_are_in_microseconds(tmp_path: Path) -> None:
    frame, notes = read_spans(written(tmp_path, SPAN_HEADER, span(1), span(0)), "1/traces.csv")
    assert tuple(frame.columns) == SPAN_COLUMNS
    assert str(frame["start"].dtype) == "datetime64[us, UTC]"
    assert frame["start"].iloc[0] == pd.Timestamp(T0, unit="s", tz="UTC") + pd.Timedelta(microseconds=250)
    assert frame["duration_ms"].tolist() == [1.5, 1.5]
    assert frame["name"].tolist() == ["shop.Cart/Get"] * 2
    assert frame["parent_span_id"].tolist() == ["", ""]
    assert frame["attributes"].tolist() == [{"methodName": "Get"}] * 2
    assert notes == ()


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("0.0", "OK"),
        ("1", ""),
        ("2", "ERROR"),
        ("14.0", "ERROR"),
        ("17", ""),
        ("200.0", "OK"),
        ("503", "ERROR"),
        ("", ""),
    ],
)
def test_statuses_of_grpc_http_and_opentelemetry(tmp_path: Path, told: str, status: str) -> None:
    frame, _ = read_spans(written(tmp_path, SPAN_HEADER, span(0, status=told)), "traces.csv")
    assert frame["status"].tolist() == [status]


@pytest.mark.parametrize("duration", ["", "-1", "long", "inf"])
def test_spans_without_a_usable_duration_are_left_out(tmp_path: Path, duration: str) -> None:
    frame, notes = read_spans(written(tmp_path, SPAN_HEADER, span(0), span(1, duration=duration)), "traces.csv")
    assert len(frame) == 1
    assert notes == ("traces.csv: 1 rows without a readable time or duration were left out",)


def test_no_row_is_an_empty_frame_of_the_same_types(tmp_path: Path) -> None:
    full, _ = read_spans(written(tmp_path, SPAN_HEADER, span(0)), "traces.csv")
    empty, _ = read_spans(written(tmp_path, SPAN_HEADER), "traces.csv")
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_too_many_spans_are_thinned_in_whole_traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rcaeval_files, "MAX_ROWS", 40)
    spans = [span(number, trace=f"t{number}", number=part) for number in range(30) for part in ("1", "2")]
    frame, (note,) = read_spans(written(tmp_path, SPAN_HEADER, *spans), "traces.csv")
    assert 0 < len(frame) <= 40
    assert set(frame["trace_id"].value_counts()) == {2}
    assert note == f"traces.csv: {len(frame)} of 60 rows were kept"


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        CaseError, match=r"^1/logs\.csv: has no column 'message'; its columns are time, container_name$"
    ):
        read_logs(written(tmp_path, "time,container_name", f"{T0},cart"), "1/logs.csv")
    with pytest.raises(CaseError, match=r"^1/traces\.csv: has no column 'duration'; its columns are "):
        read_spans(written(tmp_path, SPAN_HEADER.replace("duration", "took"), span(0)), "1/traces.csv")


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    (tmp_path / "export.csv").touch()
    with pytest.raises(CaseError, match=r"^logs\.csv: is empty$"):
        read_logs(tmp_path / "export.csv", "logs.csv")
    with pytest.raises(CaseError, match=r"^logs\.csv: cannot be read \(.*line 3.*\)$"):
        read_logs(written(tmp_path, "time,container,message", f"{T0},a,b", f"{T0},a,b,c"), "logs.csv")
