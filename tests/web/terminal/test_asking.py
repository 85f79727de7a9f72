"""A person is asked twice, and silence is never a yes."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from agent.approval import ApprovalPolicy
from agent.incident import ApprovalDecision
from tests.web import told
from web.terminal.asking import ask
from web.terminal.screen import Screen

RULE = ApprovalPolicy().required(told.ROLLBACK, told.INCIDENT.severity)


def asked(monkeypatch: pytest.MonkeyPatch, *typed: str) -> tuple[ApprovalDecision | None, str]:
    """What came of it when a person typed these lines and then closed the terminal."""
    screen = Screen(out=Console(file=io.StringIO()), err=Console(file=io.StringIO(), width=100))
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in typed)))
    decided = ask(screen, told.PENDING, RULE, "mara", lambda: told.FIRED)
    return decided, screen.err.file.getvalue()  # pyright: ignore


@pytest.mark.parametrize("word", ["a", "approve", "APP"])
def test_an_approval_takes_two_steps(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    decided, shown = asked(monkeypatch, word, "yes")
    assert decided == ApprovalDecision(verdict="approve", by="mara", at=told.FIRED, digest=told.REQUEST.digest)
    assert "As mara: rollback price-api from=v214 to=v213. Type yes to approve" in shown


@pytest.mark.parametrize(
    "typed", [("a",), ("a", "y"), ("a", ""), ("a", "approve"), ("l",), (), ("y", "", "l"), ("yes",)]
)
def test_anything_less_than_both_steps_leaves_it_waiting(
    monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...]
) -> None:
    decided, _ = asked(monkeypatch, *typed)
    assert decided is None


def test_a_rejection_carries_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    decided, _ = asked(monkeypatch, "r", "the freeze is on")
    assert decided is not None
    assert (decided.verdict, decided.reason) == ("reject", "the freeze is on")


def test_a_rejection_needs_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    decided, _ = asked(monkeypatch, "reject")
    assert decided is not None
    assert (decided.verdict, decided.reason) == ("reject", "")


def test_an_unknown_word_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    decided, shown = asked(monkeypatch, "maybe", "a", "yes")
    assert decided is not None
    assert "Please type approve, reject, later." in shown
