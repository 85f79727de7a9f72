from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import tools.recorded_metrics
from tests.tools.recording_files import at
from tools.backend import METRIC_COLUMNS
from tools.evidence import Source
from tools.reading import Notes, Part
from tools.recorded_metrics import read_metrics

HEADER = "timestamp,service,metric,value\n"


def read(tmp_path: Path, content: str | bytes) -> tuple[pd.DataFrame | None, list[str]]:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    part = Part(Source.METRICS, path, Notes())
    frame = read_metrics(part)
    return frame, [text for _, text in part.notes.lines()]


def kept(tmp_path: Path, content: str | bytes) -> tuple[pd.DataFrame, list[str]]:
    frame, notes = read(tmp_path, content)
    assert frame is not None
    return frame, notes


def test_columns_types_and_order(tmp_path: Path) -> None:
    frame, notes = kept(tmp_path, HEADER + f"{at(2)},b,cpu,1\n{at(1)},a,cpu,2\n{at(1)},a,ram,3e2\n")
    assert list(frame.columns) == list(METRIC_COLUMNS)
    assert [str(kind) for kind in frame.dtypes] == ["datetime64[us, UTC]", "str", "str", "str", "float64", "str"]
    assert frame["value"].tolist() == [2.0, 300.0, 1.0]
    assert frame["instance"].tolist() == frame["unit"].tolist() == [""] * 3
    assert notes == []


@pytest.mark.parametrize(
    "header",
    ["@timestamp,service.name,metric_name,val", "Time;Service;Metric;Value", "\ufefftimestamp\tservice\tname\tvalue"],
)
def test_other_headers_and_delimiters(tmp_path: Path, header: str) -> None:
    mark = next(mark for mark in ",;\t" if mark in header)
    frame, notes = kept(tmp_path, f"{header}\r\n{mark.join((at(0), 'a', 'cpu', '1.5'))}\r\n")
    assert frame["service"].tolist() == ["a"]
    assert frame["value"].tolist() == [1.5]
    assert notes == []


def test_extra_columns_are_ignored_and_quotes_are_understood(tmp_path: Path) -> None:
    rows = f'zone,{HEADER}x,{at(0)},a,"requests{{code=""5xx"",path=""/a,b""}}",7\n'
    frame, _ = kept(tmp_path, rows)
    assert frame["metric"].tolist() == ['requests{code="5xx",path="/a,b"}']


def test_values_that_are_no_finite_numbers_are_dropped_counted_and_shown(tmp_path: Path) -> None:
    values = ["1", "NaN", "inf", "-Infinity", "n/a", "", "2"]
    frame, notes = kept(tmp_path, HEADER + "".join(f"{at(k)},a,cpu,{value}\n" for k, value in enumerate(values)))
    assert frame["value"].tolist() == [1.0, 2.0]
    assert notes == [
        "metrics.csv: a value is not a number, its sample was left out, 2 times, first row 6: value='n/a'",
        "metrics.csv: a value is NaN or infinite, its sample was left out, 3 times, first row 3: value='NaN'",
    ]


def test_of_exact_duplicates_the_last_stays(tmp_path: Path) -> None:
    rows = "".join(
        f"{at(0)},a,{metric},{value}\n" for metric, value in (("cpu", 1), ("ram", 5), ("cpu", 2), ("cpu", 3))
    )
    frame, notes = kept(tmp_path, HEADER + rows)
    assert dict(zip(frame["metric"], frame["value"], strict=True)) == {"cpu": 3.0, "ram": 5.0}
    assert notes == ["metrics.csv: a sample was there again; the last one stays, 2 times"]


def test_the_same_time_of_two_instances_is_no_duplicate(tmp_path: Path) -> None:
    rows = "timestamp,service,instance,metric,value\n" + "".join(f"{at(0)},a,pod-{k},cpu,{k}\n" for k in range(3))
    assert len(kept(tmp_path, rows)[0]) == 3


