"""What the tests of the intake share: notices of a made-up monitor."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from agent.incident import Alert
from agent.intake.notice import Notice
from tests.agent.store_samples import START

SECOND = timedelta(seconds=1)


def notice(
    service: str = "basket",
    monitor: str = "slow",
    *,
    says: Literal["fire", "acknowledge", "resolve"] = "fire",
    fired: timedelta = timedelta(0),
    at: timedelta | None = None,
    key: str = "",
    severity: str = "",
    by: str = "",
    **labels: str,
) -> Notice:
    """A notice about an alert that fired `fired` after START and is said `at` after START (when it fired, if not given)."""
    moment: datetime = START + (fired if at is None else at)
    alert = Alert(
        service=service, metric="p99", monitor=monitor, severity=severity, labels=labels, fired_at=START + fired
    )
    return Notice(source="made up", key=key or f"{monitor}/{service}", says=says, alert=alert, at=moment, by=by)
