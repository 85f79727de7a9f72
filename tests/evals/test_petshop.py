from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from agent.errors import CallerError
from agent.parse_alert import parse_alert
from evals.cases import CaseError, NamedBy
from evals.petshop import ISSUE_ROWS, QUIET_EVERY_ROWS, QUIET_HISTORY_ROWS, STEP, SUITE
from tools.evidence import Edge, Source

NORMAL_FROM = 1_692_000_000
ISSUE_FROM = 1_681_000_000
NODES = ("Shop", "Cart::Fargate", "Disk::Table")
STATISTICS = (("latency", "Average"), ("latency", "p99"), ("requests", "Sum"), ("availability", "Average"))
TARGET = {
    "target": {"node": "Shop", "metric": "latency", "agg": "Average", "timestamp": ISSUE_FROM + 480},
    "root_cause": {"node": "Disk::Table", "metric": None},
    "metadata": {"reproducibility": {"command": "break the table"}},
}
GRAPH = ",Shop,Cart::Fargate,Disk::Table\nShop,0.0,1.0,0.0\nCart::Fargate,0.0,1.0,1.0\nDisk::Table,0.0,0.0,0.0\n"


def write_metrics(path: Path, first: int, rows: int, value: str = "0.5") -> None:
    path.parent.mkdir(parents=True)
    columns = [(node, metric, statistic) for metric, statistic in STATISTICS for node in NODES]
    titles = zip(("microservice", "metric", "statistic"), zip(*columns, strict=True), strict=True)
    lines = [",".join((title, *parts)) for title, parts in titles]
    lines.append("unix_timestamp" + "," * len(columns))
    # The first column has no value in the first row: no traffic, no latency.
    cells = [[str(first + 300 * row), *[value] * len(columns)] for row in range(rows)]
    cells[0][1] = ""
    path.write_text("\n".join([*lines, *map(",".join, cells)]) + "\n", encoding="utf-8")


def write_traffic(traffic: Path, normal_rows: int = 40) -> None:
    write_metrics(traffic / "noissue" / "metrics.csv", NORMAL_FROM, normal_rows)
    (traffic / "graph.csv").write_text(GRAPH, encoding="utf-8")
    for issue in ("train/issue_0", "test/issue_2", "test/issue_10"):
        write_metrics(traffic / issue / "metrics.csv", ISSUE_FROM, ISSUE_ROWS, "2")
        (traffic / issue / "target.json").write_text(json.dumps(TARGET), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_traffic(tmp_path / "dataset" / "low_traffic")
    return tmp_path


def test_issues_are_found_from_every_folder_above_them(data: Path) -> None:
    names = ("low_traffic/test/issue_2", "low_traffic/test/issue_10", "low_traffic/train/issue_0")
    assert SUITE.find(data) == names
    assert SUITE.find(data / "dataset" / "low_traffic") == names
    write_traffic(data / "dataset" / "high_traffic")
    assert SUITE.find(data)[0] == "high_traffic/test/issue_2"
    assert len(SUITE.find(data)) == 6


def test_no_issues_are_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=r"no \{train,test\}/issue_\*/metrics.csv lies in it$"):
        SUITE.find(tmp_path)


def test_every_statistic_is_a_metric_with_its_unit(data: Path) -> None:
    metrics = SUITE.load(data, "low_traffic/test/issue_2").recording.metrics
    assert metrics is not None
    assert metrics.groupby("metric")["unit"].first().to_dict() == {
        "latency_average": "s",
        "latency_p99": "s",
        "requests": "",
        "availability": "%",
    }
    assert set(metrics["service"]) == set(NODES)
    # One cell is empty in each of the two files.
    assert len(metrics) == (40 + ISSUE_ROWS) * len(NODES) * len(STATISTICS) - 2


def test_the_normal_stretch_ends_one_step_before_the_issue(data: Path) -> None:
    recording = SUITE.load(data, "low_traffic/test/issue_2").recording
    assert recording.metrics is not None
    first = datetime.fromtimestamp(ISSUE_FROM, UTC)
    moments = recording.metrics["timestamp"].drop_duplicates()
    assert len(moments) == 40 + ISSUE_ROWS
    assert set(moments.diff().dropna()) == {pd.Timedelta(STEP)}
    assert recording.metrics.loc[recording.metrics["value"] == 2, "timestamp"].min() == first
    assert recording.window.since == first - 40 * STEP
    assert recording.window.until == first + 4 * STEP + timedelta(seconds=1)
    assert any("re-dated" in note for _, note in recording.notes)


