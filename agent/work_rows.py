"""What there is to do without a person, as rows: which investigation is due, and how often it was tried.

A row's version grows whenever somebody wants something of the incident. Who worked on it clears only the version that
he took, so that a word said meanwhile (an approval, an alert that came back) is never lost.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from agent.tables import leases, work
from tools.evidence import Frozen, UtcDatetime

JUDGED_BY = 50
"""Investigations whose median says what one costs."""


class Work(Frozen):
    """One incident that is due."""

    incident: str
    due_at: UtcDatetime
    version: int
    attempts: int
    """How often it was tried without coming to an end."""


def want(connection: Connection, incident: str, due_at: datetime) -> None:
    """Have the incident worked on, from `due_at` on."""
    row = {"incident_id": incident, "due_at": due_at, "version": 1, "attempts": 0, "trouble": ""}
    try:
        with connection.begin_nested():
            connection.execute(insert(work).values(**row))
    except IntegrityError:
        values = {"due_at": due_at, "version": work.c.version + 1, "attempts": 0, "trouble": ""}
        connection.execute(update(work).where(work.c.incident_id == incident).values(**values))


def due(connection: Connection, now: datetime, limit: int) -> list[Work]:
    """What is due and in nobody's hands, the longest waiting first."""
    free = (leases.c.holder == "") | (leases.c.expires_at <= now)
    query = (
        select(work)
        .join(leases, leases.c.incident_id == work.c.incident_id)
        .where(work.c.due_at <= now, free)
        .order_by(work.c.due_at, work.c.incident_id)
        .limit(limit)
    )
    return [
        Work(incident=row["incident_id"], due_at=row["due_at"], version=row["version"], attempts=row["attempts"])
        for row in connection.execute(query).mappings()
    ]


def next_due(connection: Connection) -> datetime | None:
    """When the next is due; None while nothing is."""
    return connection.execute(select(func.min(work.c.due_at))).scalar_one_or_none()


def waits(connection: Connection, incident: str) -> bool:
    """Whether something is left to do on the incident, now or later."""
    query = select(work.c.due_at).where(work.c.incident_id == incident)
    return connection.execute(query).scalar_one_or_none() is not None


def began(connection: Connection, incident: str, now: datetime) -> None:
    """Write down that somebody works on it."""
    connection.execute(update(work).where(work.c.incident_id == incident).values(began_at=now))


def done(
    connection: Connection, taken: Work, due_at: datetime | None, seconds: float | None, tool_calls: int | None
) -> None:
    """Clear what was taken, or put it off until `due_at`, with what the investigation has cost so far."""
    cost = {} if seconds is None else {"seconds": seconds, "tool_calls": tool_calls}
    mine = (work.c.incident_id == taken.incident) & (work.c.version == taken.version)
    connection.execute(update(work).where(mine).values(due_at=due_at, attempts=0, trouble="", **cost))


def failed(connection: Connection, taken: Work, trouble: str, due_at: datetime | None) -> None:
    """Write down what went wrong, and when it is tried again; None gives it up."""
    mine = (work.c.incident_id == taken.incident) & (work.c.version == taken.version)
    values = {"due_at": due_at, "attempts": taken.attempts + 1, "trouble": trouble}
    connection.execute(update(work).where(mine).values(**values))


def began_since(connection: Connection, since: datetime) -> int:
    """How many investigations began since then."""
    return connection.execute(select(func.count()).where(work.c.began_at >= since)).scalar_one()


def typical_cost(connection: Connection) -> tuple[float, int] | None:
    """Median working seconds and tool calls of the latest investigations; None before there was any."""
    latest = select(work.c.seconds, work.c.tool_calls).where(work.c.seconds.is_not(None))
    rows = connection.execute(latest.order_by(work.c.began_at.desc()).limit(JUDGED_BY)).all()
    if not rows:
        return None
    return median(row.seconds for row in rows), round(median(row.tool_calls for row in rows))


def put_off(attempts: int) -> timedelta:
    """How long to wait after so many failures: 5 s, doubled each time, at most 10 min."""
    return min(timedelta(seconds=5) * 2**attempts, timedelta(minutes=10))
