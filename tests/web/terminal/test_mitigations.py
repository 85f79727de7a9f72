"""Who has to act, and what came of it."""

from __future__ import annotations

import pytest

from agent.approval import Action, Approval, ApprovalStatus
from agent.incident import Mitigation, OperationResult, Recovery
from tests.web import told
from web.terminal.mitigations import standing
from web.terminal.times import Day

DAY = Day.of(told.FIRED)
DONE = OperationResult(outcome="done", detail="price-api runs v213")
ACTION = Action(
    key="act-1",
    incident=told.INCIDENT.id,
    approval=told.REQUEST.id,
    digest=told.REQUEST.digest,
    claimed_at=told.FIRED,
    finished_at=told.FIRED,
    result=DONE,
)


def said(mitigation: Mitigation, approval: Approval | None, **more: object) -> list[str]:
    report = told.report(told.DIAGNOSIS).model_copy(update=more)
    return [line.plain for line in standing(mitigation, approval, report, DAY)]


def test_what_only_people_can_do_is_left_to_them() -> None:
    assert said(told.SHED, None) == ["A person has to do this; whydown does not act on it."]


def test_two_people_are_asked_for_where_two_are_needed() -> None:
    request = told.REQUEST.model_copy(update={"approvers_needed": 2})
    [line, command] = said(told.ROLLBACK, Approval(request=request))
    assert line == "Waits for 2 people until 15:25:00 UTC:"
    assert command == f"whydown approvals approve {request.id}"


def test_what_was_done_and_whether_it_helped() -> None:
    claim = told.claim("p99 is back under 800 ms for two samples", told.E_P99)
    lines = said(told.ROLLBACK, told.APPROVED, actions=(ACTION,), recovery=Recovery(outcome="verified", claim=claim))
    assert lines == ["Approved by mara", "done: price-api runs v213", f"Recovery verified: {claim.text} [{told.E_P99}]"]


def test_an_approval_that_was_not_acted_on_yet_claims_nothing() -> None:
    assert said(told.ROLLBACK, told.APPROVED) == ["Approved by mara"]


def test_when_nobody_knows_whether_it_was_done_a_person_is_told_to_look() -> None:
    begun = ACTION.model_copy(update={"result": None, "finished_at": None})
    assert "nobody knows" in said(told.ROLLBACK, told.APPROVED, actions=(begun,))[1]


@pytest.mark.parametrize(
    ("status", "says"),
    [(ApprovalStatus.EXPIRED, "Expired: nobody answered"), (ApprovalStatus.SUPERSEDED, "Superseded")],
)
def test_a_request_that_is_over_says_why(status: ApprovalStatus, says: str) -> None:
    [line] = said(told.ROLLBACK, told.PENDING.model_copy(update={"status": status}))
    assert line.startswith(says)
