"""What nodes work with: questions with a limit, evidence that stays, telling in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pandas as pd
import pytest

from agent.errors import OperatorError
from agent.incident import Query, Source, TimelineEntry, TimelineKind, Triage
from agent.investigation import SILENT_AFTER, SOURCES, Investigation
from agent.store import TimelineDraft
from tests.agent.investigations import Opened, awkward_backend, small_backend
from tools.backend import Backend
from tools.catalogue import READ_TOOLS
from tools.evidence import TimeWindow, ToolError


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with Opened(tmp_path) as opened:
        yield opened


def test_every_read_tool_has_a_source() -> None:
    assert SOURCES.keys() == READ_TOOLS.keys()


def test_a_source_that_times_out_twice_is_not_asked_again(opened: Opened, tmp_path: Path) -> None:
    asked: list[int] = []
    released = Event()

    def hang() -> None:
        asked.append(1)
        released.wait(60)

    window = small_backend(tmp_path).window
    assert window is not None
    desk = opened.desk(awkward_backend(hang), tool_timeout_seconds=0.05)
    for _ in range(SILENT_AFTER):
        with pytest.raises(ToolError, match="no answer within"):
            desk.ask(Query(tool="edges"), window)
    with pytest.raises(ToolError, match="stopped answering"):
        desk.ask(Query(tool="edges"), window)
    assert len(asked) == SILENT_AFTER
    with pytest.raises(ToolError, match="no answer within"):
        desk.ask(Query(tool="runbooks"), window)
    released.set()


def test_a_tool_that_nobody_has_is_a_tool_error(opened: Opened, tmp_path: Path) -> None:
    backend = small_backend(tmp_path)
    assert backend.window is not None
    with pytest.raises(ToolError, match="no tool 'metric_rang'"):
        opened.desk(backend).ask(Query(tool="metric_rang"), backend.window)


def test_a_failed_query_is_evidence_that_says_so(opened: Opened, tmp_path: Path) -> None:
    backend = small_backend(tmp_path)
    desk = opened.desk(backend)
    assert backend.window is not None
    cited = desk.keep_failure(ToolError(Source.CHANGES, "503"), Query(tool="status_events"), backend.window)
    evidence, result = opened.store.evidence(desk.incident, cited)
    assert (evidence.source, evidence.summary, result) == (Source.STATUS, "no answer: 503", {"error": "503"})


def test_a_document_that_is_gone_is_the_operators_trouble(opened: Opened, tmp_path: Path) -> None:
    desk = opened.desk(small_backend(tmp_path))
    assert desk.find("triage", Triage) is None
    with pytest.raises(OperatorError, match="document 'triage' is gone"):
        desk.get("triage", Triage)
    opened.store.put_document(desk.incident, "triage", "{}", desk.lease)
    with pytest.raises(OperatorError, match="document 'triage' cannot be read: Field required"):
        desk.get("triage", Triage)


def test_whoever_watches_sees_what_was_written(opened: Opened, tmp_path: Path) -> None:
    seen: list[TimelineEntry] = []
    desk = replace(opened.desk(small_backend(tmp_path)), on_entry=seen.append)
    desk.tell(
        [TimelineDraft(kind=TimelineKind.STATUS, text="one"), TimelineDraft(kind=TimelineKind.STATUS, text="two")]
    )
    desk.tell([])
    assert [entry.text for entry in seen] == ["one", "two"]
    assert opened.store.timeline(desk.incident)[-2:] == seen


class CountedLogs:
    """The logs of another backend; how often they were asked for is counted, and they can break."""

    def __init__(self, backend: Backend) -> None:
        assert backend.logs is not None
        self.logs = backend.logs
        self.asked = 0
        self.broken = False

    def log_lines(
        self, window: TimeWindow, service: str | None = None, contains: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        self.asked += 1
        if self.broken:
            raise ToolError(Source.LOGS, "503")
        return self.logs.log_lines(window, service, contains, limit)


LINES = Query(tool="log_lines")


def counted_desk(opened: Opened, folder: Path) -> tuple[Investigation, CountedLogs, TimeWindow]:
    backend = small_backend(folder)
    logs = CountedLogs(backend)
    assert backend.window is not None
    return opened.desk(replace(backend, logs=logs)), logs, backend.window


def test_what_was_fetched_as_a_whole_is_not_fetched_again(opened: Opened, tmp_path: Path) -> None:
    desk, logs, window = counted_desk(opened, tmp_path)
    asked = desk.ask(LINES, window).frame
    assert desk.frame_of(LINES, window) is asked is desk.frame_of(LINES, window)
    assert logs.asked == 1


def test_a_whole_that_was_not_fetched_is_fetched_once(opened: Opened, tmp_path: Path) -> None:
    desk, logs, window = counted_desk(opened, tmp_path)
    frame = desk.frame_of(LINES, window)
    assert frame is not None
    assert len(frame) > 10
    assert desk.frame_of(LINES, window) is frame
    assert logs.asked == 1


def test_another_window_and_a_part_are_other_questions(opened: Opened, tmp_path: Path) -> None:
    desk, logs, window = counted_desk(opened, tmp_path)
    part = Query(tool="log_lines", arguments={"service": "inventory", "contains": None})
    desk.ask(part, window)
    assert desk.frame_of(part, window) is not None  # asked again: only wholes are kept
    whole = desk.frame_of(LINES, window)
    assert whole is not None
    assert set(whole["service"]) > {"inventory"}
    early = desk.frame_of(LINES, TimeWindow(since=window.since, until=window.since + timedelta(minutes=5)))
    assert early is not None
    assert len(early) < len(whole)
    assert logs.asked == 4


def test_frames_that_were_let_go_are_forgotten(opened: Opened, tmp_path: Path) -> None:
    desk, logs, window = counted_desk(opened, tmp_path)
    first = desk.frame_of(LINES, window)
    desk.let_go()
    again = desk.frame_of(LINES, window)
    assert again is not first
    assert logs.asked == 2


def test_where_there_is_no_answer_there_is_no_frame(opened: Opened, tmp_path: Path) -> None:
    desk, logs, window = counted_desk(opened, tmp_path)
    logs.broken = True
    assert desk.frame_of(LINES, window) is None
    logs.broken = False
    assert desk.frame_of(LINES, window) is not None  # a failure is not remembered as the answer
    assert desk.frame_of(Query(tool="runbooks"), window) is None  # an answer, but none with a frame
