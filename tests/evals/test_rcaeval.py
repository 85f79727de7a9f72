from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.errors import CallerError
from agent.parse_alert import parse_alert
from evals.cases import CaseError, NamedBy
from evals.rcaeval import SUITE
from tests.evals.test_rcaeval_files import LOG_HEADER, SPAN_HEADER
from tools.evidence import Source

T0 = 1_700_000_000
INJECTED = datetime.fromtimestamp(T0 + 60, UTC)
HEADER = "time,cart_cpu,cart_mem,shop-front_cpu,shop-front_latency-50,time.1"


def write_case(folder: Path, file: str = "data.csv", header: str = HEADER) -> Path:
    folder.mkdir(parents=True)
    rows = [f"{T0 + second},0.5,1000,{second},0.2,{second}" for second in range(120)]
    (folder / file).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (folder / "inject_time.txt").write_text(f"{T0 + 60}\n", encoding="utf-8")
    return folder


def write_traces(folder: Path, entry: str) -> None:
    logs = [f"x,{T0 + second}000000000,cart,served,info,," for second in (10, 70)]
    (folder / "logs.csv").write_text("\n".join([LOG_HEADER, *logs]) + "\n", encoding="utf-8")
    spans = [
        f"x,t{at},{number},{service},m,op,{T0 + at}000,{T0 + at}000000,100,0,{parent}"
        for at in (20, 80)
        for number, service, parent in (("1", entry, ""), ("2", "cart", "1"))
    ]
    (folder / "traces.csv").write_text("\n".join([SPAN_HEADER, *spans]) + "\n", encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_case(tmp_path / "RE1" / "RE1-XX" / "cart_cpu" / "1")
    write_traces(write_case(tmp_path / "RE2-XX" / "cart_delay" / "3", "simple_metrics.csv"), "shop-front")
    return tmp_path


def test_cases_are_found_in_a_suite_and_above_it(data: Path) -> None:
    assert SUITE.find(data) == ("RE1-XX/cart_cpu/1", "RE2-XX/cart_delay/3")
    assert SUITE.find(data / "RE2-XX") == ("RE2-XX/cart_delay/3",)
    assert SUITE.find_quiet(data / "RE2-XX") == ("quiet/RE2-XX/cart_delay/3",)
    with pytest.raises(CallerError, match=r"no <suite>/<service>_<fault>/<n>/inject_time\.txt lies in it$"):
        SUITE.find(data / "RE2-XX" / "cart_delay" / "3")


def test_metrics_alone(data: Path) -> None:
    recording = SUITE.load(data, "RE1-XX/cart_cpu/1").recording
    assert recording.metrics is not None
    assert len(recording.metrics) == 4 * 120
    assert set(
        zip(recording.metrics["service"], recording.metrics["metric"], recording.metrics["unit"], strict=True)
    ) == {
        ("cart", "cpu", ""),
        ("cart", "mem", "bytes"),
        ("shop-front", "cpu", ""),
        ("shop-front", "latency-50", "s"),
    }
    assert recording.logs is None
    assert recording.spans is None
    assert recording.missing == frozenset(Source) - {Source.ALERT, Source.METRICS}
    assert recording.window.since == datetime.fromtimestamp(T0, UTC)
    assert recording.window.until == datetime.fromtimestamp(T0 + 120, UTC)
    assert [note for _, note in recording.notes] == ["data.csv: 1 columns name no service and were left out ('time.1')"]


def test_metrics_logs_and_traces(data: Path) -> None:
    recording = SUITE.load(data, "RE2-XX/cart_delay/3").recording
    assert recording.logs is not None
    assert recording.spans is not None
    assert (len(recording.logs), len(recording.spans)) == (2, 4)
    assert recording.missing == {Source.CHANGES, Source.STATUS, Source.TOPOLOGY, Source.RUNBOOKS}


def test_the_alert_fires_with_the_injection_and_the_answer_stays_outside(data: Path) -> None:
    for name in SUITE.find(data):
        recording = SUITE.load(data, name).recording
        alert = parse_alert(recording.alert)
        assert (alert.service, alert.metric, alert.fired_at) == ("shop-front", "latency-50", INJECTED)
        told = repr((recording.name, recording.alert, recording.notes))
        assert not any(word in told for word in ("cart", "delay", "RE1", "RE2"))


def test_the_entry_is_where_traces_begin(data: Path) -> None:
    folder = data / "RE2-XX" / "cart_delay" / "3"
    write_traces(folder, "cart")
    assert SUITE.load(data, "RE2-XX/cart_delay/3").recording.alert["service"] == "cart"
    # A load generator has no metrics and cannot have sent the alert.
    write_traces(folder, "load")
    assert SUITE.load(data, "RE2-XX/cart_delay/3").recording.alert["service"] == "shop-front"


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("cpu", ("cpu",)),
        ("mem", ("memory",)),
        ("disk", ("disk",)),
        ("delay", ("network_delay",)),
        ("loss", ("network_loss",)),
        ("socket", ("socket",)),
        ("f3", None),
    ],
)
def test_the_folder_is_the_truth(tmp_path: Path, fault: str, kinds: tuple[str, ...] | None) -> None:
    write_case(tmp_path / "RE" / f"ts-cart-service_{fault}" / "1")
    case = SUITE.load(tmp_path, f"RE/ts-cart-service_{fault}/1")
    assert (case.truth.cause, case.truth.service) == ("ts-cart-service", "ts-cart-service")
    assert (case.truth.kinds, case.truth.metric, case.truth.group) == (kinds, None, fault)
    assert case.named_by is NamedBy.SERVICE


