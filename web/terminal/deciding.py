"""Approve or reject from the command line. Approving takes two steps: see the request, then confirm it."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from agent.approval import Approval, ApprovalPolicy, ApprovalStatus
from agent.errors import CallerError
from web.backends import backend_of
from web.terminal.approvals import SHORT_DIGEST, approvals_list, outcome_line, request_view
from web.terminal.asking import confirm, decision
from web.terminal.desk import Desk, utc_now
from web.terminal.exits import ExitCode


def list_approvals(desk: Desk, *, everything: bool) -> ExitCode:
    """Show what waits for a person; with `everything`, also what was decided."""
    found = desk.store.approvals(None if everything else ApprovalStatus.PENDING)
    desk.screen.show(Group(*approvals_list(found, utc_now())))
    return ExitCode.DONE


def approve(desk: Desk, approval_id: str, *, digest: str | None, by: str | None, reason: str) -> ExitCode:
    """Show the request; approve it when its digest was given or the person confirms, and carry on with the incident."""
    approval = desk.store.approval(approval_id)
    _show(desk, approval)
    name = by or desk.settings.operator
    if digest is not None:
        word = decision(_of_digest(approval, digest), "approve", name, reason, utc_now())
    elif not desk.screen.interactive:
        short = approval.request.digest[:SHORT_DIGEST]
        desk.screen.warn("Not approved. To confirm:")
        desk.screen.warn(f"whydown approvals approve {approval_id} --digest {short}")
        return ExitCode.NEEDS_A_PERSON
    else:
        word = confirm(desk.screen, approval, name, utc_now, reason)
        if word is None:
            return ExitCode.NEEDS_A_PERSON
    return _settle(desk, desk.store.decide(approval_id, word))


def reject(desk: Desk, approval_id: str, *, by: str | None, reason: str) -> ExitCode:
    """Reject a request and carry on with the incident; saying no needs no second step."""
    approval = desk.store.approval(approval_id)
    word = decision(approval, "reject", by or desk.settings.operator, reason, utc_now())
    return _settle(desk, desk.store.decide(approval_id, word))


def _show(desk: Desk, approval: Approval) -> None:
    incident = desk.store.incident(approval.request.incident)
    rule = ApprovalPolicy().required(approval.request.mitigation, incident.severity)
    desk.screen.err.print(request_view(approval, rule, utc_now()))
    desk.screen.err.print(Text())


def _of_digest(approval: Approval, digest: str) -> Approval:
    """Return the approval when `digest` names its operation; raises CallerError otherwise."""
    if len(digest) < SHORT_DIGEST or not approval.request.digest.startswith(digest.lower()):
        raise CallerError(
            f"--digest {digest}: the operation has digest {approval.request.digest[:SHORT_DIGEST]}…; "
            f"give at least {SHORT_DIGEST} characters of it"
        )
    return approval


def _settle(desk: Desk, approval: Approval) -> ExitCode:
    desk.screen.note(outcome_line(approval))
    if approval.status is ApprovalStatus.PENDING:
        return ExitCode.DONE
    from web.terminal.investigating import work_on  # the graph, which a mere list of approvals does not need

    incident_id = approval.request.incident
    return work_on(desk, incident_id, backend_of(desk.store, incident_id, desk.settings), may_ask=False)
