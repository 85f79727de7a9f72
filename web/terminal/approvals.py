"""What a person approves: the exact operation, what it touches, what undoes it, who may say yes and until when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.approval import Approval, ApprovalRule, ApprovalStatus
from agent.figures import duration
from web.terminal.claims import LABEL, QUIET, inline_ids
from web.terminal.mitigations import RISKY
from web.terminal.printable import printable, styled
from web.terminal.times import stamp

SHORT_DIGEST = 12
"""Characters of a digest that name an operation: 48 bits, more than anybody forges in the minutes a request lives."""


def request_view(approval: Approval, rule: ApprovalRule, now: datetime) -> Group:
    """Return everything that a person should see before saying yes; nothing is cut."""
    request, mitigation = approval.request, approval.request.mitigation
    facts: list[tuple[str, Text]] = [
        ("operation", styled(str(mitigation.operation), LABEL)),
        ("target", styled(mitigation.operation.target)),
        ("touches", styled(", ".join(mitigation.touches) or "nothing else that is known")),
        ("undo", styled(mitigation.undo if mitigation.reversible else f"cannot be undone; {mitigation.undo}")),
        ("risk", Text(mitigation.risk, RISKY[mitigation.risk])),
        ("because", Text.assemble(styled(mitigation.reason.text), " ", (inline_ids(mitigation.reason), QUIET))),
        ("expect", styled(f"{mitigation.expected_effect}; check: {mitigation.check}")),
        ("dry run", styled(request.dry_run or "the backend cannot rehearse it")),
        ("digest", Text(request.digest)),
        ("approvers", Text(_approvers(approval, rule))),
        ("expires", Text(_expiry(approval, now))),
    ]
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in facts:
        grid.add_row(Text(name, QUIET), text)
    title = Text.assemble((f"Approval {request.id}", LABEL), "  ", styled(mitigation.title, LABEL))
    return Group(title, grid, *_words(approval))


def approvals_list(approvals: Sequence[Approval], now: datetime) -> Iterator[RenderableType]:
    """Yield two lines per request: id, where it stands, risk and digest; below, the operation and its incident."""
    if not approvals:
        yield Text("Nothing waits for a person.")
    for approval in approvals:
        request, mitigation = approval.request, approval.request.mitigation
        yield Text.assemble(
            (printable(request.id), LABEL),
            f"  {_stands(approval, now)} · ",
            (f"{mitigation.risk} risk", RISKY[mitigation.risk]),
            (f" · digest {request.digest[:SHORT_DIGEST]}", QUIET),
        )
        yield Text.assemble("  ", styled(str(mitigation.operation)), (f"  {printable(request.incident)}", QUIET))


def outcome_line(approval: Approval) -> str:
    """Say in one line what a decision came to."""
    request = approval.request
    if approval.status is ApprovalStatus.PENDING:
        missing = request.approvers_needed - len(approval.decisions)
        return f"{request.id}: {_people(missing)} more must approve it before {stamp(request.expires_at)}"
    by = approval.decisions[-1].by if approval.decisions else "nobody"
    reason = f": {approval.reason}" if approval.reason else ""
    return f"{request.id}: {approval.status.value} by {by}{reason}"


def _approvers(approval: Approval, rule: ApprovalRule) -> str:
    needed = _people(approval.request.approvers_needed)
    roles = f" ({' or '.join(rule.roles)})" if rule.roles else ""
    return f"{needed}{roles}; {rule.because}"


def _people(count: int) -> str:
    return "one person" if count == 1 else f"{count} people"


def _expiry(approval: Approval, now: datetime) -> str:
    expires = approval.request.expires_at
    left = expires - now
    return f"{stamp(expires)} (in {duration(left)})" if left.total_seconds() >= 1 else f"expired at {stamp(expires)}"


def _stands(approval: Approval, now: datetime) -> str:
    if approval.status is ApprovalStatus.PENDING:
        return f"waits, {duration(approval.request.expires_at - now)} left"
    by = f" by {approval.decisions[-1].by}" if approval.decisions else ""
    return f"{approval.status.value}{by}"


def _words(approval: Approval) -> list[Text]:
    return [
        styled(f"{said.verdict} by {said.by} at {stamp(said.at)}{f': {said.reason}' if said.reason else ''}")
        for said in approval.decisions
    ]