def test_metrics_as_json(tmp_path: Path) -> None:
    folder = tmp_path / "RE" / "cart_cpu" / "1"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"cart_cpu": [[T0, 1], [T0 + 60, 2], [T0 + 90, None]]}))
    (folder / "inject_time.txt").write_text(str(T0 + 60))
    metrics = SUITE.load(tmp_path, "RE/cart_cpu/1").recording.metrics
    assert metrics is not None
    assert metrics["value"].tolist() == [1, 2]


def test_what_lies_before_the_fault_is_quiet(data: Path) -> None:
    case = SUITE.load(data, "quiet/RE2-XX/cart_delay/3")
    assert (case.truth.cause, case.truth.group) == (None, "quiet")
    assert case.recording.window.until == INJECTED
    assert parse_alert(case.recording.alert).fired_at == INJECTED - timedelta(seconds=30)
    assert case.recording.logs is not None
    assert case.recording.spans is not None
    assert (len(case.recording.logs), len(case.recording.spans)) == (1, 2)


@pytest.mark.parametrize(
    ("file", "content", "trouble"),
    [
        ("inject_time.txt", "soon", r"inject_time\.txt: 'soon' is no time; seconds since 1970 are needed"),
        ("inject_time.txt", str(T0 + 999), r"inject_time\.txt: .* lies outside the telemetry, .*"),
        ("data.csv", f"time,cart_cpu\n{T0},much\n", r"data\.csv: column 'cart_cpu', line 2: 'much' is no number"),
        ("data.csv", f"time,total\n{T0},1\n", r"data\.csv: holds no sample of a column named <service>_<metric>"),
        ("logs.csv", f"time,message\n{T0},hello\n", r"logs\.csv: has no column 'container_name'; .*"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(data: Path, file: str, content: str, trouble: str) -> None:
    (data / "RE1" / "RE1-XX" / "cart_cpu" / "1" / file).write_text(content, encoding="utf-8")
    with pytest.raises(CaseError, match=f"^RE1-XX/cart_cpu/1/{trouble}$"):
        SUITE.load(data, "RE1-XX/cart_cpu/1")


def test_files_that_are_not_there(data: Path) -> None:
    folder = data / "RE1" / "RE1-XX" / "cart_cpu" / "1"
    (folder / "data.csv").unlink()
    with pytest.raises(CaseError, match=r"^RE1-XX/cart_cpu/1: none of data\.csv, .* is there$"):
        SUITE.load(data, "RE1-XX/cart_cpu/1")
    (folder / "metrics.csv").write_text(f"time,cart_cpu\n{T0 + 61},1\n")
    (folder / "inject_time.txt").unlink()
    with pytest.raises(CaseError, match=r"^RE1-XX/cart_cpu/1/inject_time\.txt: cannot be read "):
        SUITE.load(data, "RE1-XX/cart_cpu/1")
    with pytest.raises(CaseError, match=r"^RE1-XX/cart_cpu/2: there is no such case"):
        SUITE.load(data, "RE1-XX/cart_cpu/2")


def test_a_fault_from_the_first_sample_on_leaves_nothing_quiet(data: Path) -> None:
    (data / "RE1" / "RE1-XX" / "cart_cpu" / "1" / "inject_time.txt").write_text(str(T0))
    with pytest.raises(CaseError, match=r"^quiet/RE1-XX/cart_cpu/1: no metric was recorded before the fault$"):
        SUITE.load(data, "quiet/RE1-XX/cart_cpu/1")
