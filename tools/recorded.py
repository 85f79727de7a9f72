"""The backend that answers from a recording: a frozen incident in one folder. Demo, tests and evals use it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pandas as pd

from tools.attributes import flat
from tools.backend import Backend
from tools.evidence import (
    ChangeEvent,
    Edge,
    JsonObject,
    Operation,
    OperationResult,
    Runbook,
    Source,
    StatusEvent,
    TimeWindow,
    ToolError,
)
from tools.frame_index import FrameIndex
from tools.moments import read_moment
from tools.reading import Notes, Part, Unreadable, json_kind, parsed
from tools.recorded_facts import read_changes, read_edges, read_runbook, read_status_events
from tools.recorded_logs import read_logs
from tools.recorded_manifest import MANIFEST, Asked, Manifest, Question, no_rows, read_manifest
from tools.recorded_metrics import read_metrics
from tools.recorded_spans import read_spans
from tools.words import clean_name

MAX_RUNBOOKS = 500
"""Pages that are read; a wiki export of thousands would bury the few that matter."""

_Content = TypeVar("_Content")

TELEMETRY: Mapping[Source, tuple[str, Callable[[Part], pd.DataFrame | None]]] = {
    Source.METRICS: ("metrics.csv", read_metrics),
    Source.LOGS: ("logs.ndjson", read_logs),
    Source.TRACES: ("traces.ndjson", read_spans),
}
"""The files of telemetry and who reads them."""


class RecordingError(Exception):
    """Nothing can be investigated; the message is one line and says why."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Recording:
    """A frozen incident: its alert, telemetry and changes; never its answer.

    Frames have the columns and types that `tools.backend` lists and are sorted by time; None means that this kind of
    telemetry was not recorded.
    """

    name: str
    alert: JsonObject
    window: TimeWindow
    """What is investigated: what was asked for when it was recorded, else from the first to just after the last sample,
    line or span, on whole seconds."""
    metrics: pd.DataFrame | None = None
    logs: pd.DataFrame | None = None
    spans: pd.DataFrame | None = None
    changes: tuple[ChangeEvent, ...] = ()
    edges: tuple[Edge, ...] = ()
    status_events: tuple[StatusEvent, ...] = ()
    runbooks: tuple[Runbook, ...] = ()
    notes: tuple[tuple[Source, str], ...] = ()
    """What was missing, could not be read or was repaired while reading."""
    missing: frozenset[Source] = field(default=frozenset())
    """Kinds that were not recorded at all, so that "no change" is not mistaken for "changes unknown"."""
    asked: tuple[Asked, ...] = ()
    """Answers to single questions that the frames do not give: of another day, or cut otherwise."""


class _Apart:
    """Answers that stand apart, by the window and the words of their question."""

    def __init__(self, asked: Iterable[Asked], *words: str) -> None:
        self._frames = {
            (each.question.window, *(each.question.query.arguments.get(word) for word in words)): each.frame
            for each in asked
        }

    def get(self, window: TimeWindow, *words: str | None) -> pd.DataFrame | None:
        return self._frames.get((window, *words)) if self._frames else None


class RecordedMetrics:
    def __init__(self, frame: pd.DataFrame, asked: Iterable[Asked] = ()) -> None:
        self._index = FrameIndex(frame, Source.METRICS, name="metric")
        self._apart = _Apart(asked, "service", "metric")

    def metric_range(self, window: TimeWindow, service: str | None = None, metric: str | None = None) -> pd.DataFrame:
        apart = self._apart.get(window, service, metric)
        return self._index.select(window, service, metric) if apart is None else apart