def test_the_alert_is_the_target_and_the_truth_the_root_cause(data: Path) -> None:
    case = SUITE.load(data, "low_traffic/test/issue_2")
    alert = parse_alert(case.recording.alert)
    assert (alert.service, alert.metric) == ("Shop", "latency_average")
    assert alert.fired_at == datetime.fromtimestamp(ISSUE_FROM + 480, UTC)
    assert (case.truth.cause, case.truth.service, case.truth.kinds) == ("Disk::Table", "Disk::Table", None)
    assert (case.truth.group, case.named_by) == ("latency", NamedBy.SERVICE)


def test_the_answer_stays_outside(data: Path) -> None:
    recording = SUITE.load(data, "low_traffic/test/issue_2").recording
    told = repr((recording.name, recording.alert, recording.notes))
    assert not any(word in told for word in ("Disk", "break", "issue", "traffic", "root"))


def test_callers_stand_in_rows_and_callees_in_columns(data: Path) -> None:
    recording = SUITE.load(data, "low_traffic/test/issue_2").recording
    assert recording.edges == (
        Edge(caller="Shop", callee="Cart::Fargate"),
        Edge(caller="Cart::Fargate", callee="Disk::Table"),
    )
    missing = {Source.LOGS, Source.TRACES, Source.CHANGES, Source.STATUS, Source.RUNBOOKS}
    assert recording.missing == missing
    (data / "dataset" / "low_traffic" / "graph.csv").unlink()
    assert SUITE.load(data, "low_traffic/test/issue_2").recording.missing == missing | {Source.TOPOLOGY}


def test_quiet_stretches_have_a_day_behind_them_and_share_no_incident(tmp_path: Path) -> None:
    rows = QUIET_HISTORY_ROWS + QUIET_EVERY_ROWS + ISSUE_ROWS
    write_traffic(tmp_path / "low_traffic", normal_rows=rows)
    names = SUITE.find_quiet(tmp_path)
    assert names == ("quiet/low_traffic/00", "quiet/low_traffic/01")
    assert QUIET_EVERY_ROWS >= ISSUE_ROWS
    for number, name in enumerate(names):
        case = SUITE.load(tmp_path, name)
        before = QUIET_HISTORY_ROWS + number * QUIET_EVERY_ROWS
        first = datetime.fromtimestamp(NORMAL_FROM, UTC)
        assert case.recording.window.since == first
        assert case.recording.window.until == first + (before + ISSUE_ROWS - 1) * STEP + timedelta(seconds=1)
        alert = parse_alert(case.recording.alert)
        assert first + (before + 1) * STEP < alert.fired_at < first + (before + 2) * STEP
        assert (alert.service, alert.metric) == ("Shop", ("latency_average", "availability")[number])
        assert (case.truth.cause, case.truth.group) == (None, "quiet")


def test_a_short_normal_stretch_has_no_quiet_ones(data: Path) -> None:
    assert SUITE.find_quiet(data) == ()
    with pytest.raises(CaseError, match=r"^quiet/low_traffic/00: there is no such stretch$"):
        SUITE.load(data, "quiet/low_traffic/00")


@pytest.mark.parametrize(
    ("file", "content", "trouble"),
    [
        ("test/issue_2/target.json", "{", r"low_traffic/test/issue_2/target\.json: is not JSON .*"),
        ("test/issue_2/target.json", "{}", r"low_traffic/test/issue_2/target\.json: target: Field required"),
        ("test/issue_2/metrics.csv", "a,b\n", r"low_traffic/test/issue_2/metrics\.csv: 3 header rows .*"),
        ("noissue/metrics.csv", "", r"low_traffic/noissue/metrics\.csv: 3 header rows .*"),
        ("graph.csv", ",A\nA,much\n", r"low_traffic/graph\.csv: line 2: could not convert .*'much'"),
        ("graph.csv", ",A,B\nA,1\n", r"low_traffic/graph\.csv: line 2 has 2 fields, the header has 3"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(data: Path, file: str, content: str, trouble: str) -> None:
    (data / "dataset" / "low_traffic" / file).write_text(content, encoding="utf-8")
    with pytest.raises(CaseError, match=f"^{trouble}$"):
        SUITE.load(data, "low_traffic/test/issue_2")


@pytest.mark.parametrize("name", ["low_traffic/test/issue_7", "other/test/issue_0", "quiet/other/00"])
def test_a_case_that_is_not_there(data: Path, name: str) -> None:
    with pytest.raises(CaseError, match=f"^{name}"):
        SUITE.load(data, name)
