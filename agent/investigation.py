"""What the nodes of one running investigation work with: tools, store, lease, clock. Never part of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Event, Lock
from typing import TypeVar

import pandas as pd
from pydantic import BaseModel, JsonValue, ValidationError

from agent.errors import OperatorError
from agent.frame_check import check_frame
from agent.incident import Alert, Evidence, IncidentStatus, Query, Source, TimelineEntry, TimeWindow
from agent.incident_rows import Round
from agent.settings import Settings
from agent.store import Lease, Store, TimelineDraft
from agent.time_limit import answered
from tools.backend import Backend
from tools.catalogue import Answer, run
from tools.evidence import ToolError

T = TypeVar("T")
V = TypeVar("V", bound=BaseModel)

SOURCES = {
    "metric_range": Source.METRICS,
    "log_lines": Source.LOGS,
    "spans": Source.TRACES,
    "changes": Source.CHANGES,
    "change": Source.CHANGES,
    "status_events": Source.STATUS,
    "edges": Source.TOPOLOGY,
    "runbooks": Source.RUNBOOKS,
}
"""What each read tool asks for."""

SILENT_AFTER = 2
"""Time-outs in a row after which a kind of telemetry is not asked again: one slow query can be chance, two are an
outage, and every further one would cost the person who waits another half minute."""


@dataclass(frozen=True)
class Investigation:
    """One run of one incident's investigation, by the holder of its lease."""

    incident: str
    alert: Alert
    backend: Backend
    store: Store
    settings: Settings
    lease: Lease
    now: Callable[[], datetime]
    round: Round = field(default_factory=Round)
    stop: Event = field(default_factory=Event)
    on_entry: Callable[[TimelineEntry], None] | None = None
    _pen: Lock = field(default_factory=Lock)
    """Held while writing: branches that queue here lose less time than in the database's own waiting loop."""
    _telling: Lock = field(default_factory=Lock)
    _silences: dict[Source, int] = field(default_factory=dict[Source, int])
    _frames: dict[tuple[str, str], pd.DataFrame] = field(default_factory=dict[tuple[str, str], pd.DataFrame])
    """Frames of whole kinds of telemetry, so that what joins two kinds need not fetch them again."""
    _documents: dict[str, BaseModel] = field(default_factory=dict[str, BaseModel])
    """What this run has stored. Only the holder of the lease writes documents, so they need not be read again."""

    def ask(self, query: Query, window: TimeWindow) -> Answer:
        """Run one read tool, with a time limit. Raises ToolError when there is no answer, Stopped when told to stop."""
        source = SOURCES.get(query.tool, Source.ALERT)
        if self._silences.get(source, 0) >= SILENT_AFTER:
            raise ToolError(source, f"{self.backend.name} stopped answering; not asked again")
        try:
            answer = self.call(source, partial(run, self.backend, query, window), self.stop)
        except ToolError as error:
            if isinstance(error.__cause__, TimeoutError):
                self._silences[source] = self._silences.get(source, 0) + 1
            raise
        self._silences[source] = 0
        if answer.frame is not None:
            check_frame(source, answer.frame)
            if not query.arguments:
                self._frames[str(query), str(window)] = answer.frame
        return answer

    def frame_of(self, query: Query, window: TimeWindow) -> pd.DataFrame | None:
        """The frame of a whole kind of telemetry, fetched only if this run has not; None where there is none."""
        known = self._frames.get((str(query), str(window)))
        if known is not None:
            return known
        try:
            return self.ask(query, window).frame
        except ToolError:  # the branch that gathers it has said so already, as a data gap
            return None

    def let_go(self) -> None:
        """Forget the frames; nothing after correlate reads whole kinds of telemetry."""
        self._frames.clear()

    def call(self, source: Source, work: Callable[[], T], stop: Event) -> T:
        """Call into the backend, with a time limit. Whatever goes wrong there is a ToolError; `stop` raises Stopped."""
        return answered(source, self.backend.name, self.settings.tool_timeout_seconds, stop, work)

    def keep(self, evidence: Evidence, result: JsonValue) -> str:
        """Store evidence and return its id; the first answer to a question stays."""
        with self._pen:
            self.store.put_evidence(self.incident, evidence, result, self.lease)
        return evidence.id

    def keep_answers(self, answers: Sequence[Answer]) -> list[str]:
        """Store the evidence of many answers at once and return their ids."""
        with self._pen:
            self.store.put_answers(self.incident, [(each.evidence, each.text) for each in answers], self.lease)
        return [each.evidence.id for each in answers]

    def keep_failure(self, error: ToolError, query: Query, window: TimeWindow) -> str:
        """Store that a query got no answer, so that a data gap can cite it and anybody can ask again."""
        source = SOURCES.get(query.tool, error.source)
        result: JsonValue = {"error": error.message}
        return self.keep(Evidence.of(source, query, window, f"no answer: {error.message}", result), result)

    def put(self, name: str, value: BaseModel) -> None:
        """Store a document for the nodes and readers to come."""
        text = value.model_dump_json()
        with self._pen:
            self.store.put_document(self.incident, name, text, self.lease)
        self._documents[name] = value

    def find(self, name: str, kind: type[V]) -> V | None:
        """A document of an earlier node; None when there is none."""
        stored = self._documents.get(name)
        if isinstance(stored, kind):
            return stored
        text = self.store.document(self.incident, name)
        try:
            return None if text is None else kind.model_validate_json(text)
        except ValidationError as error:
            why = error.errors()[0]["msg"]
            raise OperatorError(f"incident {self.incident}: document {name!r} cannot be read: {why}") from error

    def get(self, name: str, kind: type[V]) -> V:
        """A document that an earlier node must have stored; raises OperatorError when it is gone."""
        found = self.find(name, kind)
        if found is None:
            raise OperatorError(f"incident {self.incident}: document {name!r} is gone from the store")
        return found

    def known_evidence(self) -> frozenset[str]:
        """Ids of all evidence stored so far."""
        return frozenset(evidence.id for evidence in self.store.evidence_list(self.incident))

    def move(self, status: IncidentStatus) -> None:
        """Move the incident's status; raises ConflictError when people have closed it meanwhile."""
        self.store.set_status(self.incident, status, self.lease)

    def tell(self, drafts: Sequence[TimelineDraft]) -> None:
        """Put entries on the timeline and show them to whoever watches, one at a time."""
        if not drafts:
            return
        with self._pen:
            entries = self.store.append(self.incident, drafts, self.lease)
        if self.on_entry is not None:
            with self._telling:
                for entry in entries:
                    self.on_entry(entry)
