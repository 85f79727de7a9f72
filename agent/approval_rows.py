"""Approvals and actions as rows: one word at a time, one performance per approval."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from agent.approval import Action, Approval, ApprovalStatus, judge
from agent.errors import CallerError, ConflictError, OperatorError
from agent.incident import ApprovalDecision, ApprovalRequest
from agent.tables import actions, approvals, decisions
from tools.evidence import OperationResult


def request(connection: Connection, asked: ApprovalRequest, now: datetime, since: datetime | None = None) -> Approval:
    """The approval of this operation in this incident, asked for once (since its present round began).

    An earlier request for the same operation is the answer, whatever people said about it; only one that expired
    unanswered can be asked again. Raises CallerError for a request that could not be decided, ConflictError for an id
    that belongs to another request.
    """
    if asked.digest != asked.mitigation.operation.digest:
        raise CallerError(
            f"approval {asked.id}: digest {asked.digest[:12]} is not that of {asked.mitigation.operation}"
        )
    if asked.approvers_needed < 1 or asked.expires_at <= asked.requested_at:
        raise CallerError(f"approval {asked.id}: it needs at least one approver and some time")
    same = (approvals.c.incident_id == asked.incident) & (approvals.c.digest == asked.digest)
    if since is not None:
        same &= approvals.c.requested_at >= since
    for earlier in reversed(_select(connection, now, same)):
        if earlier.status is not ApprovalStatus.EXPIRED or earlier.request.id == asked.id:
            return earlier
    row = {
        "id": asked.id,
        "incident_id": asked.incident,
        "digest": asked.digest,
        "requested_at": asked.requested_at,
        "status": ApprovalStatus.PENDING.value,
        "request": asked.model_dump_json(),
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(approvals).values(**row))
    except IntegrityError as error:
        raise ConflictError(f"approval id {asked.id!r} belongs to another request") from error
    return Approval(request=asked)


def get(connection: Connection, approval_id: str, now: datetime) -> Approval:
    """The approval as it stands; raises CallerError for an unknown id."""
    incident_of(connection, approval_id)
    return _select(connection, now, approvals.c.id == approval_id)[0]


def incident_of(connection: Connection, approval_id: str) -> str:
    """The incident an approval belongs to; raises CallerError for an unknown id."""
    query = select(approvals.c.incident_id).where(approvals.c.id == approval_id)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise CallerError(f"there is no approval {approval_id!r}")
    return found


def everything(
    connection: Connection, status: ApprovalStatus | None, incident_id: str | None, now: datetime
) -> list[Approval]:
    """Approvals, oldest request first."""
    where = () if incident_id is None else (approvals.c.incident_id == incident_id,)
    return [found for found in _select(connection, now, *where) if status is None or found.status is status]


def decide(connection: Connection, approval_id: str, decision: ApprovalDecision, now: datetime) -> Approval:
    """Add one person's word; the caller holds the incident. See `agent.approval.judge` for what it does and refuses."""
    before = get(connection, approval_id, now)
    after = judge(before, decision, now)
    if after is before:
        return before
    row = {"approval_id": approval_id, "position": len(before.decisions), "value": decision.model_dump_json()}
    connection.execute(insert(decisions).values(**row))
    connection.execute(update(approvals).where(approvals.c.id == approval_id).values(status=after.status.value))
    return after


def claim(connection: Connection, incident_id: str, approval_id: str, digest: str, now: datetime) -> str | None:
    """The idempotency key of the one performance this approval allows; None when somebody already claimed it.

    Raises ConflictError when the operation is not the approved one or nobody approved it.
    """
    approval = get(connection, approval_id, now)
    if (approval.request.incident, approval.request.digest) != (incident_id, digest):
        raise ConflictError(f"approval {approval_id} is not for operation {digest[:12]} of incident {incident_id}")
    if approval.status is not ApprovalStatus.APPROVED:
        raise ConflictError(f"approval {approval_id} is {approval.status.value}, so nothing may be performed")
    key = "act-" + hashlib.sha256(f"{incident_id}|{approval_id}|{digest}".encode()).hexdigest()[:32]
    row = {"key": key, "incident_id": incident_id, "approval_id": approval_id, "digest": digest, "claimed_at": now}
    try:
        with connection.begin_nested():
            connection.execute(insert(actions).values(**row))
    except IntegrityError:
        return None
    return key


def finish(connection: Connection, key: str, result: OperationResult, now: datetime) -> Action:
    """Write down what came of it, once; the same result again changes nothing, another is a ConflictError."""
    action = _by_key(connection, key)
    if action.result == result:
        return action
    if action.result is not None:
        raise ConflictError(f"action {key} already ended {action.result.outcome}: {action.result.detail}")
    values = {"finished_at": now, "result": result.model_dump_json()}
    connection.execute(update(actions).where(actions.c.key == key).values(**values))
    return action.model_copy(update={"finished_at": now, "result": result})


def incident_of_action(connection: Connection, key: str) -> str:
    """The incident an action belongs to; raises CallerError for an unknown key."""
    return _by_key(connection, key).incident


def action_of(connection: Connection, approval_id: str) -> Action | None:
    """What was done under an approval; None when nobody claimed it yet."""
    return _action(connection, actions.c.approval_id == approval_id)


def _by_key(connection: Connection, key: str) -> Action:
    action = _action(connection, actions.c.key == key)
    if action is None:
        raise CallerError(f"there is no action {key!r}")
    return action


def _action(connection: Connection, where: ColumnElement[bool]) -> Action | None:
    row = connection.execute(select(actions).where(where)).one_or_none()
    if row is None:
        return None
    try:
        return Action(
            key=row.key,
            incident=row.incident_id,
            approval=row.approval_id,
            digest=row.digest,
            claimed_at=row.claimed_at,
            finished_at=row.finished_at,
            result=None if row.result is None else OperationResult.model_validate_json(row.result),
        )
    except ValidationError as error:
        raise OperatorError(f"action {row.key} cannot be read: {error.errors()[0]['msg']}") from error


def _select(connection: Connection, now: datetime, *where: ColumnElement[bool]) -> list[Approval]:
    query = select(approvals.c.id, approvals.c.digest, approvals.c.status, approvals.c.request).where(*where)
    rows = connection.execute(query.order_by(approvals.c.requested_at, approvals.c.id)).all()
    said = _decisions(connection, [row.id for row in rows])
    return [_approval(row.id, row.digest, row.status, row.request, said[row.id]).seen_at(now) for row in rows]


def _decisions(connection: Connection, ids: Sequence[str]) -> defaultdict[str, list[str]]:
    said: defaultdict[str, list[str]] = defaultdict(list)
    query = select(decisions.c.approval_id, decisions.c.value).where(decisions.c.approval_id.in_(ids))
    for row in connection.execute(query.order_by(decisions.c.approval_id, decisions.c.position)):
        said[row.approval_id].append(row.value)
    return said


def _approval(approval_id: str, digest: str, status: str, stored: str, said: list[str]) -> Approval:
    try:
        approval = Approval(
            request=ApprovalRequest.model_validate_json(stored),
            status=ApprovalStatus(status),
            decisions=tuple(ApprovalDecision.model_validate_json(value) for value in said),
        )
    except ValueError as error:
        raise OperatorError(f"approval {approval_id} cannot be read: {' '.join(str(error).split())}") from error
    if not approval.request.digest == digest == approval.request.mitigation.operation.digest:
        raise OperatorError(f"approval {approval_id} was changed outside whydown: its operation has another digest")
    return approval
