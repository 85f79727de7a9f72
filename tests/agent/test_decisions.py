"""What people said decides; nobody approves what will not be done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.approval import ApprovalStatus
from agent.decisions import settle
from agent.incident import ApprovalDecision
from agent.investigation import Investigation
from agent.nodes import propose_mitigation as proposing
from agent.nodes.diagnose import diagnose
from agent.nodes.propose_mitigation import propose_mitigation
from agent.store import Store
from tests.agent.investigations import Opened, after, gathered, small_backend, two_mitigations


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    monkeypatch.setattr(proposing, "propose", two_mitigations)
    with Opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def desk(opened: Opened, tmp_path: Path) -> Investigation:
    return opened.desk(small_backend(tmp_path))


def asked(desk: Investigation) -> list[str]:
    return after(after(gathered(desk), diagnose, desk), propose_mitigation, desk).approvals


def status(opened: Opened, approval: str) -> ApprovalStatus:
    return opened.store.approval(approval).status


def test_it_waits_while_nobody_approved_and_somebody_still_may(opened: Opened, desk: Investigation) -> None:
    approvals = asked(desk)
    assert settle(approvals, desk) is None
    opened.decide(desk.incident, "reject", position=0)
    assert settle(approvals, desk) is None
    assert opened.texts(desk.incident, "request_approval") == []


def test_one_approval_is_enough_and_withdraws_the_rest(opened: Opened, desk: Investigation) -> None:
    first, second = asked(desk)
    opened.decide(desk.incident, position=0)
    assert settle([first, second], desk) == [first]
    assert status(opened, second) is ApprovalStatus.REJECTED
    assert settle([first, second], desk) == [first], "asked again after a crash it says the same"
    assert len(opened.texts(desk.incident, "request_approval")) == 2


def test_all_words_against_it_end_the_waiting(opened: Opened, desk: Investigation) -> None:
    approvals = asked(desk)
    opened.decide(desk.incident, "reject", position=0)
    opened.decide(desk.incident, "escalate", position=1)
    assert settle(approvals, desk) == []


def test_time_ends_the_waiting(opened: Opened, desk: Investigation, tmp_path: Path) -> None:
    approvals = asked(desk)
    with Opened(tmp_path, ahead=timedelta(hours=1)) as later:
        assert settle(approvals, replace(desk, store=later.store, now=later.now)) == []
        assert all("expired: nobody answered" in text for text in later.texts(desk.incident, "request_approval"))


def test_a_word_that_comes_in_the_same_moment_stands(opened: Opened, desk: Investigation) -> None:
    """Somebody approves the second request just before it would be withdrawn."""
    first, second = asked(desk)
    opened.decide(desk.incident, position=0)

    class Racing(Store):
        def decide(self, approval_id: str, decision: ApprovalDecision) -> object:  # type: ignore[override]
            opened.decide(desk.incident, position=1, by="Grace")
            return opened.store.decide(approval_id, decision)

    racing = Racing(opened.store._engine, opened.now)
    assert settle([first, second], replace(desk, store=racing)) == [first, second]
    assert {e.by for e in opened.store.timeline(desk.incident) if e.node == "request_approval"} == {"Ada", "Grace"}
