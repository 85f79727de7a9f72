"""What to do: the first mitigation with its risk, what undoes it and who has to say yes; the others in a line each."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from agent.approval import Approval, ApprovalStatus
from agent.figures import counted
from agent.incident import Mitigation
from web.report import Report
from web.terminal.claims import LABEL, QUIET, Detail, inline_ids
from web.terminal.printable import printable, styled
from web.terminal.times import Day

RISKY = {"low": "", "medium": "yellow", "high": "bold red"}
RECOVERED = {"verified": "bold", "failed": "bold red", "skipped": ""}


def what_to_do(report: Report, day: Day, detail: Detail) -> Iterator[RenderableType]:
    """Yield the lines under `Do`: mitigations when there are any, where to look next when not."""
    shown = report.mitigations[: detail.mitigations]
    if shown:
        asked = {approval.request.mitigation.id: approval for approval in report.approvals}
        yield from _first(shown[0], asked.get(shown[0].id), report, day)
        for place, other in enumerate(shown[1:], start=2):
            yield Text.assemble(f"{place}. ", styled(other.title), (f"  {printable(_facts(other))}", QUIET))
        others = len(report.mitigations) - len(shown)
        if others:
            yield Text(f"and {counted(others, 'other way')} to stop it", QUIET)
    if report.next_steps:
        steps = Table.grid(padding=(0, 2, 0, 0))
        steps.add_column(no_wrap=True)
        steps.add_column(overflow="fold")
        for place, step in enumerate(report.next_steps):
            steps.add_row(Text("" if place else "next", QUIET), styled(step))
        yield steps
    if not shown and not report.next_steps:
        yield Text("No safe mitigation is known for this cause.")


def _first(mitigation: Mitigation, approval: Approval | None, report: Report, day: Day) -> Iterator[RenderableType]:
    title = Text.assemble(styled(mitigation.title, LABEL), "  ", (f"{mitigation.risk} risk", RISKY[mitigation.risk]))
    yield title + styled(f" · {_reversible(mitigation)} · touches {_touches(mitigation)}")
    because = Text.assemble(styled(mitigation.reason.text), " ", (inline_ids(mitigation.reason), QUIET))
    facts = Table.grid(padding=(0, 1, 0, 0))
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row(Text("because", QUIET), because)
    facts.add_row(Text("undo", QUIET), styled(mitigation.undo or "nothing undoes this"))
    facts.add_row(Text("expect", QUIET), styled(f"{mitigation.expected_effect}; check: {mitigation.check}"))
    yield facts
    yield from standing(mitigation, approval, report, day)


def standing(mitigation: Mitigation, approval: Approval | None, report: Report, day: Day) -> Iterator[Text]:
    """Yield who has to act now and how; afterwards who said what, what was done and whether it helped."""
    if mitigation.manual:
        yield Text("A person has to do this; whydown does not act on it.")
    elif approval is None:
        yield Text("Nothing was asked for yet; nothing has been changed.")
    elif approval.status is ApprovalStatus.PENDING:
        request = approval.request
        people = "one person" if request.approvers_needed == 1 else f"{request.approvers_needed} people"
        yield Text(f"Waits for {people} until {day.clock(request.expires_at)} UTC:")
        yield Text(f"whydown approvals approve {request.id}", LABEL)  # a line of its own, so that it can be copied
    else:
        said = f" by {approval.decisions[-1].by}" if approval.decisions else ""
        reason = f": {approval.reason}" if approval.reason else ""
        yield styled(f"{approval.status.value.capitalize()}{said}{reason}")
        yield from _afterwards(approval, report)


def _afterwards(approval: Approval, report: Report) -> Iterator[Text]:
    action = next((action for action in report.actions if action.approval == approval.request.id), None)
    if action is None:
        return
    if action.result is None:
        yield Text("Begun, but nobody knows whether it was done: look before anybody tries again.", "bold red")
        return
    outcome, detail = action.result.outcome, action.result.detail
    yield styled(detail if detail.startswith(outcome) else f"{outcome}: {detail}")
    if report.recovery:
        outcome, claim = report.recovery.outcome, report.recovery.claim
        text = styled(f"Recovery {outcome}: {claim.text} ", RECOVERED[outcome])
        yield Text.assemble(text, (inline_ids(claim), QUIET))


def _facts(mitigation: Mitigation) -> str:
    return f"{mitigation.risk} risk, {_reversible(mitigation)}{', by a person' if mitigation.manual else ''}"


def _reversible(mitigation: Mitigation) -> str:
    return "reversible" if mitigation.reversible else "cannot be undone"


def _touches(mitigation: Mitigation) -> str:
    return ", ".join(mitigation.touches) or mitigation.operation.target