def test_times_of_all_kinds(tmp_path: Path) -> None:
    raw = ["2026-03-02T10:00:00Z", "2026-03-02T12:00:01+02:00", "2026-03-02 10:00:02", "1772445603", "1772445604000"]
    raw += ["1772445605000000000", "yesterday", "", "now"]
    frame, notes = kept(tmp_path, HEADER + "".join(f"{time},a,cpu,{k}\n" for k, time in enumerate(raw)))
    assert frame["value"].tolist() == [0, 1, 2, 3, 4, 5]
    assert frame["timestamp"].dt.second.tolist() == [0, 1, 2, 3, 4, 5]
    assert notes == [
        "metrics.csv: a time without a zone was read as UTC (row 4: timestamp='2026-03-02 10:00:02')",
        "metrics.csv: a row without a readable time was left out, 3 times, first row 8: timestamp='yesterday'",
    ]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("", "metrics.csv: is empty"),
        ("\n\n", "metrics.csv: is empty"),
        (HEADER, "metrics.csv: holds no usable sample"),
        (
            "timestamp,service,value\n",
            "metrics.csv: has no column 'metric' (its columns are 'timestamp, service, value')",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "metrics.csv: has no column 'timestamp' (its columns are '\ufffdPNG')"),
        (b"PK\x03\x04\0\0", "metrics.csv: is binary, not CSV"),
        (
            "timestamp," + "x" * 140_000,
            "metrics.csv: its header cannot be read (field larger than field limit (131072))",
        ),
        ("[1, 2]", "metrics.csv: has no column 'timestamp' (its columns are '[1,  2]')"),
    ],
)
def test_a_file_without_samples_says_why(tmp_path: Path, content: str | bytes, note: str) -> None:
    frame, notes = read(tmp_path, content)
    assert frame is None
    assert note in notes


def test_rows_that_do_not_line_up(tmp_path: Path) -> None:
    rows = f"{at(0)},a,cpu,1,,\n{at(1)},a,requests,total,5\n{at(2)},a\n{at(3)},a,cpu,4\n"
    frame, notes = kept(tmp_path, HEADER + rows)
    assert frame["value"].tolist() == [1.0, 4.0]
    assert notes[0] == (
        "metrics.csv: a row has more fields than the header and was left out (row 3: 5 fields, the header has 4)"
    )


def test_a_quote_that_never_closes_costs_one_row_not_the_file(tmp_path: Path) -> None:
    rows = f'{at(0)},a,cpu,1\n{at(1)},"a,cpu,2\n' + "".join(f"{at(k)},a,cpu,{k}\n" for k in range(2, 8_000))
    frame, notes = kept(tmp_path, HEADER + rows)
    assert len(frame) > 2_000
    assert notes[0].startswith("metrics.csv: a row cannot be read and was left out (field larger than field limit")


def test_names_are_cleaned(tmp_path: Path) -> None:
    frame, notes = kept(
        tmp_path, HEADER + f"{at(0)},../../etc\x1b[31m,cpu,1\n{at(1)},,cpu,2\n{at(2)},a,,3\n".replace("\r", "")
    )
    assert frame["service"].tolist() == ["../../etc", "unknown_service"]
    assert notes == [
        "metrics.csv: a row without a service was filed under unknown_service (row 3)",
        "metrics.csv: a sample without a metric name was left out (row 4)",
    ]


def test_foreign_bytes_are_replaced(tmp_path: Path) -> None:
    frame, notes = kept(tmp_path, HEADER.encode() + f"{at(0)},caf\xe9,cpu,1\n".encode("latin-1"))
    assert frame["service"].tolist() == ["caf\ufffd"]
    assert notes == ["metrics.csv: bytes that are not UTF-8 were replaced (line 2)"]


def test_too_many_samples_are_thinned_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.recorded_metrics, "MAX_SAMPLES", 500)
    frame, notes = kept(tmp_path, HEADER + "".join(f"{at(k)},a,cpu,{k}\n" for k in range(1_900)))
    assert 250 <= len(frame) <= 500
    assert frame["value"].min() < 20
    assert frame["value"].max() > 1_880
    assert notes == [f"metrics.csv: {len(frame)} of 1900 samples were kept, evenly over the file"]
