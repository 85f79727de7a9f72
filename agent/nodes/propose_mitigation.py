"""Propose mitigations, rehearse each, and ask people for approval, bound to the exact operation."""

from __future__ import annotations

from datetime import timedelta

from agent import documents
from agent.analysis.mitigation import propose
from agent.analysis.observed import Observations
from agent.approval import ApprovalPolicy
from agent.incident import ApprovalRequest, Diagnosis, IncidentStatus, Mitigation, TimelineKind
from agent.investigation import Investigation
from agent.state import IncidentState
from agent.step import Step
from agent.store import TimelineDraft
from tools.evidence import Source, ToolError, digest_of
from tools.mitigations import rehearse


def propose_mitigation(state: IncidentState, desk: Investigation) -> Step:
    """Store the diagnosis with its mitigations, and one approval request for each that whydown can perform."""
    diagnosis = desk.get(documents.DIAGNOSIS, Diagnosis)
    mitigations = propose(diagnosis, desk.get(documents.OBSERVATIONS, Observations))
    desk.put(documents.DIAGNOSIS, diagnosis.model_copy(update={"mitigations": mitigations}))
    entries: list[TimelineDraft] = []
    approvals: list[str] = []
    for mitigation in mitigations:
        request = _request(mitigation, state, desk)
        if request is None:
            entries.append(_entry(mitigation, f"people have to do this: {mitigation.title}"))
            continue
        approval = desk.store.request_approval(request, desk.lease)
        approvals.append(approval.request.id)
        entries.append(_entry(mitigation, _asked(request)))
    if approvals:
        desk.move(IncidentStatus.AWAITING_APPROVAL)
    if not mitigations:
        text = "no mitigation is proposed: nothing is known well enough to act on"
        entries.append(TimelineDraft(kind=TimelineKind.MITIGATION, text=text))
    return Step({"approvals": approvals}, entries)


def _request(mitigation: Mitigation, state: IncidentState, desk: Investigation) -> ApprovalRequest | None:
    """What people are asked; None for what only people can do."""
    rule = ApprovalPolicy().required(mitigation, state.severity)
    if mitigation.manual or rule.approvers_needed == 0 or desk.backend.operations is None:
        return None
    now = desk.now()
    return ApprovalRequest(
        id="apr-" + digest_of([desk.round.prefix + desk.incident, mitigation.operation.digest])[:8],
        incident=desk.incident,
        mitigation=mitigation,
        digest=mitigation.operation.digest,
        requested_at=now,
        expires_at=now + (desk.settings.approval_expiry or rule.expires_after),
        approvers_needed=rule.approvers_needed,
        dry_run=_rehearsed(mitigation, desk),
    )


def _rehearsed(mitigation: Mitigation, desk: Investigation) -> str:
    operations = desk.backend.operations
    if operations is None:
        return ""
    try:
        return desk.call(Source.CHANGES, lambda: rehearse(operations, mitigation.operation), desk.stop)
    except ToolError as error:
        return f"the dry run failed: {error.message}"


def _asked(request: ApprovalRequest) -> str:
    people = "one person" if request.approvers_needed == 1 else f"{request.approvers_needed} people"
    minutes = (request.expires_at - request.requested_at) // timedelta(minutes=1)
    return f"{request.mitigation.title}: waits {minutes} minutes for {people} ({request.id}); {request.dry_run}"


def _entry(mitigation: Mitigation, text: str) -> TimelineDraft:
    return TimelineDraft(kind=TimelineKind.MITIGATION, text=text, evidence=mitigation.reason.evidence)
