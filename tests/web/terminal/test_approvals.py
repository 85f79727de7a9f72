"""What a person sees before saying yes, and what came of it."""

from __future__ import annotations

import io
from datetime import timedelta

from rich.console import Console, Group, RenderableType

from agent.approval import NOBODY_ANSWERED, Approval, ApprovalPolicy, ApprovalStatus
from tests.web import told
from web.terminal.approvals import approvals_list, outcome_line, request_view

RULE = ApprovalPolicy().required(told.ROLLBACK, told.INCIDENT.severity)
SOON = told.FIRED + timedelta(minutes=3)


def text_of(view: RenderableType, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(view)
    return console.file.getvalue()  # pyright: ignore


def test_everything_is_shown_before_anybody_says_yes() -> None:
    text = text_of(request_view(told.PENDING, RULE, SOON), 120)
    for needed in (
        "rollback price-api from=v214 to=v213",
        "touches    price-api, basket-web",
        "undo       deploy price-api v214 again",
        told.REQUEST.digest,
        "one person (incident commander or operations); reversible",
        "2026-11-02 15:25:00 UTC (in 12 min)",
        "would roll back price-api",
    ):
        assert needed in text


def test_a_digest_is_never_cut() -> None:
    text = text_of(request_view(told.PENDING, RULE, SOON), 60)
    assert told.REQUEST.digest in "".join(text.split())


def test_an_expired_request_says_so() -> None:
    late = told.FIRED + timedelta(hours=1)
    assert "expired at 2026-11-02 15:25:00 UTC" in text_of(request_view(told.PENDING, RULE, late))


def test_an_operation_that_cannot_be_undone_says_so() -> None:
    mitigation = told.ROLLBACK.model_copy(update={"reversible": False, "undo": "restore last night's dump"})
    request = told.REQUEST.model_copy(update={"mitigation": mitigation})
    assert "cannot be undone; restore last night's dump" in text_of(request_view(Approval(request=request), RULE, SOON))


def test_the_list_names_each_request_and_where_it_stands() -> None:
    text = text_of(Group(*approvals_list([told.PENDING, told.APPROVED], SOON)), 60)
    assert "A-4c81d2" in text
    assert "waits, 12 min left" in text
    assert "approved by mara" in text
    assert "Nothing waits" in text_of(Group(*approvals_list([], SOON)))


def test_a_second_person_is_asked_for() -> None:
    request = told.REQUEST.model_copy(update={"approvers_needed": 2})
    halfway = told.APPROVED.model_copy(update={"request": request, "status": ApprovalStatus.PENDING})
    assert "one person more" in outcome_line(halfway)


def test_silence_is_told_as_a_rejection_with_its_reason() -> None:
    expired = told.PENDING.model_copy(update={"status": ApprovalStatus.EXPIRED})
    assert outcome_line(expired) == f"A-4c81d2: expired by nobody: {NOBODY_ANSWERED}"
