"""What the tests of the store share: a clock that stands still until it is moved, and small valid values."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.incident import (
    Alert,
    ApprovalDecision,
    ApprovalRequest,
    Claim,
    Evidence,
    Mitigation,
    Operation,
    OperationKind,
    Query,
    Source,
    TimelineKind,
    TimeWindow,
)
from agent.store import Store, TimelineDraft

START = datetime(2026, 6, 18, 15, 0, tzinfo=UTC)
WINDOW = TimeWindow(since=START - timedelta(hours=1), until=START)
MINUTE = timedelta(minutes=1)


class Clock:
    """A moment that only the test moves."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'whydown.db'}"


def plain(folder: Path) -> sqlite3.Connection:
    """A connection past the store, as somebody with a shell has it."""
    return sqlite3.connect(folder / "whydown.db", isolation_level=None)


def alert(service: str = "basket", minutes: int = 0) -> Alert:
    return Alert(
        service=service, metric="latency_p99", monitor="slow", labels={"zone": "a"}, fired_at=START + minutes * MINUTE
    )


def incident_in(store: Store, service: str = "basket") -> str:
    return store.create_incident(alert(service))[0].id


def draft(text: str = "the alert fired", key: str | None = None) -> TimelineDraft:
    return TimelineDraft(kind=TimelineKind.ALERT, text=text, key=key, node="triage", took=timedelta(milliseconds=12))


def evidence(result: object = (1, 2), service: str = "basket") -> Evidence:
    query = Query(tool="metric_range", arguments={"service": service, "metric": "latency_p99"})
    return Evidence.of(Source.METRICS, query, WINDOW, "p99 rose from 0.2 s to 4.1 s", list(result))  # type: ignore[arg-type]


def mitigation(target: str = "basket", **fields: object) -> Mitigation:
    values: dict[str, object] = {
        "id": "M1",
        "operation": Operation(kind=OperationKind.ROLLBACK, target=target, arguments={"to": "v213"}),
        "title": "Roll back",
        "reason": Claim(text="v214 asks once per line item", evidence=("E1",)),
        "risk": "low",
        "reversible": True,
        "undo": "roll forward to v214",
        "expected_effect": "p99 returns",
        "check": "latency_p99",
    }
    return Mitigation.model_validate(values | fields)


def approval_request(
    incident: str, name: str = "A1", target: str = "basket", approvers: int = 1, minutes: int = 15
) -> ApprovalRequest:
    wanted = mitigation(target)
    return ApprovalRequest(
        id=name,
        incident=incident,
        mitigation=wanted,
        digest=wanted.operation.digest,
        requested_at=START,
        expires_at=START + minutes * MINUTE,
        approvers_needed=approvers,
    )


def says(
    verdict: str, by: str = "ana", request: ApprovalRequest | None = None, reason: str = "looks right"
) -> ApprovalDecision:
    digest = request.digest if request else mitigation().operation.digest
    return ApprovalDecision.model_validate(
        {"verdict": verdict, "by": by, "reason": reason, "at": START + MINUTE, "digest": digest}
    )
