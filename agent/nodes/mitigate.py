"""Mitigate: carry out what people approved, once. What a crash interrupted is reported and never repeated."""

from __future__ import annotations

from threading import Event

from agent.approval import Approval
from agent.incident import ApprovalDecision, IncidentStatus, OperationResult, TimelineKind
from agent.investigation import Investigation
from agent.state import IncidentState
from agent.step import Step
from agent.store import TimelineDraft
from tools.backend import Operations
from tools.evidence import Source, ToolError
from tools.mitigations import Approved, NotApproved, perform


def mitigate(state: IncidentState, desk: Investigation) -> Step:
    """Perform each approved operation, in the order in which they were proposed."""
    desk.move(IncidentStatus.MITIGATING)
    return Step({}, [_carry_out(desk.store.approval(approval), desk) for approval in state.approved])


def _carry_out(approval: Approval, desk: Investigation) -> TimelineDraft:
    request = approval.request
    operations = desk.backend.operations
    if operations is None:
        return _entry(approval, f"not performed: {desk.backend.name} cannot act")
    key = desk.store.claim_action(desk.incident, request.id, request.digest, desk.lease)
    if key is None:
        return _entry(approval, _earlier(request.id, desk))
    decision = desk.store.approved(request.id)[-1]
    result = _perform(operations, approval, decision, key, desk)
    if isinstance(result, str):
        return _entry(approval, _unknown(result))
    desk.store.finish_action(key, result, desk.lease)
    return _entry(approval, f"{result.outcome}: {result.detail}")


def _perform(
    operations: Operations, approval: Approval, decision: ApprovalDecision, key: str, desk: Investigation
) -> OperationResult | str:
    """The result, or why nobody knows it. A stop waits for it: half an action is worse than a late stop."""
    operation = approval.request.mitigation.operation
    try:
        approved = Approved(operation=operation, digest=decision.digest, by=decision.by, key=key)
    except NotApproved as error:
        return OperationResult(outcome="failed", detail=f"not performed: {error}")
    try:
        return desk.call(Source.CHANGES, lambda: perform(operations, approved), Event())
    except ToolError as error:
        return error.message


def _earlier(approval_id: str, desk: Investigation) -> str:
    """What is known of a performance that was claimed before this node ran (again)."""
    action = desk.store.action(approval_id)
    if action is None or action.result is None:
        return _unknown("the process that performed it ended before it could tell")
    return f"{action.result.outcome}: {action.result.detail}"


def _unknown(why: str) -> str:
    return f"outcome unknown, not repeated, look at the system itself: {why}"


def _entry(approval: Approval, text: str) -> TimelineDraft:
    mitigation = approval.request.mitigation
    by = ", ".join(decision.by for decision in approval.decisions)
    return TimelineDraft(
        kind=TimelineKind.ACTION,
        text=f"{mitigation.title}, approved by {by}: {text}",
        evidence=mitigation.reason.evidence,
    )