class RecordedLogs:
    def __init__(self, frame: pd.DataFrame, asked: Iterable[Asked] = ()) -> None:
        self._index = FrameIndex(frame, Source.LOGS)
        self._apart = _Apart(asked, "service", "contains")

    def log_lines(
        self, window: TimeWindow, service: str | None = None, contains: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        if limit is not None and limit < 1:
            raise ToolError(Source.LOGS, f"limit={limit} must be at least 1")
        apart = self._apart.get(window, service, contains)
        lines = self._index.select(window, service) if apart is None else apart
        if contains:
            lines = lines[[contains in body for body in lines["body"]]].reset_index(drop=True)
        return lines if limit is None else lines.head(limit)


class RecordedTraces:
    def __init__(self, frame: pd.DataFrame, asked: Iterable[Asked] = ()) -> None:
        self._index = FrameIndex(frame, Source.TRACES, time="start", name="name")
        self._apart = _Apart(asked, "service", "operation")

    def spans(self, window: TimeWindow, service: str | None = None, operation: str | None = None) -> pd.DataFrame:
        apart = self._apart.get(window, service, operation)
        return self._index.select(window, service, operation) if apart is None else apart


class RecordedFacts:
    """Changes, status feed, topology and runbooks of a recording."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def changes(self, window: TimeWindow) -> list[ChangeEvent]:
        self._need(Source.CHANGES, "changes")
        return [change for change in self._changes if window.contains(change.at)]

    def status_events(self, window: TimeWindow) -> list[StatusEvent]:
        self._need(Source.STATUS, "status feeds")
        return [
            event
            for event in self._recording.status_events
            if event.started_at < window.until and (event.resolved_at is None or event.resolved_at >= window.since)
        ]

    def edges(self) -> list[Edge]:
        self._need(Source.TOPOLOGY, "dependencies")
        return list(self._recording.edges)

    def runbooks(self) -> list[Runbook]:
        self._need(Source.RUNBOOKS, "runbooks")
        return list(self._recording.runbooks)

    @cached_property
    def _changes(self) -> list[ChangeEvent]:
        return sorted(self._recording.changes, key=lambda change: change.at)

    def _need(self, source: Source, what: str) -> None:
        if source in self._recording.missing:
            raise ToolError(source, f"no {what} were recorded in {self._recording.name}")


class RecordedOperations:
    """Says what would be done. A recording is the past: nothing can be changed in it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def dry_run(self, operation: Operation) -> str:
        return f"would {operation}; {self._name} is a recording, so nothing will be changed"

    def perform(self, operation: Operation, idempotency_key: str) -> OperationResult:
        detail = f"{operation} under key {idempotency_key}: a recording cannot be changed, nothing was done"
        return OperationResult(outcome="rehearsed", detail=detail)


def recorded_backend(recording: Recording) -> Backend:
    """A backend that answers from the recording. What was not recorded is None and becomes a data gap."""
    facts = RecordedFacts(recording)
    metrics, logs, spans = recording.metrics, recording.logs, recording.spans
    return Backend(
        name=recording.name,
        metrics=None if metrics is None else RecordedMetrics(metrics, _of(recording, Source.METRICS)),
        logs=None if logs is None else RecordedLogs(logs, _of(recording, Source.LOGS)),
        traces=None if spans is None else RecordedTraces(spans, _of(recording, Source.TRACES)),
        changes=None if {Source.CHANGES, Source.STATUS} <= recording.missing else facts,
        topology=None if Source.TOPOLOGY in recording.missing else facts,
        runbooks=None if Source.RUNBOOKS in recording.missing else facts,
        operations=RecordedOperations(recording.name),
        notes=recording.notes,
        window=recording.window,
        asked=frozenset(each.id for each in recording.asked),
    )


def _of(recording: Recording, source: Source) -> list[Asked]:
    return [each for each in recording.asked if each.question.source is source]


def read_recording(path: Path) -> Recording:
    """Read the folder of a recording, each file packed with gzip or not.

    What is missing, broken or had to be repaired is a note. Raises RecordingError when nothing can be investigated:
    no folder, no usable `alert.json`, or no moment at all to look at.
    """
    try:
        return _read(_Folder(path))
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror or error}") from error


def _read(folder: _Folder) -> Recording:
    alert = folder.alert()
    with _collection_paused():
        metrics, logs, spans = (folder.telemetry(source) for source in TELEMETRY)
        asked = folder.asked()
    changes = folder.read("changes.json", Source.CHANGES, read_changes)
    edges = folder.read("topology.json", Source.TOPOLOGY, read_edges)
    status_events = folder.read("status_feed.json", Source.STATUS, read_status_events)
    runbooks = folder.runbooks()
    return Recording(
        name=clean_name(folder.path.name),
        alert=alert,
        window=folder.manifest.window or _window(folder.path.name, alert, metrics, logs, spans, changes or ()),
        metrics=metrics,
        logs=logs,
        spans=spans,
        changes=changes or (),
        edges=edges or (),
        status_events=status_events or (),
        runbooks=runbooks,
        notes=folder.all_notes(),
        missing=frozenset(folder.missing),
        asked=asked,
    )


