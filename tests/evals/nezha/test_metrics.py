from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from evals.nezha.metrics import name_and_unit, read_metrics
from tests.evals.nezha.export import TILL, write_csv
from tools.backend import METRIC_COLUMNS

TIME = "2031-05-01 10:20:20.607158889 +0000 UTC m=+0.113112869"
POD_FIELDS = ["Time", "TimeStamp", "PodName", "CpuUsage(m)", "MemoryUsage(Mi)", "PodWorkload(Ops)", "SyscallRead"]


@pytest.mark.parametrize(
    ("column", "name", "unit"),
    [
        ("CpuUsageRate(%)", "CpuUsageRate", "%"),
        ("CpuUsage(m)", "CpuUsage", "millicores"),
        ("MemoryUsage(Mi)", "MemoryUsage", "MiB"),
        ("PodWorkload(Ops)", "PodWorkload", "/s"),
        ("PodServerLatencyP90(s)", "PodServerLatencyP90", "s"),
        ("SyscallRead", "SyscallRead", ""),
    ],
)
def test_the_unit_in_a_columns_name_becomes_the_unit(column: str, name: str, unit: str) -> None:
    assert name_and_unit(column) == (name, unit)


def test_a_sample_is_at_the_printed_time_not_at_the_epoch_seconds_beside_it(tmp_path: Path) -> None:
    path = write_csv(tmp_path / f"{TILL}_metric.csv", POD_FIELDS, [(TIME, 1_930_000_000, TILL, 1.5, 64, 2, 7)])
    frame = read_metrics([path])["metrics"]
    assert tuple(frame.columns) == METRIC_COLUMNS
    assert set(frame["timestamp"]) == {pd.Timestamp("2031-05-01T10:20:20.607158Z")}
    assert set(frame["service"]) == {"card-till"}
    assert set(frame["instance"]) == {TILL}
    assert dict(zip(frame["metric"], frame["value"], strict=True)) == {
        "CpuUsage": 1.5,
        "MemoryUsage": 64,
        "PodWorkload": 2,
        "SyscallRead": 7,
    }


def test_an_empty_cell_is_no_sample_and_a_row_without_a_time_is_counted(tmp_path: Path) -> None:
    rows = [(TIME, 0, TILL, "", "NaN", "+Inf", 7), ("never", 0, TILL, 1, 1, 1, 1)]
    read = read_metrics([write_csv(tmp_path / f"{TILL}_metric.csv", POD_FIELDS, rows)])
    assert read["metrics"]["metric"].to_list() == ["SyscallRead"]
    assert read["troubles"]["trouble"].to_list() == ["a row has no readable time and was left out"]


def test_calls_are_filed_under_the_side_that_measured_them(tmp_path: Path) -> None:
    fields, row = ["time", "timestamp", "gate_card-till", "lone"], (TIME, 0, 0.25, 9)
    files = [write_csv(tmp_path / name, fields, [row]) for name in ("source_50.csv", "destination_50.csv")]
    frame = read_metrics(files)["metrics"]
    assert {(row.service, row.metric, row.unit, row.value) for row in frame.itertuples()} == {
        ("gate", "source_latency_p50_to_card-till", "s", 0.25),
        ("card-till", "destination_latency_p50_from_gate", "s", 0.25),
    }


def test_the_front_is_kept_apart_and_without_a_service(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "front_service.csv", ["Time", "ServiceName", "LatencyP90(s)"], [(TIME, "Frontend", 0.5)]
    )
    read = read_metrics([path])
    assert read["front"][["service", "metric", "value", "unit"]].to_numpy().tolist() == [["", "LatencyP90", 0.5, "s"]]
    assert read["metrics"].empty


def test_without_files_there_are_empty_frames_of_the_same_types(tmp_path: Path) -> None:
    path = write_csv(tmp_path / f"{TILL}_metric.csv", POD_FIELDS, [(TIME, 0, TILL, 1, 2, 3, 4)])
    filled, empty = read_metrics([path])["metrics"], read_metrics([])["metrics"]
    assert empty.empty
    assert [str(kind) for kind in empty.dtypes] == [str(kind) for kind in filled.dtypes]
