from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given, strategies as st

from agent.approval import (
    NOBODY_ANSWERED,
    ONE_PERSON,
    Approval,
    ApprovalPolicy,
    ApprovalStatus,
    PolicyRow,
    judge,
)
from agent.errors import CallerError, ConflictError
from agent.incident import ApprovalDecision, Severity
from tests.agent.store_samples import MINUTE, START, approval_request, mitigation, says

POLICY = ApprovalPolicy()
SOON = START + MINUTE
LATE = START + timedelta(hours=1)
VERDICTS = ("approve", "modify", "reject", "escalate")


@pytest.mark.parametrize(("risk", "severity"), [*product(["low", "medium", "high"], [*Severity, None])])
def test_a_reversible_mitigation_needs_one_person_except_at_high_risk_in_sev1(
    risk: str, severity: Severity | None
) -> None:
    rule = POLICY.required(mitigation(risk=risk), severity)
    assert rule.approvers_needed == (2 if (risk, severity) == ("high", Severity.SEV1) else 1)
    assert timedelta(0) < rule.expires_after <= timedelta(minutes=30)
    assert rule.roles


@pytest.mark.parametrize("severity", [*Severity, None])
def test_what_cannot_be_undone_needs_two_people(severity: Severity | None) -> None:
    rule = POLICY.required(mitigation(reversible=False), severity)
    assert (rule.approvers_needed, rule.because) == (2, "it cannot be undone")


def test_what_people_do_by_hand_needs_no_approval_even_if_it_cannot_be_undone() -> None:
    assert POLICY.required(mitigation(manual=True, reversible=False, risk="high"), Severity.SEV1).approvers_needed == 0


def test_the_first_row_that_matches_wins() -> None:
    strict = ONE_PERSON.model_copy(update={"approvers_needed": 3})
    policy = ApprovalPolicy(table=(PolicyRow(risk="low", rule=strict), PolicyRow(rule=ONE_PERSON)))
    assert policy.required(mitigation(risk="low"), None).approvers_needed == 3
    assert policy.required(mitigation(risk="high"), None).approvers_needed == 1


def test_a_table_that_does_not_cover_a_mitigation_asks_for_two() -> None:
    policy = ApprovalPolicy(table=(PolicyRow(risk="low", rule=ONE_PERSON),))
    assert policy.required(mitigation(risk="high"), None).approvers_needed == 2


def pending(approvers: int = 1) -> Approval:
    return Approval(request=approval_request("inc", approvers=approvers))


@pytest.mark.parametrize(
    ("verdict", "status"), list(zip(VERDICTS, ("approved", "superseded", "rejected", "escalated"), strict=True))
)
def test_one_word_decides_where_one_person_is_enough(verdict: str, status: str) -> None:
    decided = judge(pending(), says(verdict, reason="because"), SOON)
    assert (decided.status.value, decided.reason) == (status, "because")


def test_a_request_nobody_answered_is_rejected_with_the_reason() -> None:
    seen = pending().seen_at(START + 15 * MINUTE)
    assert (seen.status, seen.reason) == (ApprovalStatus.EXPIRED, NOBODY_ANSWERED)
    assert pending().seen_at(START + 15 * MINUTE - timedelta(microseconds=1)).status is ApprovalStatus.PENDING


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_word_after_the_time_is_refused(verdict: str) -> None:
    with pytest.raises(ConflictError, match="already expired at 2026-06-18 15:15:00 UTC: nobody answered"):
        judge(pending(), says(verdict), LATE)


def test_an_approval_given_in_time_stays_one() -> None:
    assert judge(pending(), says("approve"), SOON).seen_at(LATE).status is ApprovalStatus.APPROVED


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_double_click_changes_nothing_even_after_the_time(verdict: str) -> None:
    decided = judge(pending(), says(verdict), SOON)
    assert judge(decided, says(verdict), LATE) == decided


@pytest.mark.parametrize(("first", "second"), [(a, b) for a, b in product(VERDICTS, VERDICTS) if a != b])
def test_a_decided_request_takes_no_other_word(first: str, second: str) -> None:
    decided = judge(pending(), says(first), SOON)
    with pytest.raises(ConflictError, match=r"already .* by ana at 2026-06-18 15:01:00 UTC"):
        judge(decided, says(second), SOON)


def test_a_second_person_is_told_who_was_first() -> None:
    with pytest.raises(ConflictError, match="already approved by ana"):
        judge(judge(pending(), says("approve"), SOON), says("approve", by="bo"), SOON)


def test_a_word_about_another_operation_is_refused() -> None:
    other = approval_request("inc", target="checkout")
    with pytest.raises(ConflictError, match="reload and look again"):
        judge(pending(), says("approve", request=other), SOON)
    with pytest.raises(ConflictError, match="reload and look again"):
        judge(judge(pending(), says("approve"), SOON), says("approve", request=other), SOON)


@pytest.mark.parametrize("again", ["ana", " Ana ", "@ANA"])
def test_two_people_are_two_different_names(again: str) -> None:
    half = judge(pending(approvers=2), says("approve", by="ana"), SOON)
    assert half.status is ApprovalStatus.PENDING
    assert judge(half, says("approve", by=again), SOON) == half
    assert judge(half, says("approve", by="bo"), SOON).status is ApprovalStatus.APPROVED


def test_one_reject_is_enough_even_from_somebody_who_approved() -> None:
    half = judge(pending(approvers=2), says("approve", by="ana"), SOON)
    assert judge(half, says("reject", by="bo"), SOON).status is ApprovalStatus.REJECTED
    assert judge(half, says("reject", by="ana"), SOON).status is ApprovalStatus.REJECTED


def test_half_an_approval_expires() -> None:
    half = judge(pending(approvers=2), says("approve"), SOON)
    assert half.seen_at(LATE).status is ApprovalStatus.EXPIRED


@pytest.mark.parametrize("by", [" ", "@"])
def test_a_decision_needs_a_name(by: str) -> None:
    with pytest.raises(CallerError, match="names nobody"):
        judge(pending(), says("approve", by=by), SOON)


PEOPLE = st.sampled_from(["ana", "bo", "cy"])


@given(st.integers(1, 3), st.lists(st.tuples(st.sampled_from(VERDICTS), PEOPLE), max_size=8))
def test_approved_always_means_that_enough_people_approved_and_nobody_refused(
    needed: int, words: list[tuple[str, str]]
) -> None:
    approval = pending(needed)
    heard: list[ApprovalDecision] = []
    for verdict, by in words:
        try:
            after = judge(approval, says(verdict, by=by), SOON)
        except ConflictError:
            continue
        heard += [says(verdict, by=by)] if after != approval else []
        approval = after
    enough = len({said.by for said in heard if said.verdict == "approve"}) >= needed
    refused = any(said.verdict != "approve" for said in heard)
    assert (approval.status is ApprovalStatus.APPROVED) == (enough and not refused)
    assert list(approval.decisions) == heard
