"""Investigates what is due, without a person: inside `whydown serve`, or alone as `whydown worker`.

What is due stands in the store (`agent.work_rows`), so a worker that dies takes nothing with it: another finds the
incident once its lease is over, and the investigation goes on from its last checkpoint. Several workers may share one
store; the lease lets one of them in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Lock, Thread

import structlog

from agent import documents, work_rows
from agent.analysis.observed import Observations
from agent.approval import ApprovalStatus
from agent.errors import ConflictError, WhydownError
from agent.incident import TimelineKind
from agent.intake import group_rows, receive
from agent.runner import OVER, Outcome, Runner
from agent.settings import Settings
from agent.store import Store
from agent.timeline import TimelineDraft
from agent.work_rows import Work
from tools.backend import Backend

LOOKS_EVERY = timedelta(seconds=1)
"""How often a worker looks for what other processes have left to do; what its own process leaves wakes it at once."""

TRIES = 6
"""Attempts at one piece of work. The pauses between them add up to about five minutes: what has not healed by then
needs a person, who finds the reason on the timeline."""

log = structlog.get_logger("whydown.worker")

BackendOf = Callable[[str], Backend]


@dataclass
class Worker:
    """Works on due incidents, `at_once` of them side by side, until it is told to stop."""

    store: Store
    settings: Settings
    backend_of: BackendOf
    """What an incident is investigated from; raises WhydownError where nothing is configured."""
    at_once: int = 2

    def __post_init__(self) -> None:
        self._wake = Event()
        self._stop = Event()
        self._busy: dict[str, Future[None]] = {}
        self._lock = Lock()

    def wake(self) -> None:
        """Look at once: somebody has left something to do."""
        self._wake.set()

    def stop(self) -> None:
        """Finish: running investigations end at their next safe point and are taken up again by whoever comes next."""
        self._stop.set()
        self._wake.set()

    def run(self) -> None:
        """Work until `stop`. Trouble with the store is waited out; it never ends the worker."""
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="whydown-worker") as pool:
            while not self._stop.is_set():
                try:
                    self.take_up(pool)
                except WhydownError as error:
                    log.warning("cannot look for work", reason=str(error))
                self._wake.wait(LOOKS_EVERY.total_seconds())
                self._wake.clear()

    def take_up(self, pool: ThreadPoolExecutor) -> None:
        """Begin what is due, as far as hands are free."""
        with self._lock:
            self._busy = {incident: work for incident, work in self._busy.items() if not work.done()}
            free = self.at_once - len(self._busy)
            if free <= 0:
                return
            with self.store.reading() as connection:
                due = work_rows.due(connection, self.store.now(), free + len(self._busy))
            for work in [each for each in due if each.incident not in self._busy][:free]:
                self._busy[work.incident] = pool.submit(self._work_on, work)

    def _work_on(self, work: Work) -> None:
        try:
            self.do(work)
        except ConflictError as error:  # another process was quicker, or people closed the incident meanwhile
            log.info("left to others", incident=work.incident, reason=str(error))
        finally:
            self._wake.set()

    def do(self, work: Work) -> None:
        """One attempt at one incident. Raises ConflictError when somebody else has it."""
        if self.store.incident(work.incident).status in OVER:
            self._done(work, None, None)
            return
        with self.store.transaction() as connection:
            work_rows.began(connection, work.incident, self.store.now())
        try:
            runner = Runner(self.store, self.settings, now=self.store.now)
            outcome = runner.run(work.incident, self.backend_of(work.incident), stop=self._stop)
        except ConflictError:
            raise
        except WhydownError as error:
            self._failed(work, str(error))
        except Exception as error:  # a fault of ours in one incident must not silence the worker for all others
            log.exception("investigation broke off", incident=work.incident)
            self._failed(work, f"{type(error).__name__}: {error}")
        else:
            self._ended(work, outcome)

    def _ended(self, work: Work, outcome: Outcome) -> None:
        if outcome.status == "stopped":
            return
        due_at = self._next_expiry(work.incident) if outcome.status == "awaiting_approval" else None
        self._done(work, due_at, outcome)

    def _done(self, work: Work, due_at: datetime | None, outcome: Outcome | None) -> None:
        seconds, calls = (None, None) if outcome is None else (outcome.timings.get("total"), outcome.tool_calls)
        seen = self._observed(work.incident)
        with self.store.transaction() as connection:
            now = self.store.now()
            work_rows.done(connection, work, due_at, seconds, calls)
            group_rows.put_edges(connection, () if seen is None else seen.edges, now)
            receive.settle(connection, work.incident, now)

    def _failed(self, work: Work, trouble: str) -> None:
        tries = work.attempts + 1
        now = self.store.now()
        due_at = now + work_rows.put_off(work.attempts) if tries < TRIES else None
        then = "given up; whydown resume" if due_at is None else f"tried again at {due_at:%H:%M:%S} UTC"
        draft = TimelineDraft(
            kind=TimelineKind.ERROR,
            text=f"the investigation could not go on: {trouble} (attempt {tries} of {TRIES}; {then})",
            key=f"trouble:{work.version}:{tries}",
        )
        self.store.append(work.incident, [draft], None)
        with self.store.transaction() as connection:
            work_rows.failed(connection, work, trouble, due_at)

    def _next_expiry(self, incident: str) -> datetime | None:
        pending = self.store.approvals(ApprovalStatus.PENDING, incident)
        return min((each.request.expires_at for each in pending), default=None)

    def _observed(self, incident: str) -> Observations | None:
        text = self.store.document(incident, documents.OBSERVATIONS)
        return None if text is None else Observations.model_validate_json(text)


@contextmanager
def working(worker: Worker) -> Generator[None]:
    """A worker that works beside the block, and has come to a safe point when the block is left."""
    if worker.at_once == 0:
        yield
        return
    thread = Thread(target=worker.run, name="whydown-worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()
