"""What the tests of the graph share: a small incident, backends that misbehave, and a mitigation to approve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from agent.analysis.observed import Observations
from agent.incident import (
    Alert,
    ApprovalDecision,
    Diagnosis,
    Mitigation,
    Operation,
    OperationKind,
    OperationResult,
    TimeWindow,
)
from agent.investigation import Investigation
from agent.nodes.correlate import correlate
from agent.nodes.gather import branches, gather
from agent.nodes.triage import triage
from agent.parse_alert import parse_alert
from agent.runner import Runner
from agent.settings import Settings
from agent.state import IncidentState
from agent.step import Step
from agent.store import Store
from tests.tools.recording_files import ALERT, small_incident
from tools.backend import Backend
from tools.recorded import read_recording, recorded_backend

ROLLBACK = Operation(kind=OperationKind.ROLLBACK, target="inventory", arguments={"from": "v7", "to": "v6"})
FLAG = Operation(kind=OperationKind.FLAG_OFF, target="inventory", arguments={"flag": "strict"})


def mitigation(diagnosis: Diagnosis, operation: Operation = ROLLBACK, *, manual: bool = False) -> Mitigation:
    return Mitigation(
        id=f"M-{operation.kind.value}",
        operation=operation,
        title=str(operation).capitalize(),
        reason=diagnosis.answer,
        risk="low",
        reversible=True,
        undo="deploy v7 again",
        expected_effect="the old version runs again",
        check="checkout http_error_ratio back in its band",
        manual=manual,
    )


def one_mitigation(diagnosis: Diagnosis, observations: Observations) -> tuple[Mitigation, ...]:
    """Stands in for `propose`, so that these tests do not depend on what the ranking thinks of the small incident."""
    return (mitigation(diagnosis),)


def two_mitigations(diagnosis: Diagnosis, observations: Observations) -> tuple[Mitigation, ...]:
    return (mitigation(diagnosis), mitigation(diagnosis, FLAG))


def manual_mitigation(diagnosis: Diagnosis, observations: Observations) -> tuple[Mitigation, ...]:
    return (mitigation(diagnosis, manual=True),)


def small_backend(folder: Path) -> Backend:
    return recorded_backend(read_recording(small_incident(folder / "small")))


def small_alert(**others: object) -> Alert:
    return parse_alert({**ALERT, **others})  # type: ignore[dict-item]


def settings_in(folder: Path, **others: object) -> Settings:
    return Settings(store=f"sqlite:///{folder / 'whydown.db'}", **others)  # type: ignore[arg-type]


class Opened:
    """A store and its runner, as one process has them."""

    def __init__(
        self, folder: Path, ahead: timedelta = timedelta(0), now: Callable[[], datetime] | None = None, **others: object
    ) -> None:
        self.now = now or (lambda: datetime.now(UTC) + ahead)
        self.settings = settings_in(folder, **others)
        self.store = Store.open(self.settings.store, self.now)
        self.runner = Runner(self.store, self.settings, self.now)

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def texts(self, incident: str, node: str | None = None) -> list[str]:
        return [e.text for e in self.store.timeline(incident) if node is None or e.node == node]

    def desk(self, backend: Backend, incident: str | None = None, **others: object) -> Investigation:
        """What a node works with, outside a graph."""
        incident = incident or self.runner.open(small_alert()).id
        lease = self.store.acquire(incident, "test", timedelta(minutes=5))
        assert lease is not None
        return Investigation(
            incident=incident,
            alert=self.store.alert_of(incident),
            backend=backend,
            store=self.store,
            settings=self.settings.model_copy(update=others),
            lease=lease,
            now=self.now,
        )

    def decide(self, incident: str, verdict: str = "approve", position: int = 0, by: str = "Ada") -> str:
        """A person's word on one of the incident's approval requests; returns its id."""
        request = self.store.approvals(incident_id=incident)[position].request
        word = ApprovalDecision(verdict=verdict, by=by, reason="seen it before", at=self.now(), digest=request.digest)  # type: ignore[arg-type]
        self.store.decide(request.id, word)
        return request.id


def triaged(desk: Investigation) -> IncidentState:
    """The state as triage leaves it."""
    return after(IncidentState(incident=desk.incident), triage, desk)


def gathered(desk: Investigation) -> IncidentState:
    """The state as correlate leaves it."""
    state = triaged(desk)
    for branch in branches(state):
        gather(branch, desk)
    return after(state, correlate, desk)


def after(
    state: IncidentState, node: Callable[[IncidentState, Investigation], Step], desk: Investigation
) -> IncidentState:
    """The state after one more node that is not part of a fan-out."""
    return state.model_copy(update=node(state, desk).changes)


class CountingOperations:
    """Performs by writing a line into a file, so that performances are counted across processes."""

    def __init__(
        self,
        ledger: Path,
        outcome: Literal["done", "rehearsed", "failed"] = "rehearsed",
        before: Callable[[], None] = lambda: None,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self.ledger = ledger
        self.outcome: Literal["done", "rehearsed", "failed"] = outcome
        self.before = before
        self.after = after

    def dry_run(self, operation: Operation) -> str:
        return f"would {operation}"

    def perform(self, operation: Operation, idempotency_key: str) -> OperationResult:
        self.before()
        with self.ledger.open("a") as file:
            file.write(f"{operation} {idempotency_key}\n")
        self.after()
        return OperationResult(outcome=self.outcome, detail=f"{self.outcome} {operation}")

    @property
    def performed(self) -> int:
        return len(self.ledger.read_text().splitlines()) if self.ledger.exists() else 0


def with_operations(backend: Backend, operations: CountingOperations) -> Backend:
    return replace(backend, operations=operations)


class Awkward:
    """A backend part whose every tool does the same: `act` hangs, raises or lies."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act

    def metric_range(self, window: TimeWindow, service: str | None = None, metric: str | None = None) -> object:
        return self.act()

    def log_lines(
        self, window: TimeWindow, service: str | None = None, contains: str | None = None, limit: int | None = None
    ) -> object:
        return self.act()

    def spans(self, window: TimeWindow, service: str | None = None, operation: str | None = None) -> object:
        return self.act()

    def changes(self, window: TimeWindow) -> object:
        return self.act()

    def status_events(self, window: TimeWindow) -> object:
        return self.act()

    def edges(self) -> object:
        return self.act()

    def runbooks(self) -> object:
        return self.act()


def awkward_backend(act: Callable[[], object], window: TimeWindow | None = None) -> Backend:
    part = Awkward(act)
    return Backend(
        name="awkward",
        metrics=part,  # type: ignore[arg-type]
        logs=part,  # type: ignore[arg-type]
        traces=part,  # type: ignore[arg-type]
        changes=part,  # type: ignore[arg-type]
        topology=part,  # type: ignore[arg-type]
        runbooks=part,  # type: ignore[arg-type]
        window=window,
    )
