"""Who has to say yes, and what a yes means: pure. First match wins; nobody answered means reject, with the reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from agent.errors import CallerError, ConflictError
from agent.incident import ApprovalDecision, ApprovalRequest, Mitigation, OperationResult, Severity
from tools.evidence import Frozen, UtcDatetime

NOBODY_ANSWERED = "nobody answered before it expired, which means reject"

# Minutes-short, because the system it was asked about keeps changing; a second person takes longer to find.
ONE_PERSON_EXPIRES = timedelta(minutes=15)
TWO_PEOPLE_EXPIRE = timedelta(minutes=30)


class ApprovalRule(Frozen):
    """What a mitigation needs before it may be performed."""

    approvers_needed: int
    expires_after: timedelta
    roles: tuple[str, ...]
    """Roles of the incident whose word counts."""
    because: str


class PolicyRow(Frozen):
    """One line of the table. A condition that is None matches anything."""

    rule: ApprovalRule
    manual: bool | None = None
    reversible: bool | None = None
    risk: Literal["low", "medium", "high"] | None = None
    severity: Severity | None = None

    def matches(self, mitigation: Mitigation, severity: Severity | None) -> bool:
        asked = (self.manual, self.reversible, self.risk, self.severity)
        given = (mitigation.manual, mitigation.reversible, mitigation.risk, severity)
        return all(want is None or want == have for want, have in zip(asked, given, strict=True))


NOBODY = ApprovalRule(
    approvers_needed=0, expires_after=timedelta(0), roles=(), because="done by people; whydown performs nothing"
)
ONE_PERSON = ApprovalRule(
    approvers_needed=1,
    expires_after=ONE_PERSON_EXPIRES,
    roles=("incident commander", "operations"),
    because="reversible",
)
_TWO = ApprovalRule(
    approvers_needed=2, expires_after=TWO_PEOPLE_EXPIRE, roles=("incident commander", "operations"), because=""
)

DEFAULT_TABLE = (
    PolicyRow(manual=True, rule=NOBODY),
    PolicyRow(reversible=False, rule=_TWO.model_copy(update={"because": "it cannot be undone"})),
    PolicyRow(
        severity=Severity.SEV1,
        risk="high",
        rule=_TWO.model_copy(update={"because": "high risk during a SEV1 incident"}),
    ),
    PolicyRow(rule=ONE_PERSON),
)


class ApprovalPolicy(Frozen):
    """A table of rules, read from the top; the last row matches everything."""

    table: tuple[PolicyRow, ...] = DEFAULT_TABLE

    def required(self, mitigation: Mitigation, severity: Severity | None) -> ApprovalRule:
        """The rule of the first row that matches; two people when none does, because silence must not mean yes."""
        for row in self.table:
            if row.matches(mitigation, severity):
                return row.rule
        return _TWO.model_copy(update={"because": "no rule of the policy covers it"})


class ApprovalStatus(StrEnum):
    """Where a request stands. Only `pending` can change."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    """Somebody asked for it to be modified; the modified operation is a new request."""
    ESCALATED = "escalated"
    """Handed to people outside the incident; whydown does nothing."""


class Approval(Frozen):
    """A request with the words people have said about it."""

    request: ApprovalRequest
    status: ApprovalStatus = ApprovalStatus.PENDING
    decisions: tuple[ApprovalDecision, ...] = ()

    @property
    def reason(self) -> str:
        """Why it stands as it does, as far as somebody said so."""
        if self.status is ApprovalStatus.EXPIRED:
            return NOBODY_ANSWERED
        return self.decisions[-1].reason if self.decisions else ""

    def seen_at(self, now: datetime) -> Approval:
        """As it stands at `now` (aware UTC): a pending request whose time is over has expired."""
        if self.status is ApprovalStatus.PENDING and now >= self.request.expires_at:
            return self.model_copy(update={"status": ApprovalStatus.EXPIRED})
        return self


class Action(Frozen):
    """One performance of an approved operation. Without a result after a crash, nobody knows whether it was done."""

    key: str
    """Idempotency key, handed to the backend with the operation."""
    incident: str
    approval: str
    digest: str
    claimed_at: UtcDatetime
    finished_at: UtcDatetime | None = None
    result: OperationResult | None = None


def judge(approval: Approval, decision: ApprovalDecision, now: datetime) -> Approval:
    """The approval after one more word. The same person repeating the same word changes nothing (a double click).

    Raises ConflictError when the decision is about another operation, comes too late or after somebody else's,
    CallerError when it names nobody.
    """
    seen = approval.seen_at(now)
    if not _person(decision.by):
        raise CallerError(f"approval {seen.request.id}: a decision by {decision.by!r} names nobody")
    if decision.digest != seen.request.digest:
        raise ConflictError(
            f"approval {seen.request.id}: the decision is about operation {decision.digest[:12]}, "
            f"the request about {seen.request.digest[:12]}; reload and look again"
        )
    if any(_person(said.by) == _person(decision.by) and said.verdict == decision.verdict for said in seen.decisions):
        return seen
    if seen.status is not ApprovalStatus.PENDING:
        raise ConflictError(f"approval {seen.request.id} is already {_history(seen)}")
    decisions = (*seen.decisions, decision)
    return seen.model_copy(update={"status": _status(seen.request.approvers_needed, decisions), "decisions": decisions})


def _status(approvers_needed: int, decisions: tuple[ApprovalDecision, ...]) -> ApprovalStatus:
    match decisions[-1].verdict:
        case "reject":
            return ApprovalStatus.REJECTED
        case "modify":
            return ApprovalStatus.SUPERSEDED
        case "escalate":
            return ApprovalStatus.ESCALATED
        case "approve":
            people = {_person(said.by) for said in decisions}
            return ApprovalStatus.APPROVED if len(people) >= approvers_needed else ApprovalStatus.PENDING


def _person(name: str) -> str:
    """Two spellings of one name are one person."""
    return " ".join(name.split()).lstrip("@").casefold()


def _history(approval: Approval) -> str:
    if approval.status is ApprovalStatus.EXPIRED:
        return f"expired at {approval.request.expires_at:%Y-%m-%d %H:%M:%S} UTC: {NOBODY_ANSWERED}"
    last = approval.decisions[-1]
    return f"{approval.status.value} by {last.by} at {last.at:%Y-%m-%d %H:%M:%S} UTC"
