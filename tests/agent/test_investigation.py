"""What nodes work with: questions with a limit, evidence that stays, telling in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from agent.errors import OperatorError
from agent.incident import Query, Source, TimelineEntry, TimelineKind, Triage
from agent.investigation import SILENT_AFTER, SOURCES
from agent.store import TimelineDraft
from tests.agent.investigations import Opened, awkward_backend, small_backend
from tools.catalogue import READ_TOOLS
from tools.evidence import ToolError


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
