"""Asks live backends what an investigation asked, so that their answers can be kept as a recording."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from threading import Event

import pandas as pd
from pydantic import JsonValue, TypeAdapter

from agent.errors import CallerError
from agent.frame_check import PROMISES, check_frame
from agent.incident import Alert
from agent.investigation import SOURCES
from agent.nodes.triage import live_window
from agent.settings import Settings
from agent.store import Store
from agent.time_limit import answered
from tools.backend import Backend
from tools.catalogue import Answer, run
from tools.evidence import (
    ChangeEvent,
    Edge,
    Evidence,
    Query,
    Runbook,
    Source,
    StatusEvent,
    TimeWindow,
    ToolError,
    evidence_id,
)
from tools.recorded import Recording, recorded_backend
from tools.recorded_manifest import Asked, Question

WHOLE = tuple(Query(tool=tool) for tool in SOURCES if tool != "change")
"""What every investigation asks first: all that there is of each kind."""
NO_ANSWER = "no answer"
"""How the summary of evidence begins that a question got no answer."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Order:
    """What to record."""

    name: str
    alert: Alert
    window: TimeWindow
    evidence: tuple[Evidence, ...] = ()
    """What the investigation asked and was told; empty where none has run."""


@dataclass(frozen=True)
class Taken:
    """A recording, and whether it says what the investigation was told."""

    recording: Recording
    same: int = 0
    """Pieces of the investigation's evidence that the recording gives with the same digest."""
    changed: tuple[Evidence, ...] = ()
    """Those that the backends do not answer like that any more."""


def order_of(store: Store, incident_id: str, settings: Settings, now: datetime) -> Order:
    """The alert, window and questions of a stored incident.

    Raises CallerError for an unknown id, and for an incident that came from a recording.
    """
    folder = store.recording_of(incident_id)
    if folder is not None:
        raise CallerError(f"incident {incident_id} was investigated from the recording {folder}; copy that folder")
    alert = store.alert_of(incident_id)
    evidence = store.evidence_list(incident_id)
    window = next((each.window for each in evidence if each.query.tool == "alert"), None)
    told = tuple(e for e in evidence if e.query.tool in SOURCES and not e.summary.startswith(NO_ANSWER))
    return Order(incident_id, alert, window or live_window(alert, settings, now), told)


def take(order: Order, backend: Backend, settings: Settings, stop: Event, progress: Progress) -> Taken:
    """Ask everything and put the answers together; what fails is a note. Raises Stopped when `stop` is set."""
    asking = _Asking(backend, settings.tool_timeout_seconds, stop, progress)
    recording = _whole(order, asking)
    apart = _apart(order, asking, recorded_backend(recording), settings.budget_tool_calls)
    recording = replace(recording, asked=tuple(apart))
    changed = tuple(_unlike(order.evidence, recorded_backend(recording)))
    return Taken(recording, len(order.evidence) - len(changed), changed)


@dataclass
class _Asking:
    """Asks one question after the other: a system in trouble is not asked several at once."""

    backend: Backend
    seconds: float
    stop: Event
    progress: Progress
    failed: dict[Source, str] = field(default_factory=dict[Source, str])
    done: int = 0
    due: int = len(WHOLE)

    def __call__(self, query: Query, window: TimeWindow) -> Answer | None:
        """The answer; None, with the reason in `failed`, when there is none."""
        source = SOURCES[query.tool]
        try:
            answer = answered(
                source, self.backend.name, self.seconds, self.stop, partial(run, self.backend, query, window)
            )
            if answer.frame is not None:
                check_frame(source, answer.frame)
        except ToolError as error:
            self.failed[source] = error.message
            answer = None
        self.done += 1
        self.progress(self.done, max(self.done, self.due))
        return answer


def _whole(order: Order, asking: _Asking) -> Recording:
    told = {SOURCES[query.tool]: asking(query, order.window) for query in WHOLE}
    frames = {source: _frame_of(told[source])[0] for source in PROMISES}
    failed = dict(asking.failed)
    notes = [*asking.backend.notes, *((source, text) for source, text in failed.items())]
    return Recording(
        name=order.name,
        alert=order.alert.model_dump(mode="json"),
        window=order.window,
        metrics=frames[Source.METRICS],
        logs=frames[Source.LOGS],
        spans=frames[Source.TRACES],
        changes=tuple(TypeAdapter(list[ChangeEvent]).validate_python(_values(told[Source.CHANGES]))),
        edges=tuple(TypeAdapter(list[Edge]).validate_python(_values(told[Source.TOPOLOGY]))),
        status_events=tuple(TypeAdapter(list[StatusEvent]).validate_python(_values(told[Source.STATUS]))),
        runbooks=tuple(TypeAdapter(list[Runbook]).validate_python(_values(told[Source.RUNBOOKS]))),
        notes=tuple(dict.fromkeys(notes)),
        missing=frozenset(failed),
    )


def _values(answer: Answer | None) -> JsonValue:
    return [] if answer is None else answer.result


def _apart(order: Order, asking: _Asking, recorded: Backend, most: int) -> list[Asked]:
    """Answers to the investigation's single questions that all rows together do not give."""
    open_questions = [each for each in _single(order) if not _told(recorded, *each)][:most]
    asking.due += len(open_questions)
    found: list[Asked] = []
    for query, window, digest in open_questions:
        frame, now = _frame_of(asking(query, window))
        # Where all rows give an answer too, a third one, unlike both, says only that time has gone by.
        if frame is not None and (digest in (None, now) or _says_nothing(recorded, query, window)):
            source = SOURCES[query.tool]
            found.append(Asked(Question(source=source, query=query, window=window, empty=frame.empty), frame))
    return found


def _single(order: Order) -> Iterator[tuple[Query, TimeWindow, str | None]]:
    """Questions for frames of one service or name, the alert's own metric first, each with its answer's digest."""
    own = Query(tool="metric_range", arguments={"service": order.alert.service, "metric": order.alert.metric})
    digests = {each.id: each.digest for each in order.evidence}
    questions = {evidence_id(own, order.window): (own, order.window)}
    questions |= {
        each.id: (each.query, each.window)
        for each in order.evidence
        if SOURCES[each.query.tool] in PROMISES and each.query.arguments
    }
    for id, (query, window) in questions.items():
        yield query, window, digests.get(id)


def _told(recorded: Backend, query: Query, window: TimeWindow, digest: str | None) -> bool:
    """Whether all rows together answer the question, as they did then; of other times they know nothing."""
    covered = recorded.window
    if covered is None or not (window.since < covered.until and covered.since < window.until):
        return False
    frame, now = _frame_of(_answer(recorded, query, window))
    return frame is not None and (not frame.empty if digest is None else now == digest)


def _says_nothing(recorded: Backend, query: Query, window: TimeWindow) -> bool:
    frame, _ = _frame_of(_answer(recorded, query, window))
    return frame is None or frame.empty


def _frame_of(answer: Answer | None) -> tuple[pd.DataFrame | None, str]:
    """The frame of an answer and its digest."""
    return (None, "") if answer is None else (answer.frame, answer.evidence.digest)


def _unlike(evidence: Iterable[Evidence], recorded: Backend) -> Iterator[Evidence]:
    for each in evidence:
        answer = _answer(recorded, each.query, each.window)
        if answer is None or answer.evidence.digest != each.digest:
            yield each


def _answer(recorded: Backend, query: Query, window: TimeWindow) -> Answer | None:
    try:
        return run(recorded, query, window)
    except ToolError:
        return None
