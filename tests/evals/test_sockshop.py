from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from agent.errors import CallerError
from agent.parse_alert import parse_alert
from evals.cases import CaseError, NamedBy
from evals.sockshop import SUITE
from tools.evidence import Source

NORMAL_FROM = 1_652_565_600
ANOMALOUS_FROM = 1_652_812_675
HEADER = "time,carts-db_cpu,front-end_cpu,carts-db_mem,carts-db_lat_50"


def write_stretch(path: Path, first: int, rows: int, cpu: float = 0.5, header: str = HEADER) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{first + row},{cpu},{0.1 * row},1000,0.2" for row in range(rows)]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def write_case(folder: Path, header: str = HEADER) -> None:
    write_stretch(folder / "normal.csv", NORMAL_FROM, 7, header=header)
    write_stretch(folder / "anomalous.csv", ANOMALOUS_FROM, 5, cpu=99, header=header)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("carts-db-cpu/2", "carts-db-cpu/10", "carts-db-mem/1", "carts-db-nap/1"):
        write_case(tmp_path / "raw" / name)
    return tmp_path


def test_cases_are_found_from_every_folder_above_them(data: Path) -> None:
    names = ("carts-db-cpu/2", "carts-db-cpu/10", "carts-db-mem/1")
    assert SUITE.find(data) == names
    assert SUITE.find(data / "raw") == names
    assert SUITE.find_quiet(data) == tuple(f"quiet/{name}" for name in names)
    assert SUITE.step == timedelta(seconds=1)


def test_no_case_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=r"no <service>-<cpu\|mem>/<n>/anomalous\.csv lies in it$"):
        SUITE.find(tmp_path)


def test_the_normal_stretch_ends_one_row_before_the_anomalous_one(data: Path) -> None:
    recording = SUITE.load(data, "carts-db-cpu/2").recording
    assert recording.metrics is not None
    first = datetime.fromtimestamp(ANOMALOUS_FROM, UTC)
    moments = recording.metrics["timestamp"].drop_duplicates()
    assert len(moments) == 12
    assert set(moments.diff().dropna()) == {pd.Timedelta(seconds=1)}
    assert recording.metrics.loc[recording.metrics["value"] == 99, "timestamp"].min() == first
    assert (recording.window.since, recording.window.until) == (
        first - timedelta(seconds=7),
        first + timedelta(seconds=5),
    )
    assert any("re-dated" in note for _, note in recording.notes)
    assert recording.missing == frozenset(Source) - {Source.ALERT, Source.METRICS}


def test_columns_become_services_metrics_and_units(data: Path) -> None:
    metrics = SUITE.load(data, "carts-db-cpu/2").recording.metrics
    assert metrics is not None
    assert set(zip(metrics["service"], metrics["metric"], metrics["unit"], strict=True)) == {
        ("carts-db", "cpu", "%"),
        ("front-end", "cpu", "%"),
        ("carts-db", "mem", "bytes"),
        ("carts-db", "lat_50", "s"),
    }


@pytest.mark.parametrize(
    ("name", "kind", "metric"), [("carts-db-cpu/2", "cpu", "cpu"), ("carts-db-mem/1", "memory", "mem")]
)
def test_the_folder_is_the_truth(data: Path, name: str, kind: str, metric: str) -> None:
    case = SUITE.load(data, name)
    assert (case.truth.cause, case.truth.service, case.named_by) == ("carts-db", "carts-db", NamedBy.SERVICE)
    assert (case.truth.kinds, case.truth.metric, case.truth.group) == ((kind,), metric, metric)


def test_the_front_alerts_with_the_first_anomalous_row_and_says_nothing_else(data: Path) -> None:
    recording = SUITE.load(data, "carts-db-cpu/2").recording
    alert = parse_alert(recording.alert)
    assert (alert.service, alert.metric) == ("front-end", "")
    assert alert.fired_at == datetime.fromtimestamp(ANOMALOUS_FROM, UTC)
    told = repr((recording.name, recording.alert, recording.notes))
    assert not any(word in told for word in ("carts", "cpu", "/"))


def test_a_note_does_not_tell_the_folder(tmp_path: Path) -> None:
    write_case(tmp_path / "carts-db-cpu" / "1", header=HEADER.replace("front-end_cpu", "total"))
    recording = SUITE.load(tmp_path, "carts-db-cpu/1").recording
    assert "anomalous.csv: 1 columns name no service and were left out ('total')" in [
        note for _, note in recording.notes
    ]
    assert "carts" not in repr(recording.notes)


def test_without_a_front_the_first_service_alerts_with_its_latency(tmp_path: Path) -> None:
    write_case(tmp_path / "carts-db-cpu" / "1", header=HEADER.replace("front-end_cpu", "orders_cpu"))
    alert = parse_alert(SUITE.load(tmp_path, "carts-db-cpu/1").recording.alert)
    assert (alert.service, alert.metric) == ("carts-db", "lat_50")


def test_the_second_half_of_the_normal_stretch_is_a_quiet_incident(data: Path) -> None:
    case = SUITE.load(data, "quiet/carts-db-cpu/2")
    first = datetime.fromtimestamp(NORMAL_FROM, UTC)
    assert (case.truth.cause, case.truth.group) == (None, "quiet")
    assert parse_alert(case.recording.alert).fired_at == first + timedelta(seconds=3)
    assert case.recording.window.since == first
    assert case.recording.window.until == first + timedelta(seconds=7)
    assert case.recording.notes == ()


@pytest.mark.parametrize(
    ("file", "lines", "trouble"),
    [
        (
            "anomalous.csv",
            "time,a_cpu\n1652812675,much\n",
            r"anomalous\.csv: column 'a_cpu', line 2: 'much' is no number",
        ),
        ("anomalous.csv", "time,total\n1652812675,1\n", r"anomalous\.csv: no column is named <service>_<metric>"),
        ("normal.csv", "time,a_cpu\nsoon,1\n", r"normal\.csv: column 'time' holds no readable time .*"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(data: Path, file: str, lines: str, trouble: str) -> None:
    (data / "raw" / "carts-db-cpu" / "2" / file).write_text(lines, encoding="utf-8")
    with pytest.raises(CaseError, match=f"^carts-db-cpu/2/{trouble}$"):
        SUITE.load(data, "carts-db-cpu/2")


def test_a_stretch_of_one_row_cannot_be_split(data: Path) -> None:
    write_stretch(data / "raw" / "carts-db-cpu" / "2" / "normal.csv", NORMAL_FROM, 1)
    with pytest.raises(CaseError, match=r"^quiet/carts-db-cpu/2: normal\.csv has too few rows$"):
        SUITE.load(data, "quiet/carts-db-cpu/2")
    assert SUITE.load(data, "carts-db-cpu/2").recording.metrics is not None


def test_a_case_that_is_not_there(data: Path) -> None:
    with pytest.raises(CaseError, match=r"^carts-db-cpu/3: there is no such case"):
        SUITE.load(data, "carts-db-cpu/3")
