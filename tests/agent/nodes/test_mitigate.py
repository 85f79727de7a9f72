"""Mitigate: once, exactly what was approved, and never again when nobody knows what became of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Literal, NoReturn

import pytest

from agent.errors import ConflictError
from agent.incident import IncidentStatus, Source
from agent.investigation import Investigation
from agent.nodes import propose_mitigation as proposing
from agent.nodes.diagnose import diagnose
from agent.nodes.mitigate import mitigate
from agent.nodes.propose_mitigation import propose_mitigation
from agent.state import IncidentState
from agent.step import Step
from tests.agent.investigations import (
    ROLLBACK,
    CountingOperations,
    Opened,
    after,
    gathered,
    one_mitigation,
    small_backend,
    with_operations,
)
from tools.evidence import ToolError


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    monkeypatch.setattr(proposing, "propose", one_mitigation)
    with Opened(tmp_path) as opened:
        yield opened


def approved(opened: Opened, desk: Investigation, *, word: str = "approve") -> IncidentState:
    state = after(after(gathered(desk), diagnose, desk), propose_mitigation, desk)
    opened.decide(desk.incident, word)
    return state.model_copy(update={"approved": state.approvals})


def told(step: Step) -> str:
    (entry,) = step.entries
    return entry.text


@pytest.mark.parametrize("outcome", ["done", "rehearsed", "failed"])
def test_it_is_performed_once_and_its_result_is_kept(
    opened: Opened, tmp_path: Path, outcome: Literal["done", "rehearsed", "failed"]
) -> None:
    operations = CountingOperations(tmp_path / "ledger", outcome)
    desk = opened.desk(with_operations(small_backend(tmp_path), operations))
    state = approved(opened, desk)
    text = told(mitigate(state, desk))
    assert text == f"{str(ROLLBACK).capitalize()}, approved by Ada: {outcome}: {outcome} {ROLLBACK}"
    action = opened.store.action(state.approved[0])
    assert action is not None
    assert action.result is not None
    assert action.result.outcome == outcome
    assert (tmp_path / "ledger").read_text().split()[-1] == action.key
    assert opened.store.incident(desk.incident).status is IncidentStatus.MITIGATING

    assert told(mitigate(state, desk)) == text, "after a crash it reports what it did"
    assert operations.performed == 1


def test_what_nobody_approved_cannot_be_performed(opened: Opened, tmp_path: Path) -> None:
    operations = CountingOperations(tmp_path / "ledger")
    desk = opened.desk(with_operations(small_backend(tmp_path), operations))
    state = approved(opened, desk, word="reject")
    with pytest.raises(ConflictError, match="rejected"):
        mitigate(state, desk)
    assert operations.performed == 0


@pytest.mark.parametrize("error", [ToolError(Source.CHANGES, "502 after the request was sent"), OSError("reset")])
def test_an_action_that_ends_in_an_error_is_unknown_and_not_repeated(
    opened: Opened, tmp_path: Path, error: Exception
) -> None:
    def fail() -> NoReturn:
        raise error

    operations = CountingOperations(tmp_path / "ledger", after=fail)
    desk = opened.desk(with_operations(small_backend(tmp_path), operations))
    state = approved(opened, desk)
    assert "outcome unknown, not repeated, look at the system itself" in told(mitigate(state, desk))
    action = opened.store.action(state.approved[0])
    assert action is not None
    assert action.result is None
    assert "outcome unknown" in told(mitigate(state, desk))
    assert operations.performed == 1


def test_an_action_that_hangs_is_unknown(opened: Opened, tmp_path: Path) -> None:
    released, waited = Event(), list[bool]()
    operations = CountingOperations(tmp_path / "ledger", before=lambda: waited.append(released.wait(60)))
    desk = opened.desk(with_operations(small_backend(tmp_path), operations), tool_timeout_seconds=0.1)
    state = approved(opened, desk)
    assert "no answer within 0.1 s" in told(mitigate(state, desk))
    released.set()
    while not operations.performed:  # the thread that was left behind must not outlive the test's folder
        time.sleep(0.01)


def test_a_stop_waits_for_an_action_under_way(opened: Opened, tmp_path: Path) -> None:
    backend = small_backend(tmp_path)
    desk = opened.desk(backend)
    operations = CountingOperations(tmp_path / "ledger", "done", before=desk.stop.set)
    desk = replace(desk, backend=with_operations(backend, operations))
    state = approved(opened, desk)
    assert "done: done rollback" in told(mitigate(state, desk))
    assert desk.stop.is_set()


def test_a_backend_that_lost_its_hands_claims_nothing(opened: Opened, tmp_path: Path) -> None:
    desk = opened.desk(small_backend(tmp_path))
    state = approved(opened, desk)
    desk = replace(desk, backend=replace(desk.backend, operations=None))
    assert told(mitigate(state, desk)).endswith("not performed: small cannot act")
    assert opened.store.action(state.approved[0]) is None


def test_a_dismissed_incident_is_not_touched(opened: Opened, tmp_path: Path) -> None:
    operations = CountingOperations(tmp_path / "ledger")
    desk = opened.desk(with_operations(small_backend(tmp_path), operations))
    state = approved(opened, desk)
    opened.store.set_status(desk.incident, IncidentStatus.DISMISSED, None)
    with pytest.raises(ConflictError, match="dismissed"):
        mitigate(state, desk)
    assert operations.performed == 0