@contextmanager
def _collection_paused() -> Generator[None]:
    """Without the garbage collector: it looks for cycles among a million records that have none, half of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Folder:
    """The folder of a recording: finds its files and remembers what was missing."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise RecordingError(f"{path}: there is no such folder; a recording is a folder that holds alert.json")
        self.path = path.resolve()
        self.notes = Notes()
        self.missing: set[Source] = set()
        self._told: set[Source] = set()
        self.manifest = self._manifest()
        self._told = {note.source for note in self.manifest.notes}

    def all_notes(self) -> tuple[tuple[Source, str], ...]:
        """What was noted when it was recorded, then what was when it was read."""
        recorded = ((note.source, note.text) for note in self.manifest.notes)
        return tuple(dict.fromkeys((*recorded, *self.notes.lines())))

    def telemetry(self, source: Source) -> pd.DataFrame | None:
        """All rows of one kind; none of them, where it was asked for and held nothing."""
        if source in self.manifest.empty:
            return no_rows(source)
        name, reader = TELEMETRY[source]
        return self.read(name, source, reader)

    def asked(self) -> tuple[Asked, ...]:
        """Answers that stand apart; what cannot be read is a note, and the question is asked of all rows."""
        found = [(question, self._answer(question)) for question in self.manifest.asked if question.source in TELEMETRY]
        return tuple(Asked(question, frame) for question, frame in found if frame is not None)

    def _answer(self, question: Question) -> pd.DataFrame | None:
        if question.empty:
            return no_rows(question.source)
        part = self._find(question.file, question.source)
        if part is None:
            return None
        _, reader = TELEMETRY[question.source]
        # Its troubles are not told: parents that are elsewhere and the like are in the nature of a single answer.
        return reader(Part(part.source, part.path, Notes()))

    def _manifest(self) -> Manifest:
        if not any((self.path / name).exists() for name in (MANIFEST, f"{MANIFEST}.gz")):
            return Manifest()
        part = self._find(MANIFEST, Source.ALERT)
        return Manifest() if part is None else read_manifest(part)

    def read(self, name: str, source: Source, reader: Callable[[Part], _Content | None]) -> _Content | None:
        """What `reader` makes of the file; None when there is nothing to be had from it."""
        part = self._find(name, source)
        content = None if part is None else reader(part)
        if content is None:
            self.missing.add(source)
        return content

    def alert(self) -> JsonObject:
        part = self._find("alert.json", Source.ALERT)
        if part is None:
            trouble = self.notes.lines()[-1][1]
            raise RecordingError(f"{self.path.name}/{trouble}, so there is nothing to investigate")
        try:
            alert = parsed(part, part.whole())
        except Unreadable as error:
            damage = "".join(f"{text.removeprefix(part.file + ': ')}; " for _, text in self.notes.lines())
            raise RecordingError(f"{self.path.name}/{part.file}: {damage}{error}") from error
        if not isinstance(alert, dict) or not alert:
            held = "an empty object" if alert == {} else f"a {json_kind(alert)}"
            raise RecordingError(
                f"{self.path.name}/{part.file}: holds {held} where an object that describes the alert is due"
            )
        return alert

    def runbooks(self) -> tuple[Runbook, ...]:
        """Pages of `runbooks/`, in order of id."""
        folder = self.path / "runbooks"
        try:
            names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
        except OSError as error:
            self.notes.add(Source.RUNBOOKS, "runbooks", "cannot be read", error.strerror or str(error))
            names = []
        pages = [name for name in names if name.removesuffix(".gz").endswith(".md")]
        if len(pages) > MAX_RUNBOOKS:
            self.notes.add(Source.RUNBOOKS, "runbooks", f"{MAX_RUNBOOKS} of {len(pages)} pages were read")
        parts = [self._part(folder / name, Source.RUNBOOKS) for name in pages[:MAX_RUNBOOKS]]
        found = [page for part in parts if part is not None and (page := read_runbook(part)) is not None]
        if not found and Source.RUNBOOKS not in self.manifest.empty:
            if Source.RUNBOOKS not in self._told:
                self.notes.add(Source.RUNBOOKS, "runbooks", "holds no page" if folder.is_dir() else "is missing")
            self.missing.add(Source.RUNBOOKS)
        return tuple(sorted(found, key=lambda page: page.id))

    def _find(self, name: str, source: Source) -> Part | None:
        present = [path for path in (self.path / name, self.path / f"{name}.gz") if path.exists()]
        if not present:
            if source not in self._told:  # why it is missing was noted when it was recorded
                self.notes.add(source, name, "is missing")
            return None
        if len(present) == 2:
            self.notes.add(source, name, "is there twice, packed and not; the packed one was ignored")
        return self._part(present[0], source)

    def _part(self, path: Path, source: Source) -> Part | None:
        """The file, unless it is none, or a link that leads out of the recording, which may come from anybody."""
        if not path.is_file():
            self.notes.add(source, path.name, "is not a file")
            return None
        if not path.resolve().is_relative_to(self.path):
            self.notes.add(source, path.name, "is a link that leads out of the recording and was not followed")
            return None
        return Part(source, path, self.notes)


def _window(
    name: str,
    alert: JsonObject,
    metrics: pd.DataFrame | None,
    logs: pd.DataFrame | None,
    spans: pd.DataFrame | None,
    changes: tuple[ChangeEvent, ...],
) -> TimeWindow:
    """From the first to just after the last telemetry; without any, an hour around the changes and the alert."""
    columns = [
        frame[column]
        for frame, column in ((metrics, "timestamp"), (logs, "timestamp"), (spans, "start"))
        if frame is not None and len(frame)
    ]
    if columns:
        moments = [moment for column in columns for moment in (column.iloc[0], column.iloc[-1])]
        margin = timedelta(0)
    else:
        told = [read_moment(value) for value in flat(alert).values()]
        moments = [change.at for change in changes] + [moment for moment in told if moment is not None]
        margin = timedelta(hours=1)
    if not moments:
        raise RecordingError(f"{name}: holds no telemetry, and alert.json names no time to look at")
    first, last = min(moments) - margin, max(moments) + margin
    return TimeWindow(since=first.replace(microsecond=0), until=last.replace(microsecond=0) + timedelta(seconds=1))
