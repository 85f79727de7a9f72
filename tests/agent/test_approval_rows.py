from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.approval import NOBODY_ANSWERED, ApprovalStatus
from agent.errors import CallerError, ConflictError, OperatorError
from agent.store import Store
from tests.agent.store_samples import MINUTE, START, Clock, approval_request, incident_in, says, url_of
from tests.agent.test_timeline_rows import forge
from tools.evidence import OperationResult

S = ApprovalStatus
DONE = OperationResult(outcome="done", detail="basket runs v213")
FAILED = OperationResult(outcome="failed", detail="no such version")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(url_of(tmp_path), clock) as opened:
        yield opened


@pytest.fixture
def incident(store: Store) -> str:
    return incident_in(store)


def approve(store: Store, incident: str) -> str:
    store.request_approval(approval_request(incident))
    store.decide("A1", says("approve"))
    return approval_request(incident).digest


def test_a_request_waits_until_somebody_decides(store: Store, incident: str) -> None:
    asked = store.request_approval(approval_request(incident))
    assert (asked.request, asked.status, asked.decisions) == (approval_request(incident), S.PENDING, ())
    assert store.approvals(S.PENDING) == [asked] == [store.approval("A1")]
    assert store.approved("A1") == ()
    decided = store.decide("A1", says("approve"))
    assert decided.status is S.APPROVED
    assert store.approval("A1") == decided
    assert store.approved("A1") == (says("approve"),)
    assert store.approvals(S.PENDING) == []


def test_the_same_operation_asked_again_is_the_same_request(store: Store, incident: str) -> None:
    first = store.request_approval(approval_request(incident))
    assert store.request_approval(approval_request(incident)) == first
    assert store.request_approval(approval_request(incident, name="A2")) == first
    assert len(store.approvals()) == 1


@pytest.mark.parametrize("verdict", ["approve", "modify", "reject", "escalate"])
def test_what_somebody_said_stands_when_it_is_asked_again(store: Store, incident: str, verdict: str) -> None:
    store.request_approval(approval_request(incident))
    decided = store.decide("A1", says(verdict))
    assert store.request_approval(approval_request(incident, name="A2")) == decided


def test_a_modified_operation_is_a_new_request_and_the_old_one_is_superseded(store: Store, incident: str) -> None:
    store.request_approval(approval_request(incident))
    assert store.decide("A1", says("modify")).status is S.SUPERSEDED
    changed = store.request_approval(approval_request(incident, name="A2", target="checkout"))
    assert changed.status is S.PENDING
    with pytest.raises(ConflictError, match="superseded by ana"):
        store.decide("A1", says("approve", by="bo"))


def test_only_an_unanswered_request_can_be_asked_again(store: Store, incident: str, clock: Clock) -> None:
    store.request_approval(approval_request(incident))
    clock.forward(20 * MINUTE)
    expired = store.approval("A1")
    assert (expired.status, expired.reason) == (S.EXPIRED, NOBODY_ANSWERED)
    assert store.approvals(S.EXPIRED) == [expired]
    with pytest.raises(ConflictError, match="nobody answered"):
        store.decide("A1", says("approve"))
    assert store.request_approval(approval_request(incident)) == expired
    again = approval_request(incident, name="A2", minutes=40)
    assert store.request_approval(again).status is S.PENDING
    assert store.request_approval(again.model_copy(update={"id": "A3"})).request.id == "A2"
    assert store.decide("A2", says("approve")).status is S.APPROVED
    assert store.approval("A1").status is S.EXPIRED


def test_requests_are_kept_apart_by_incident_and_operation(store: Store, incident: str) -> None:
    other = incident_in(store, "web")
    store.request_approval(approval_request(incident))
    store.request_approval(approval_request(incident, name="A2", target="checkout"))
    store.request_approval(approval_request(other, name="A3"))
    assert [found.request.id for found in store.approvals()] == ["A1", "A2", "A3"]
    assert [found.request.id for found in store.approvals(incident_id=incident)] == ["A1", "A2"]
    assert [found.request.id for found in store.approvals(S.PENDING, other)] == ["A3"]
    with pytest.raises(ConflictError, match="approval id 'A1' belongs to another request"):
        store.request_approval(approval_request(other, name="A1", target="checkout"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"digest": "0" * 64}, "is not that of"),
        ({"approvers_needed": 0}, "one approver"),
        ({"expires_at": START}, "time"),
    ],
)
def test_a_request_that_could_not_be_decided_is_refused(
    store: Store, incident: str, change: dict[str, object], complaint: str
) -> None:
    with pytest.raises(CallerError, match=complaint):
        store.request_approval(approval_request(incident).model_copy(update=change))


def test_two_people_are_heard_across_transactions(store: Store, incident: str) -> None:
    store.request_approval(approval_request(incident, approvers=2))
    assert store.decide("A1", says("approve", by="ana")).status is S.PENDING
    assert store.decide("A1", says("approve", by="ana")).status is S.PENDING
    assert store.approved("A1") == ()
    assert store.decide("A1", says("approve", by="bo")).status is S.APPROVED
    assert [said.by for said in store.approved("A1")] == ["ana", "bo"]


