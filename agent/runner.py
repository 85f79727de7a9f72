"""Runs the graph of one incident: under a lease, from its last checkpoint, until it ends, waits or is stopped."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Literal, Self

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, StateSnapshot
from langsmith import tracing_context

import agent.incident
import agent.state
import tools.evidence
from agent import documents
from agent.checkpoints import checkpoint_types, open_checkpoints, serializer, thread_of
from agent.decisions import settle
from agent.errors import ConflictError
from agent.graph import IncidentGraph, build_graph
from agent.heartbeat import Hold, hold
from agent.incident import Alert, Diagnosis, Incident, IncidentStatus, TimelineEntry, TimelineKind
from agent.intake.receive import said
from agent.investigation import Investigation
from agent.settings import Settings
from agent.state import IncidentState
from agent.store import Lease, Store, TimelineDraft
from agent.time_limit import Stopped
from tools.backend import Backend

Checkpoints = Callable[[Lease], AbstractContextManager[BaseCheckpointSaver[Any]]]

OVER = frozenset({IncidentStatus.CLOSED, IncidentStatus.DISMISSED})
CHECKPOINTED = checkpoint_types(tools.evidence, agent.incident, agent.state)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Outcome:
    """How far an investigation came in one run."""

    incident: str
    status: Literal["finished", "awaiting_approval", "stopped"]
    diagnosis: Diagnosis | None
    timings: dict[str, float]
    """Working seconds by node (branches as `gather.<source>`), and as `total` on the clock."""
    tool_calls: int


class Runner:
    """Investigates incidents of one store. `settings.store` must be the URL that the store was opened with."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        now: Callable[[], datetime] = _utc_now,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._checkpoints = checkpoints or partial(open_checkpoints, settings.store, types=CHECKPOINTED)

    @classmethod
    @contextmanager
    def in_memory(cls, settings: Settings | None = None, now: Callable[[], datetime] = _utc_now) -> Generator[Self]:
        """A runner that leaves nothing behind: checkpoints in memory, the store in a folder that is removed."""
        saver = InMemorySaver(serde=serializer(CHECKPOINTED))
        with TemporaryDirectory(prefix="whydown-") as folder:
            url = f"sqlite:///{folder}/whydown.db"
            with Store.open(url, now) as store:
                changed = (settings or Settings()).model_copy(update={"store": url})
                yield cls(store, changed, now, checkpoints=lambda _: nullcontext(saver))

    @property
    def store(self) -> Store:
        return self._store

    def open(self, alert: Alert, recording: str | None = None) -> Incident:
        """The incident of an alert, on disk when this returns. The same alert again is the same incident."""
        incident, created = self._store.create_incident(alert, recording)
        if created:
            draft = TimelineDraft(kind=TimelineKind.ALERT, at=alert.fired_at, text=said(alert), key="alert")
            self._store.append(incident.id, [draft], None)
        return incident

    def run(
        self,
        incident_id: str,
        backend: Backend,
        on_entry: Callable[[TimelineEntry], None] | None = None,
        stop: Event | None = None,
    ) -> Outcome:
        """Investigate from where the incident stands, until it is finished, waits for people, or is stopped.

        Ctrl-C and `stop` end it at the next safe point; the next call goes on from there, as it does after a crash and
        after people have decided. Raises ConflictError while another process holds the incident or when people have
        closed it, CallerError for an unknown id, OperatorError when the store cannot be used.
        """
        stop = stop or Event()
        status = self._store.incident(incident_id).status
        if status in OVER:
            raise ConflictError(f"incident {incident_id} is {status.value}; reopen it before it is investigated")
        with hold(self._store, incident_id, self._settings.lease_duration, stop) as held:
            desk = Investigation(
                incident=incident_id,
                alert=self._store.alert_of(incident_id),
                backend=backend,
                store=self._store,
                settings=self._settings,
                lease=held.lease,
                now=self._now,
                round=self._store.round_of(incident_id),
                stop=stop,
                on_entry=on_entry,
            )
            with self._checkpoints(held.lease) as saver:
                return _Run(build_graph(saver), desk, held).to_its_end()

    def diagnosis(self, incident_id: str) -> Diagnosis | None:
        """The diagnosis as it stands; None before there is one."""
        text = self._store.document(incident_id, documents.DIAGNOSIS)
        return None if text is None else Diagnosis.model_validate_json(text)


class _Run:
    """One run: the graph, its thread of checkpoints and what its nodes work with."""

    def __init__(self, graph: IncidentGraph, desk: Investigation, held: Hold) -> None:
        self._graph = graph
        self._desk = desk
        self._held = held
        self._config: RunnableConfig = {"configurable": {"thread_id": thread_of(desk.incident, desk.round)}}

    def to_its_end(self) -> Outcome:
        with ExitStack() as on_failure:
            on_failure.callback(self._say, "broke off; it can be taken up again where it stands", TimelineKind.ERROR)
            try:
                outcome = self._work()
            except (Stopped, KeyboardInterrupt):
                outcome = self._stopped()
            on_failure.pop_all()
        return outcome

    def _stopped(self) -> Outcome:
        if self._held.lost is not None:
            raise self._held.lost
        self._say("stopped; it can be taken up again where it stands", TimelineKind.STATUS)
        return self._outcome("stopped")

    def _work(self) -> Outcome:
        while True:
            snapshot = self._snapshot()
            if snapshot.created_at is None:
                self._drive(IncidentState(incident=self._desk.incident))
            elif not snapshot.next:
                return self._outcome("finished")
            elif snapshot.interrupts:
                approved = settle(snapshot.values["approvals"], self._desk)
                if approved is None:
                    return self._outcome("awaiting_approval")
                self._drive(Command(resume=approved))
            else:
                self._say(f"taken up again at {', '.join(sorted(set(snapshot.next)))}", TimelineKind.STATUS)
                self._drive(None)

    def _drive(self, given: IncidentState | Command[Any] | None) -> None:
        """Run the graph in a thread of its own, so that Ctrl-C arrives here and never in the middle of a node.

        LangGraph would send every node's input to LangSmith where another project's LANGSMITH_* variables are set;
        what an incident says stays here.
        """
        work = partial(self._graph.invoke, given, self._config, context=self._desk, durability="sync")
        with (
            tracing_context(enabled=False),
            ThreadPoolExecutor(max_workers=1, thread_name_prefix="whydown-graph") as pool,
        ):
            running = pool.submit(copy_context().run, work)
            interrupted = self._wait_for(running)
        if interrupted:
            raise KeyboardInterrupt
        running.result()

    def _wait_for(self, running: Future[Any]) -> bool:
        """Wait to the end, however often Ctrl-C is pressed: leaving early would close the database under the nodes."""
        interrupted = False
        while not running.done():
            try:
                wait([running])
            except KeyboardInterrupt:
                self._desk.stop.set()
                interrupted = True
        return interrupted

    def _snapshot(self) -> StateSnapshot:
        return self._graph.get_state(self._config)

    def _outcome(self, status: Literal["finished", "awaiting_approval", "stopped"]) -> Outcome:
        values = self._snapshot().values
        state = IncidentState.model_validate(values) if values else None
        diagnosis = self._desk.find(documents.DIAGNOSIS, Diagnosis)
        if state is None:
            return Outcome(self._desk.incident, status, diagnosis, {}, 0)
        timings = {**state.seconds, "total": state.working_seconds}
        return Outcome(self._desk.incident, status, diagnosis, timings, state.tool_calls)

    def _say(self, text: str, kind: TimelineKind) -> None:
        self._desk.tell([TimelineDraft(kind=kind, text=text)])
