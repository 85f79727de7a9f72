"""Alerts as rows: one for each time that a monitor's alert fired, however often and in whatever order it is delivered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field, ValidationError
from sqlalchemy import ColumnElement, Connection, RowMapping, case, delete, func, insert, not_, select, update

from agent.errors import OperatorError
from agent.incident import Alert, IncidentStatus
from agent.intake.noise import FLAPS_WITHIN, LOOKED_AT, QUICKLY, History
from agent.intake.notice import Notice
from agent.tables import alerts, incidents
from tools.evidence import Frozen, UtcDatetime

QUICKLY_SECONDS = QUICKLY.total_seconds()


class Episode(Frozen):
    """One time that a monitor's alert fired, and what has become of it."""

    id: str
    source: str
    key: str
    alert: Alert
    received_at: UtcDatetime
    deliveries: int = Field(ge=0)
    acknowledged_at: UtcDatetime | None = None
    acknowledged_by: str = ""
    resolved_at: UtcDatetime | None = None
    incident: str | None = None
    placed: str
    because: str


def find(connection: Connection, episode: str) -> Episode | None:
    """The episode of this id; None when it was never heard of."""
    row = connection.execute(select(alerts).where(alerts.c.id == episode)).mappings().one_or_none()
    return None if row is None else _episode(row)


def put(connection: Connection, notice: Notice, now: datetime, incident: str | None, placed: str, because: str) -> None:
    """Keep an episode that was not heard of before."""
    firing = notice.says == "fire"
    row = {
        "id": notice.episode,
        "source": notice.source,
        "key": notice.key,
        "monitor": notice.alert.monitor,
        "service": notice.alert.service,
        "fired_at": notice.alert.fired_at,
        "received_at": now,
        "deliveries": int(firing),
        "acknowledged_at": notice.at if notice.says == "acknowledge" else None,
        "acknowledged_by": notice.by if notice.says == "acknowledge" else "",
        "resolved_at": notice.at if notice.says == "resolve" else None,
        "incident_id": incident,
        "placed": placed,
        "because": because,
        "alert": notice.alert.model_dump_json(),
    }
    connection.execute(insert(alerts).values(**row))


def forget(connection: Connection, episode: str) -> None:
    """Drop an episode that is about to be put anew."""
    connection.execute(delete(alerts).where(alerts.c.id == episode))


def delivered_again(connection: Connection, episode: str) -> None:
    """Count one more delivery of an alert that fires."""
    connection.execute(update(alerts).where(alerts.c.id == episode).values(deliveries=alerts.c.deliveries + 1))


def fires_again(connection: Connection, episode: str) -> None:
    """An alert that its monitor calls the same one as before is not over any more."""
    values = {"resolved_at": None, "deliveries": alerts.c.deliveries + 1}
    connection.execute(update(alerts).where(alerts.c.id == episode).values(**values))


def acknowledged(connection: Connection, episode: str, at: datetime, by: str) -> None:
    """Write down who took it; the first one stays."""
    first = (alerts.c.id == episode) & alerts.c.acknowledged_at.is_(None)
    connection.execute(update(alerts).where(first).values(acknowledged_at=at, acknowledged_by=by))


def resolved(connection: Connection, episode: str, at: datetime) -> None:
    """Write down when it was over."""
    connection.execute(update(alerts).where(alerts.c.id == episode).values(resolved_at=at))


def last_incident(connection: Connection, source: str, key: str) -> str | None:
    """The incident that the same monitor's alert was part of when it last fired; None where it never was."""
    same = (alerts.c.source == source) & (alerts.c.key == key) & alerts.c.incident_id.is_not(None)
    query = select(alerts.c.incident_id).where(same).order_by(alerts.c.fired_at.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


def still_firing(connection: Connection, incident: str) -> int:
    """How many of an incident's alerts are not over."""
    firing = (alerts.c.incident_id == incident) & alerts.c.resolved_at.is_(None)
    return connection.execute(select(func.count()).where(firing)).scalar_one()


def counted(connection: Connection, incident: str) -> int:
    """How many alerts an incident has."""
    return connection.execute(select(func.count()).where(alerts.c.incident_id == incident)).scalar_one()


def history(connection: Connection, notice: Notice, now: datetime) -> History:
    """What became of this monitor's alerts, the episode of the notice left out."""
    others = alerts.c.id != notice.episode
    same = others & (alerts.c.source == notice.source) & (alerts.c.key == notice.key)
    of_monitor = others & (alerts.c.monitor == notice.alert.monitor) if notice.alert.monitor else same
    found = _judged(connection, of_monitor & (alerts.c.fired_at >= now - LOOKED_AT))
    lately = select(func.count()).where(same, alerts.c.fired_at >= now - FLAPS_WITHIN)
    judged = found[0] if found else History(monitor=notice.alert.monitor)
    return judged.model_copy(update={"lately": connection.execute(lately).scalar_one()})


def histories(connection: Connection, now: datetime) -> list[History]:
    """What became of the alerts of every monitor with a name, the noisiest first."""
    found = _judged(connection, (alerts.c.monitor != "") & (alerts.c.fired_at >= now - LOOKED_AT))
    return sorted(found, key=lambda each: (-each.noise, each.monitor))


def _judged(connection: Connection, which: ColumnElement[bool]) -> list[History]:
    seconds = _seconds(connection, alerts.c.resolved_at) - _seconds(connection, alerts.c.fired_at)
    quick = alerts.c.resolved_at.is_not(None) & (seconds <= QUICKLY_SECONDS) & alerts.c.acknowledged_at.is_(None)
    dismissed = not_(quick) & (incidents.c.status == IncidentStatus.DISMISSED.value)
    query = (
        select(
            alerts.c.monitor,
            func.count().label("alerts"),
            func.sum(case((quick, 1), else_=0)).label("quickly_over"),
            func.sum(case((dismissed, 1), else_=0)).label("dismissed"),
        )
        .select_from(alerts.outerjoin(incidents, alerts.c.incident_id == incidents.c.id))
        .where(which)
        .group_by(alerts.c.monitor)
    )
    return [History.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def of_incident(connection: Connection, incident: str, limit: int) -> list[Episode]:
    """The first alerts of an incident, oldest first."""
    query = select(alerts).where(alerts.c.incident_id == incident)
    ordered = query.order_by(alerts.c.fired_at, alerts.c.id).limit(limit)
    return [_episode(row) for row in connection.execute(ordered).mappings()]


def newest(connection: Connection, limit: int, monitor: str | None = None) -> list[Episode]:
    """Alerts of all incidents and of none, the one that fired last first."""
    query = select(alerts).order_by(alerts.c.fired_at.desc(), alerts.c.id).limit(limit)
    chosen = query if monitor is None else query.where(alerts.c.monitor == monitor)
    return [_episode(row) for row in connection.execute(chosen).mappings()]


def _seconds(connection: Connection, moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """Unix seconds of a column, in the words of either database."""
    if connection.dialect.name == "sqlite":
        return func.julianday(moment) * 86400.0
    return func.extract("epoch", moment)


def _episode(row: RowMapping) -> Episode:
    fields = {name: row[name] for name in row if name not in {"alert", "incident_id", "monitor", "service", "fired_at"}}
    try:
        alert = Alert.model_validate_json(row["alert"])
    except ValidationError as error:
        raise OperatorError(f"alert {row['id']}: it cannot be read as it is stored") from error
    return Episode(**fields, alert=alert, incident=row["incident_id"])
