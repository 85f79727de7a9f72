"""A backend that is down, slow or lying costs data gaps, never the investigation; a stop costs nothing."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import NoReturn

import pandas as pd
import pytest

from agent.incident import IncidentStatus, Source, Verdict
from agent.runner import Outcome
from tests.agent.investigations import Opened, awkward_backend, small_alert, small_backend
from tools.backend import Backend
from tools.evidence import TimeWindow, ToolError

EVERY_SOURCE = set(Source) - {Source.ALERT}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with Opened(tmp_path, tool_timeout_seconds=0.2) as opened:
        yield opened


def investigate(opened: Opened, backend: Backend) -> Outcome:
    return opened.runner.run(opened.runner.open(small_alert()).id, backend)


def assert_only_gaps(outcome: Outcome, opened: Opened) -> None:
    assert outcome.status == "finished"
    assert outcome.diagnosis is not None
    assert outcome.diagnosis.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert {gap.source for gap in outcome.diagnosis.data_gaps} == EVERY_SOURCE
    for gap in outcome.diagnosis.data_gaps:
        evidence, result = opened.store.evidence(outcome.incident, gap.claim.evidence[0])
        assert evidence.summary.startswith("no answer: ")
        assert isinstance(result, dict)
        assert result["error"]
    assert opened.store.verify_timeline(outcome.incident) is None


def refuse() -> NoReturn:
    raise ToolError(Source.METRICS, "503 Service Unavailable")


def test_every_tool_refuses(opened: Opened) -> None:
    assert_only_gaps(investigate(opened, awkward_backend(refuse)), opened)


@pytest.mark.parametrize("error", [ConnectionResetError("peer"), KeyError("value"), ZeroDivisionError(), OSError(5)])
def test_every_tool_breaks_in_a_way_its_author_forgot(opened: Opened, error: Exception) -> None:
    def break_down() -> NoReturn:
        raise error

    outcome = investigate(opened, awkward_backend(break_down))
    assert_only_gaps(outcome, opened)
    assert any(type(error).__name__ in gap.claim.text for gap in outcome.diagnosis.data_gaps)  # type: ignore[union-attr]


def test_there_are_no_tools_at_all(opened: Opened) -> None:
    assert_only_gaps(investigate(opened, Backend(name="nothing")), opened)


def test_every_tool_hangs(opened: Opened) -> None:
    released, threads, started = Event(), threading.active_count(), monotonic()
    outcome = investigate(opened, awkward_backend(lambda: released.wait(60)))
    assert monotonic() - started < 10
    assert_only_gaps(outcome, opened)
    released.set()
    while threading.active_count() > threads and monotonic() - started < 20:
        sleep(0.01)
    assert threading.active_count() == threads, "what hung ends when its backend does"


@pytest.mark.parametrize(
    "lie",
    [
        lambda frame: frame.drop(columns=["service"]),
        lambda frame: frame.assign(timestamp=frame["timestamp"].astype(str)),
        lambda frame: frame.assign(timestamp=frame["timestamp"].dt.tz_localize(None)),
        lambda frame: frame.assign(value=float("nan")),
        lambda frame: "not a frame",
        lambda frame: None,
    ],
)
def test_a_frame_that_is_not_what_was_promised_is_a_gap(
    opened: Opened, tmp_path: Path, lie: Callable[[pd.DataFrame], object]
) -> None:
    true = small_backend(tmp_path)
    assert true.metrics is not None
    metrics = true.metrics

    class Lying:
        def metric_range(self, window: TimeWindow, service: str | None = None, metric: str | None = None) -> object:
            return lie(metrics.metric_range(window, service, metric))

    outcome = investigate(opened, replace(true, metrics=Lying()))  # type: ignore[arg-type]
    assert outcome.diagnosis is not None
    assert Source.METRICS in {gap.source for gap in outcome.diagnosis.data_gaps}


def test_what_a_recording_lacks_is_said_once(opened: Opened, tmp_path: Path) -> None:
    backend = small_backend(tmp_path)
    lacking = replace(backend, logs=None, notes=((Source.LOGS, "logs.ndjson is missing"),))
    outcome = investigate(opened, lacking)
    assert outcome.diagnosis is not None
    gaps = [gap.claim.text for gap in outcome.diagnosis.data_gaps if gap.source is Source.LOGS]
    assert gaps == ["logs.ndjson is missing; errors that only logs name cannot be seen"]


def test_ctrl_c_leaves_an_incident_that_can_be_taken_up_again(
    opened: Opened, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    backend = small_backend(tmp_path)
    released = Event()
    assert backend.logs is not None
    main = threading.main_thread().ident
    assert main is not None

    class Interrupting:
        def log_lines(self, *_: object) -> object:
            signal.pthread_kill(main, signal.SIGINT)
            released.wait(60)
            raise ToolError(Source.LOGS, "too late")

    incident = opened.runner.open(small_alert()).id
    started = monotonic()
    with Opened(tmp_path, tool_timeout_seconds=60) as patient:
        outcome = patient.runner.run(incident, replace(backend, logs=Interrupting()))  # type: ignore[arg-type]
    released.set()
    assert monotonic() - started < 10
    assert outcome.status == "stopped"
    assert outcome.diagnosis is None
    assert opened.texts(incident)[-1] == "stopped; it can be taken up again where it stands"

    again = opened.runner.run(incident, backend)
    assert again.status in {"finished", "awaiting_approval"}
    assert again.diagnosis is not None
    assert Source.LOGS not in {gap.source for gap in again.diagnosis.data_gaps}
    texts = opened.texts(incident)
    assert any(text.startswith("taken up again at ") for text in texts)
    assert len([text for text in texts if text.startswith("SEV")]) == 1
    assert caplog.records == [], "a checkpoint is read back without complaint"
    assert opened.store.verify_timeline(incident) is None


def test_a_server_can_stop_a_run(opened: Opened, tmp_path: Path) -> None:
    stop = Event()
    stop.set()
    incident = opened.runner.open(small_alert()).id
    assert opened.runner.run(incident, small_backend(tmp_path), stop=stop).status == "stopped"
    assert opened.runner.run(incident, small_backend(tmp_path)).diagnosis is not None


def test_a_bug_leaves_a_word_on_the_timeline_and_the_lease_free(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> NoReturn:
        raise ZeroDivisionError("a bug")

    incident = opened.runner.open(small_alert()).id
    with monkeypatch.context() as patch:
        patch.setattr("agent.nodes.hypothesize.rank", broken)
        with pytest.raises(ZeroDivisionError):
            opened.runner.run(incident, small_backend(tmp_path))
    assert opened.texts(incident)[-1] == "broke off; it can be taken up again where it stands"
    assert opened.runner.run(incident, small_backend(tmp_path)).diagnosis is not None
    assert opened.store.incident(incident).status in {IncidentStatus.INVESTIGATING, IncidentStatus.AWAITING_APPROVAL}


def test_live_changes_are_looked_for_long_before_the_window(opened: Opened, tmp_path: Path) -> None:
    """A change that took effect days before is still a candidate, and its evidence can be opened."""
    true = small_backend(tmp_path)
    assert true.window is not None
    early = true.window.since - timedelta(days=3)
    assert true.changes is not None
    found = true.changes.changes(TimeWindow(since=early, until=true.window.until))
    moved = [found[0].model_copy(update={"at": early + timedelta(hours=1)}), *found[1:]]

    class Changes:
        def changes(self, window: TimeWindow) -> object:
            return [change for change in moved if window.contains(change.at)]

        def status_events(self, window: TimeWindow) -> object:
            return []

    outcome = investigate(opened, replace(true, changes=Changes()))  # type: ignore[arg-type]
    assert outcome.diagnosis is not None
    told = {r.candidate for r in outcome.diagnosis.ruled_out} | {h.cause.change for h in outcome.diagnosis.hypotheses}
    assert moved[0].id in told