def test_a_double_click_gets_the_same_answer(store: Store, incident: str) -> None:
    store.request_approval(approval_request(incident))
    assert store.decide("A1", says("reject")) == store.decide("A1", says("reject"))
    assert len(store.approval("A1").decisions) == 1


def test_a_decision_about_another_operation_is_refused(store: Store, incident: str) -> None:
    store.request_approval(approval_request(incident))
    with pytest.raises(ConflictError, match="reload"):
        store.decide("A1", says("approve", request=approval_request(incident, target="checkout")))
    assert store.approval("A1").status is S.PENDING


def test_what_does_not_exist_is_the_callers_error(store: Store, incident: str) -> None:
    for ask in (store.approval, store.approved, lambda name: store.decide(name, says("approve"))):
        with pytest.raises(CallerError, match="there is no approval 'A9'"):
            ask("A9")
    with pytest.raises(CallerError, match="there is no approval 'A9'"):
        store.claim_action(incident, "A9", "0" * 64, None)
    with pytest.raises(CallerError, match="there is no action 'act-0'"):
        store.finish_action("act-0", DONE, None)
    assert store.action("A9") is None


def test_an_approved_operation_is_claimed_once(store: Store, incident: str, clock: Clock) -> None:
    digest = approve(store, incident)
    assert store.action("A1") is None
    key = store.claim_action(incident, "A1", digest, None)
    assert key is not None
    assert store.claim_action(incident, "A1", digest, None) is None
    claimed = store.action("A1")
    assert claimed is not None
    assert (claimed.key, claimed.incident, claimed.approval, claimed.digest) == (key, incident, "A1", digest)
    assert (claimed.claimed_at, claimed.finished_at, claimed.result) == (START, None, None)
    clock.forward(MINUTE)
    finished = store.finish_action(key, DONE, None)
    assert (finished.finished_at, finished.result) == (START + MINUTE, DONE)
    assert store.action("A1") == finished
    assert store.claim_action(incident, "A1", digest, None) is None


def test_an_approval_given_in_time_still_counts_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    with Store.open(url_of(tmp_path), clock) as before:
        incident = incident_in(before)
        digest = approve(before, incident)
    clock.forward(120 * MINUTE)
    with Store.open(url_of(tmp_path), clock) as after:
        assert after.claim_action(incident, "A1", digest, None) is not None
        assert after.claim_action(incident, "A1", digest, None) is None


def test_a_result_is_written_once(store: Store, incident: str, clock: Clock) -> None:
    key = store.claim_action(incident, "A1", approve(store, incident), None)
    assert key is not None
    first = store.finish_action(key, DONE, None)
    clock.forward(MINUTE)
    assert store.finish_action(key, DONE, None) == first
    with pytest.raises(ConflictError, match="already ended done: basket runs v213"):
        store.finish_action(key, FAILED, None)


@pytest.mark.parametrize("verdict", [None, "modify", "reject", "escalate"])
def test_nothing_is_performed_that_nobody_approved(store: Store, incident: str, verdict: str | None) -> None:
    request = approval_request(incident)
    store.request_approval(request)
    if verdict:
        store.decide("A1", says(verdict))
    with pytest.raises(ConflictError, match="so nothing may be performed"):
        store.claim_action(incident, "A1", request.digest, None)
    assert store.action("A1") is None


def test_half_an_approval_performs_nothing(store: Store, incident: str) -> None:
    request = approval_request(incident, approvers=2)
    store.request_approval(request)
    store.decide("A1", says("approve"))
    with pytest.raises(ConflictError, match="is pending, so nothing may be performed"):
        store.claim_action(incident, "A1", request.digest, None)


def test_an_approval_covers_its_own_operation_and_incident_only(store: Store, incident: str) -> None:
    digest = approve(store, incident)
    with pytest.raises(ConflictError, match="is not for operation"):
        store.claim_action(incident, "A1", approval_request(incident, target="checkout").digest, None)
    with pytest.raises(ConflictError, match="is not for operation"):
        store.claim_action(incident_in(store, "web"), "A1", digest, None)


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE approvals SET request = replace(request, \'"target":"basket"\', \'"target":"payments"\')',
        "UPDATE approvals SET digest = 'x'",
        "UPDATE approvals SET request = '{}'",
        "UPDATE approvals SET status = 'perhaps'",
        "UPDATE decisions SET value = '{}'",
    ],
)
def test_an_approval_changed_behind_our_back_approves_nothing(
    store: Store, incident: str, tmp_path: Path, statement: str
) -> None:
    digest = approve(store, incident)
    forge(tmp_path, statement)
    with pytest.raises(OperatorError, match=r"^approval A1 [^\n]+$"):
        store.claim_action(incident, "A1", digest, None)


def test_an_action_that_cannot_be_read_is_one_line_for_the_operator(
    store: Store, incident: str, tmp_path: Path
) -> None:
    key = store.claim_action(incident, "A1", approve(store, incident), None)
    forge(tmp_path, "UPDATE actions SET result = '{}'")
    with pytest.raises(OperatorError, match=rf"^action {key} cannot be read: [^\n]+$"):
        store.action("A1")
