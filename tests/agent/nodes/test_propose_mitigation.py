"""Propose: each mitigation is rehearsed, bound to its digest and put to people, or said to be theirs to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent import documents
from agent.analysis.observed import Observations
from agent.approval import ONE_PERSON_EXPIRES, TWO_PEOPLE_EXPIRE
from agent.incident import Diagnosis, IncidentStatus, Mitigation, OperationResult
from agent.investigation import Investigation
from agent.nodes import propose_mitigation as module
from agent.nodes.diagnose import diagnose
from agent.nodes.propose_mitigation import propose_mitigation
from agent.state import IncidentState
from tests.agent.investigations import (
    FLAG,
    ROLLBACK,
    Opened,
    after,
    gathered,
    manual_mitigation,
    mitigation,
    one_mitigation,
    small_backend,
    two_mitigations,
)
from tools.evidence import Operation, Source, ToolError

Propose = Callable[[Diagnosis, Observations], tuple[Mitigation, ...]]


def proposed(desk: Investigation, propose: Propose, monkeypatch: pytest.MonkeyPatch) -> IncidentState:
    monkeypatch.setattr(module, "propose", propose)
    return after(after(gathered(desk), diagnose, desk), propose_mitigation, desk)


def test_each_is_asked_for_with_its_dry_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = proposed(desk, two_mitigations, monkeypatch)
        approvals = [opened.store.approval(each) for each in state.approvals]
        assert [a.request.mitigation.operation for a in approvals] == [ROLLBACK, FLAG]
        for approval in approvals:
            assert approval.request.digest == approval.request.mitigation.operation.digest
            assert approval.request.dry_run.startswith("would ")
            assert approval.request.expires_at - approval.request.requested_at == ONE_PERSON_EXPIRES
        assert opened.store.incident(desk.incident).status is IncidentStatus.AWAITING_APPROVAL
        assert len(desk.get(documents.DIAGNOSIS, Diagnosis).mitigations) == 2


def test_what_cannot_be_undone_needs_two_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def irreversible(diagnosis: Diagnosis, observations: Observations) -> tuple[Mitigation, ...]:
        return (mitigation(diagnosis).model_copy(update={"reversible": False}),)

    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        (approval,) = proposed(desk, irreversible, monkeypatch).approvals
        request = opened.store.approval(approval).request
        assert request.approvers_needed == 2
        assert request.expires_at - request.requested_at == TWO_PEOPLE_EXPIRE


def test_the_operator_sets_how_long_it_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path), approval_minutes=3)
        (approval,) = proposed(desk, one_mitigation, monkeypatch).approvals
        request = opened.store.approval(approval).request
        assert request.expires_at - request.requested_at == timedelta(minutes=3)


def test_a_second_run_asks_for_the_same_thing_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = proposed(desk, one_mitigation, monkeypatch)
        assert propose_mitigation(state, desk).changes["approvals"] == state.approvals
        assert len(opened.store.approvals(incident_id=desk.incident)) == 1


@pytest.mark.parametrize("propose", [manual_mitigation, lambda diagnosis, observations: ()])
def test_nobody_is_asked_for_what_whydown_cannot_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, propose: Propose
) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        assert proposed(desk, propose, monkeypatch).approvals == []
        assert opened.store.incident(desk.incident).status is IncidentStatus.INVESTIGATING


def test_a_backend_without_hands_leaves_it_to_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(replace(small_backend(tmp_path), operations=None))
        assert proposed(desk, one_mitigation, monkeypatch).approvals == []


def test_a_dry_run_that_fails_is_said_and_people_still_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def dry_run(self, operation: Operation) -> str:
            raise ToolError(Source.CHANGES, "403")

        def perform(self, operation: Operation, idempotency_key: str) -> OperationResult:
            raise AssertionError("nobody approved it")

    with Opened(tmp_path) as opened:
        desk = opened.desk(replace(small_backend(tmp_path), operations=Broken()))
        (approval,) = proposed(desk, one_mitigation, monkeypatch).approvals
        assert opened.store.approval(approval).request.dry_run == "the dry run failed: 403"
