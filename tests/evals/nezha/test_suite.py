from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from agent.errors import CallerError
from agent.frame_check import check_frame
from agent.parse_alert import parse_alert
from evals.cases import CaseError, NamedBy
from evals.nezha import SUITE, recordings as nezha_recordings
from evals.nezha.suite import AFTER, BEFORE, METRICS_AFTER, QUIET_ALERT_LEAD, QUIET_MARGIN
from tests.evals.nezha.export import DATE, FAULTS, GATE, MINUTE, QUIET_MINUTE, SECOND, TILL, write_export
from tools.backend import LOG_COLUMNS, METRIC_COLUMNS, SPAN_COLUMNS
from tools.evidence import Source
from tools.recorded import Recording

ONE = FAULTS[1][0]
"""The second fault, which has a quiet minute and another fault's quiet part behind it."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_export(tmp_path)


def frames(recording: Recording) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    assert recording.metrics is not None
    assert recording.logs is not None
    assert recording.spans is not None
    return recording.metrics, recording.logs, recording.spans


def test_cases_are_numbered_by_the_time_of_their_fault_whatever_the_order_of_the_list(data: Path) -> None:
    path = data / "rca_data" / DATE / f"{DATE}-fault_list.json"
    listed = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({hour: entries[::-1] for hour, entries in listed.items()}), encoding="utf-8")
    assert SUITE.find(data) == tuple(f"{DATE}/{number:02d}" for number in range(3))
    assert [SUITE.load(data, name).recording.alert["fired_at"][11:19] for name in SUITE.find(data)] == [
        "10:09:50",
        "10:20:20",
        "10:30:05",
    ]


def test_all_days_of_a_folder_are_found(data: Path) -> None:
    for folder in ("rca_data", "construct_data"):
        shutil.copytree(data / folder / DATE, data / folder / "2031-04-30")
    other = data / "rca_data" / "2031-04-30"
    (other / f"{DATE}-fault_list.json").rename(other / "2031-04-30-fault_list.json")
    (data / "rca_data" / "notes").mkdir()
    assert SUITE.find(data)[::3] == ("2031-04-30/00", f"{DATE}/00")


def test_the_frames_are_what_a_backend_promises(data: Path) -> None:
    metrics, logs, spans = frames(SUITE.load(data, f"{DATE}/01").recording)
    assert tuple(metrics.columns) == METRIC_COLUMNS
    assert tuple(logs.columns) == LOG_COLUMNS
    assert tuple(spans.columns) == SPAN_COLUMNS
    for source, frame, time in (
        (Source.METRICS, metrics, "timestamp"),
        (Source.LOGS, logs, "timestamp"),
        (Source.TRACES, spans, "start"),
    ):
        check_frame(source, frame)
        assert frame[time].is_monotonic_increasing
        texts = frame.drop(columns=[time, "value", "duration_ms", "attributes"], errors="ignore")
        assert {str(kind) for kind in texts.dtypes} == {"str"}


def test_a_recording_holds_its_own_minutes_and_the_quiet_past_but_nothing_later(data: Path) -> None:
    metrics, logs, spans = frames(SUITE.load(data, f"{DATE}/01").recording)
    first = FAULTS[0][0]
    quiet_from = QUIET_MINUTE - 60 * SECOND
    for times in (spans["start"], logs["timestamp"]):
        before_first, quiet, own = (
            times[times < first],
            times[times.between(first, QUIET_MINUTE + MINUTE)],
            times[times > ONE - BEFORE],
        )
        assert len(before_first) + len(quiet) + len(own) == len(times)
        assert before_first.min() > first - 2 * MINUTE
        assert quiet.min() >= quiet_from - 10 * SECOND
        assert own.min() < ONE
        assert own.max() < ONE + AFTER
    assert metrics["timestamp"].min() == ONE - timedelta(hours=1) + timedelta(seconds=30, milliseconds=250)
    assert ONE + METRICS_AFTER - MINUTE <= metrics["timestamp"].max() < ONE + METRICS_AFTER


def test_rows_that_several_files_share_are_there_once(data: Path) -> None:
    _, logs, spans = frames(SUITE.load(data, f"{DATE}/01").recording)
    assert spans["span_id"].is_unique
    assert not logs.duplicated(["timestamp", "instance", "body"]).any()


def test_a_quiet_minute_that_came_later_is_no_history(data: Path) -> None:
    _, logs, spans = frames(SUITE.load(data, f"{DATE}/00").recording)
    since = FAULTS[0][0] - BEFORE
    assert spans["start"].min() >= since
    assert logs["timestamp"].min() >= since
    assert spans["start"].max() < FAULTS[0][0] + AFTER


def test_history_ends_where_there_is_enough_of_it(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, whole = frames(SUITE.load(data, f"{DATE}/02").recording)
    monkeypatch.setattr(nezha_recordings, "HISTORY_ROWS", 1)
    _, _, short = frames(SUITE.load(data, f"{DATE}/02").recording)
    assert whole["start"].min() < FAULTS[0][0]
    # The latest stretch is kept whole: that before the second fault.
    assert FAULTS[1][0] - 2 * MINUTE < short["start"].min() < FAULTS[1][0]


def test_the_alert_comes_from_where_requests_come_in_and_tells_nothing(data: Path) -> None:
    case = SUITE.load(data, f"{DATE}/01")
    alert = parse_alert(case.recording.alert)
    assert (alert.service, alert.metric, alert.fired_at) == ("gate", "LatencyP90", ONE)
    shown = json.dumps(case.recording.alert) + case.recording.name
    assert not any(word in shown.lower() for word in ("till", "return", "cpu", "inject", DATE + "/", "nezha"))
    assert case.named_by is NamedBy.SERVICE


def test_what_the_front_measures_belongs_to_the_service_where_requests_come_in(data: Path) -> None:
    metrics, _, _ = frames(SUITE.load(data, f"{DATE}/01").recording)
    found = {(row.service, row.metric, row.unit) for row in metrics.itertuples()}
    assert found == {
        ("gate", "LatencyP90", "s"),
        ("gate", "CpuUsageRate", "%"),
        ("gate", "PodServerLatencyP90", "s"),
        ("card-till", "CpuUsageRate", "%"),
        ("card-till", "PodServerLatencyP90", "s"),
        ("gate", "source_latency_p50_to_card-till", "s"),
        ("card-till", "destination_latency_p50_from_gate", "s"),
    }


def test_metrics_that_never_change_anywhere_are_left_out_and_named(data: Path) -> None:
    notes = [text for source, text in SUITE.load(data, f"{DATE}/01").recording.notes if source is Source.METRICS]
    assert notes == ["left out, as they never change anywhere: PodSuccessRate, SuccessRate"]


def test_the_truth_has_service_kind_and_where(data: Path) -> None:
    cpu, code, delay = (SUITE.load(data, name).truth for name in SUITE.find(data))
    assert (cpu.cause, cpu.service, cpu.kinds, cpu.metric, cpu.region, cpu.group) == (
        *("card-till", "card-till", ("cpu",), "CpuUsageRate", None, "cpu_contention"),
    )
    assert (code.kinds, code.metric, code.region) == (("wrong_return",), None, ("t.Till#31", "Charge done"))
    assert (delay.cause, delay.kinds, delay.metric, delay.region) == ("gate", ("network_delay",), None, None)


def test_what_was_not_recorded_is_missing_rather_than_empty(data: Path) -> None:
    recording = SUITE.load(data, f"{DATE}/01").recording
    assert recording.missing == {Source.CHANGES, Source.STATUS, Source.TOPOLOGY, Source.RUNBOOKS}
    for path in (data / "rca_data" / DATE / "log").glob("10_2*.csv"):
        path.unlink()
    recording = SUITE.load(data, f"{DATE}/01").recording
    assert recording.logs is None
    assert Source.LOGS in recording.missing
    assert "counts as not recorded" in dict(recording.notes)[Source.LOGS]


def test_spans_that_end_before_the_alert_would_look_like_an_outage_and_count_as_missing(data: Path) -> None:
    for minute in (21, 22):
        (data / "rca_data" / DATE / "trace" / f"10_{minute}_trace.csv").unlink()
    recording = SUITE.load(data, f"{DATE}/01").recording
    assert recording.spans is None
    assert parse_alert(recording.alert).service == "gate"


def test_without_any_span_the_alert_has_no_service_that_could_be_guessed(data: Path) -> None:
    shutil.rmtree(data / "rca_data" / DATE / "trace")
    shutil.rmtree(data / "construct_data" / DATE)
    assert parse_alert(SUITE.load(data, f"{DATE}/01").recording.alert).service == "unknown_service"


def test_the_window_reaches_over_all_telemetry(data: Path) -> None:
    recording = SUITE.load(data, f"{DATE}/01").recording
    metrics, logs, spans = frames(recording)
    first = min(metrics["timestamp"].min(), logs["timestamp"].min(), spans["start"].min())
    last = max(metrics["timestamp"].max(), logs["timestamp"].max(), spans["start"].max())
    assert recording.window.since <= first < recording.window.since + SECOND
    assert last < recording.window.until <= last + SECOND


def test_a_quiet_stretch_ends_well_before_the_moment_that_is_noted_for_the_next_fault(data: Path) -> None:
    case = SUITE.load(data, f"quiet/{DATE}/02")
    end = FAULTS[2][0] - QUIET_MARGIN
    assert (case.truth.cause, case.truth.group, case.truth.kinds) == (None, "quiet", None)
    assert parse_alert(case.recording.alert).fired_at == end - QUIET_ALERT_LEAD
    for frame, time in zip(frames(case.recording), ("timestamp", "timestamp", "start"), strict=True):
        assert frame[time].max() < end
    assert frames(case.recording)[2]["start"].max() >= end - QUIET_ALERT_LEAD


def test_before_a_fault_of_a_service_that_has_just_had_one_nothing_is_surely_quiet(data: Path) -> None:
    assert [pod for _, pod, _ in FAULTS] == [TILL, TILL, GATE]
    assert SUITE.find_quiet(data) == (f"quiet/{DATE}/construct", f"quiet/{DATE}/02")


def test_half_of_the_minute_without_a_fault_lies_before_its_alert(data: Path) -> None:
    recording = SUITE.load(data, f"quiet/{DATE}/construct").recording
    metrics, _, spans = frames(recording)
    fired = parse_alert(recording.alert).fired_at
    assert int((spans["start"] < fired).sum()) == pytest.approx(len(spans) / 2, abs=2)
    assert spans["start"].max() <= QUIET_MINUTE + MINUTE
    assert metrics["timestamp"].max() <= spans["start"].max()


def test_a_quiet_minute_that_was_not_kept_is_not_offered(data: Path) -> None:
    shutil.rmtree(data / "construct_data" / DATE)
    assert f"quiet/{DATE}/construct" not in SUITE.find_quiet(data)
    with pytest.raises(CaseError, match=r"was not recorded$"):
        SUITE.load(data, f"quiet/{DATE}/construct")


def test_a_second_reading_comes_from_the_cache_and_is_the_same(data: Path, _own_cache: Path) -> None:
    first = frames(SUITE.load(data, f"{DATE}/01").recording)
    kept = {path.name: path.stat().st_mtime_ns for path in _own_cache.rglob("*.npz")}
    second = frames(SUITE.load(data, f"{DATE}/01").recording)
    assert kept
    assert {path.name: path.stat().st_mtime_ns for path in _own_cache.rglob("*.npz")} == kept
    for left, right in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(left, right)


def test_the_cache_knows_no_answer(data: Path, _own_cache: Path) -> None:
    for name in SUITE.find(data):
        SUITE.load(data, name)
    content = b"".join(path.read_bytes() for path in _own_cache.rglob("*.npz"))
    assert b"POST /charge" in content
    for word in (b"cpu_contention", b"network_delay", b"NetworkP90", b"t.Till#31_"):
        assert word not in content


def test_damaged_rows_are_left_out_and_told(data: Path) -> None:
    path = data / "rca_data" / DATE / "log" / "10_21_log.csv"
    path.write_text(path.read_text(encoding="utf-8") + "half,a,row\n", encoding="utf-8")
    recording = SUITE.load(data, f"{DATE}/01").recording
    assert (Source.LOGS, "a row is damaged and was left out") in recording.notes


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        (f"{DATE}/03", "has 3 faults"),
        (f"{DATE}/x", "has 3 faults"),
        ("2031-05-02/00", "no folder rca_data/2031-05-02"),
        ("../01", "no folder"),
    ],
)
def test_a_case_that_is_not_there_costs_only_itself(data: Path, name: str, trouble: str) -> None:
    with pytest.raises(CaseError, match=trouble):
        SUITE.load(data, name)


def test_a_folder_without_days_or_with_a_broken_list_is_refused_in_one_line(data: Path, tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=r"no folder rca_data/<date> in it$"):
        SUITE.find(tmp_path / "elsewhere")
    path = data / "rca_data" / DATE / f"{DATE}-fault_list.json"
    path.write_text('{"10": [{"inject_time": "soon"}]}', encoding="utf-8")
    with pytest.raises(CallerError, match=rf"{DATE}-fault_list\.json: 10\.0\.inject_time: [^\n]+$"):
        SUITE.find(data)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(CallerError, match="fault lists in it are empty"):
        SUITE.find(data)


def test_a_time_in_the_fault_list_with_a_zone_is_that_moment(data: Path) -> None:
    path = data / "rca_data" / DATE / f"{DATE}-fault_list.json"
    entry = {"inject_time": "2031-05-01T18:20:20+08:00", "inject_pod": TILL, "inject_type": "reboot"}
    path.write_text(json.dumps({"10": [entry]}), encoding="utf-8")
    case = SUITE.load(data, f"{DATE}/00")
    assert parse_alert(case.recording.alert).fired_at == datetime(2031, 5, 1, 10, 20, 20, tzinfo=UTC)
    assert (case.truth.kinds, case.truth.metric, case.truth.region) == (None, None, None)


def test_instances_are_pods(data: Path) -> None:
    metrics, logs, _ = frames(SUITE.load(data, f"{DATE}/01").recording)
    assert set(metrics["instance"]) == {GATE, TILL, ""}
    assert set(logs["instance"]) == {TILL}
