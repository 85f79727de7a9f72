"""What people said to the approval requests of an incident, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence

from agent.approval import Approval, ApprovalStatus
from agent.errors import ConflictError
from agent.incident import ApprovalDecision, TimelineKind
from agent.investigation import Investigation
from agent.store import TimelineDraft


def settle(approval_ids: Sequence[str], desk: Investigation) -> list[str] | None:
    """Ids of the approved requests once the investigation can go on; None while it has to wait.

    It goes on when somebody approved one, or when none is open any more. Requests that are still open then are
    withdrawn, so that nobody approves what will not be done.
    """
    found = [desk.store.approval(each) for each in approval_ids]
    if not any(each.status is ApprovalStatus.APPROVED for each in found):
        if any(each.status is ApprovalStatus.PENDING for each in found):
            return None
    settled = [_withdrawn(each, desk) if each.status is ApprovalStatus.PENDING else each for each in found]
    desk.tell([_entry(each) for each in settled])
    return [each.request.id for each in settled if each.status is ApprovalStatus.APPROVED]


def _withdrawn(approval: Approval, desk: Investigation) -> Approval:
    request = approval.request
    word = ApprovalDecision(
        verdict="reject",
        by="whydown",
        reason="withdrawn, because another mitigation was approved",
        at=desk.now(),
        digest=request.digest,
    )
    try:
        return desk.store.decide(request.id, word)
    except ConflictError:  # somebody decided in this very moment; their word stands
        return desk.store.approval(request.id)


def _entry(approval: Approval) -> TimelineDraft:
    last = approval.decisions[-1] if approval.decisions else None
    because = f": {approval.reason}" if approval.reason else ""
    mitigation = approval.request.mitigation
    return TimelineDraft(
        kind=TimelineKind.APPROVAL,
        at=last.at if last else None,
        by=last.by if last else "whydown",
        text=f"{mitigation.title} {approval.status.value}{because}",
        evidence=mitigation.reason.evidence,
        node="request_approval",
        key=f"approval:{approval.request.id}",
    )
