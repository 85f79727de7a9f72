"""Asks a person for a decision, in two steps: first what, then once more before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from rich.text import Text

from agent.approval import Approval, ApprovalRule
from agent.incident import ApprovalDecision
from web.terminal.approvals import request_view
from web.terminal.printable import printable
from web.terminal.screen import Screen

Now = Callable[[], datetime]


def ask(screen: Screen, approval: Approval, rule: ApprovalRule, by: str, now: Now) -> ApprovalDecision | None:
    """Show a request and ask; None means that it keeps waiting. End of input is no answer."""
    screen.err.print()
    screen.err.print(request_view(approval, rule, now()))
    match _choice(screen, "[a]pprove, [r]eject or decide [l]ater? ", {"a": "approve", "r": "reject", "l": "later"}):
        case "approve":
            return confirm(screen, approval, by, now)
        case "reject":
            reason = _line(screen, "Why? (may be empty) ") or ""
            return decision(approval, "reject", by, reason, now())
        case _:
            return None


def confirm(screen: Screen, approval: Approval, by: str, now: Now, reason: str = "") -> ApprovalDecision | None:
    """The second step of an approval: the word `yes`, typed out, for the operation named in the question."""
    operation = printable(str(approval.request.mitigation.operation))
    said = _line(screen, f"As {printable(by)}: {operation}. Type yes to approve: ")
    if said is None or said.strip().lower() != "yes":
        screen.note("Not approved; it still waits.")
        return None
    return decision(approval, "approve", by, reason, now())


def decision(
    approval: Approval, verdict: Literal["approve", "reject"], by: str, reason: str, at: datetime
) -> ApprovalDecision:
    """Return a person's word about the very operation that was shown."""
    return ApprovalDecision(verdict=verdict, by=by, reason=reason, at=at, digest=approval.request.digest)


def _choice(screen: Screen, question: str, words: dict[str, str]) -> str | None:
    """Return the word that was typed or begun; ask again for anything else, None at the end of input."""
    while (said := _line(screen, question)) is not None:
        typed = said.strip().lower()
        chosen = next((word for word in words.values() if typed and word.startswith(typed)), None)
        if chosen:
            return chosen
        screen.err.print(Text(f"Please type {', '.join(words.values())}."))
    return None


def _line(screen: Screen, question: str) -> str | None:
    try:
        return screen.err.input(Text(question))
    except EOFError:
        screen.err.print()
        return None
