"""What is due gets done, once, whoever dies; what cannot be done is tried again and then said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from agent import work_rows
from agent.errors import ConflictError, OperatorError
from agent.incident import IncidentStatus, TimelineKind
from agent.intake.intake import Intake
from agent.intake.notice import Notice
from agent.nodes import propose_mitigation
from agent.work_rows import Work
from agent.worker import TRIES, Worker
from tests.agent.investigations import (
    CountingOperations,
    Opened,
    one_mitigation,
    small_alert,
    small_backend,
    with_operations,
)
from tests.agent.store_samples import Clock
from tools.backend import Backend

MINUTE = timedelta(minutes=1)
NOTICE = Notice(source="made up", key="k", says="fire", alert=small_alert(), at=small_alert().fired_at)


class Shift:
    """A store, an intake and a worker on it, by a clock that the test moves."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.clock.at = NOTICE.at + 5 * MINUTE
        self.opened = Opened(folder, now=self.clock)
        self.store = self.opened.store
        self.operations = CountingOperations(folder / "ledger")
        self.backend = with_operations(small_backend(folder), self.operations)
        self.intake = Intake(self.store, most_per_hour=100)
        self.worker = Worker(self.store, self.opened.settings, self.backend_of)
        self.broken: OperatorError | None = None

    def backend_of(self, incident: str) -> Backend:
        if self.broken is not None:
            raise self.broken
        return self.backend

    def alert(self) -> str:
        return self.intake.receive([NOTICE])[0].incident or ""

    def due(self) -> list[Work]:
        with self.store.reading() as connection:
            return work_rows.due(connection, self.clock.at, 10)

    def work(self) -> int:
        """Do all that is due now, one after the other; returns how much that was."""
        found = self.due()
        for each in found:
            self.worker.do(each)
        return len(found)


@pytest.fixture
def shift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shift]:
    monkeypatch.setattr(propose_mitigation, "propose", one_mitigation)
    made = Shift(tmp_path)
    with made.opened:
        yield made


def test_an_alert_becomes_a_diagnosis_and_then_waits_for_people(shift: Shift) -> None:
    incident = shift.alert()
    assert shift.work() == 1
    assert shift.store.incident(incident).status is IncidentStatus.AWAITING_APPROVAL
    assert shift.opened.runner.diagnosis(incident) is not None
    assert shift.due() == []


def test_a_decision_makes_it_due_at_once(shift: Shift) -> None:
    incident = shift.alert()
    shift.work()
    shift.opened.decide(incident)
    assert shift.work() == 1
    assert shift.operations.performed == 1
    assert shift.due() == []


def test_a_request_that_nobody_answers_makes_it_due_when_it_expires(shift: Shift) -> None:
    incident = shift.alert()
    shift.work()
    shift.clock.forward(timedelta(hours=1))
    assert shift.work() == 1
    assert shift.due() == []
    assert shift.operations.performed == 0
    assert any("nobody answered" in text for text in shift.opened.texts(incident))


def test_a_word_that_comes_while_it_works_is_not_lost(shift: Shift) -> None:
    shift.alert()
    (work,) = shift.due()
    with shift.store.transaction() as connection:
        work_rows.want(connection, work.incident, shift.clock.at)
    shift.worker.do(work)
    assert [each.version for each in shift.due()] == [2]


def test_trouble_is_said_and_tried_again_and_at_last_given_up(shift: Shift) -> None:
    incident = shift.alert()
    shift.broken = OperatorError("metrics.url: refused")
    tries = 0
    for _ in range(10 * TRIES):
        tries += shift.work()
        shift.clock.forward(MINUTE)
    assert tries == TRIES
    said = [entry.text for entry in shift.store.timeline(incident) if entry.kind is TimelineKind.ERROR]
    assert len(said) == TRIES
    assert "metrics.url: refused (attempt 1 of 6; tried again at" in said[0]
    assert said[-1].endswith("(attempt 6 of 6; given up; whydown resume)")


def test_trouble_that_passes_costs_nothing_but_time(shift: Shift) -> None:
    incident = shift.alert()
    shift.broken = OperatorError("metrics.url: refused")
    shift.work()
    shift.broken = None
    shift.clock.forward(MINUTE)
    shift.work()
    assert shift.opened.runner.diagnosis(incident) is not None


def test_what_another_process_holds_is_not_due(shift: Shift) -> None:
    incident = shift.alert()
    assert shift.store.acquire(incident, "another", MINUTE) is not None
    assert shift.due() == []
    with pytest.raises(ConflictError):
        shift.worker.do(Work(incident=incident, due_at=shift.clock.at, version=1, attempts=0))
    shift.clock.forward(2 * MINUTE)
    assert shift.work() == 1


def test_an_incident_that_people_closed_is_left_alone(shift: Shift) -> None:
    incident = shift.alert()
    shift.store.set_status(incident, IncidentStatus.DISMISSED, None)
    shift.work()
    assert shift.due() == []
    assert shift.opened.runner.diagnosis(incident) is None


def test_an_incident_that_comes_back_is_investigated_anew(shift: Shift) -> None:
    incident = shift.alert()
    shift.work()
    shift.opened.decide(incident, "reject")
    shift.work()
    shift.store.set_status(incident, IncidentStatus.STABLE, None)
    again = small_alert(fired_at=(NOTICE.at + 10 * MINUTE).isoformat())
    shift.clock.at = NOTICE.at + 12 * MINUTE
    shift.intake.receive([NOTICE.model_copy(update={"alert": again, "at": again.fired_at})])
    assert shift.work() == 1
    triages = [entry for entry in shift.store.timeline(incident) if entry.node == "triage" and "SEV" in entry.text]
    assert len(triages) == 2
    first, second = shift.store.approvals(incident_id=incident)
    assert first.request.digest == second.request.digest
    assert first.request.id != second.request.id
    shift.opened.decide(incident, position=1)
    shift.work()
    assert shift.operations.performed == 1
    assert shift.store.verify_timeline(incident) is None


def test_what_it_took_is_the_price_of_the_next(shift: Shift) -> None:
    shift.alert()
    shift.work()
    with shift.store.reading() as connection:
        cost = work_rows.typical_cost(connection)
    assert cost is not None
    assert cost[0] > 0
    assert cost[1] > 3


def test_it_runs_until_it_is_told_to_stop(shift: Shift) -> None:
    incident = shift.alert()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(shift.worker.run)
        for _ in range(600):
            if shift.store.incident(incident).status is IncidentStatus.AWAITING_APPROVAL:
                break
            time.sleep(0.05)
        shift.worker.stop()
        running.result(timeout=30)
    assert shift.store.incident(incident).status is IncidentStatus.AWAITING_APPROVAL
