"""Incidents as rows: created once per alert, moved along the allowed transitions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from agent import evidence_rows, leases
from agent.errors import CallerError, ConflictError, OperatorError
from agent.incident import Alert, Incident, IncidentStatus
from agent.tables import incidents
from tools.evidence import Frozen, UtcDatetime, digest_of

# Four hex digits are short enough to say aloud; they grow when a day has two incidents with the same ones.
SHORTEST_SUFFIX = 4
LONGEST_SUFFIX = 64

_S = IncidentStatus
TRANSITIONS: dict[IncidentStatus, frozenset[IncidentStatus]] = {
    _S.INVESTIGATING: frozenset({_S.AWAITING_APPROVAL, _S.MITIGATING, _S.STABLE, _S.CLOSED, _S.DISMISSED}),
    _S.AWAITING_APPROVAL: frozenset({_S.INVESTIGATING, _S.MITIGATING, _S.STABLE, _S.DISMISSED}),
    _S.MITIGATING: frozenset({_S.INVESTIGATING, _S.AWAITING_APPROVAL, _S.STABLE}),
    _S.STABLE: frozenset({_S.INVESTIGATING, _S.AWAITING_APPROVAL, _S.CLOSED, _S.DISMISSED}),
    _S.CLOSED: frozenset({_S.INVESTIGATING}),
    _S.DISMISSED: frozenset({_S.INVESTIGATING}),
}
"""Where an incident can go from where it is. A mitigation under way is verified before anybody closes the incident."""


class Round(Frozen):
    """One investigation of an incident; another begins when it comes back after it was over."""

    number: int = 1
    began_at: UtcDatetime | None = None
    """None for the first, which begins with the incident."""

    @property
    def prefix(self) -> str:
        """What tells the steps of this round from those of the first."""
        return "" if self.number == 1 else f"round {self.number}/"


_FIELDS = [incidents.c[name] for name in Incident.model_fields]


def fingerprint(alert: Alert) -> str:
    """What makes two deliveries the same alert: service, metric, monitor, labels and the moment it fired."""
    same = alert.model_dump(mode="json", include={"service", "metric", "monitor", "labels", "fired_at"})
    return digest_of(same)


def create(connection: Connection, alert: Alert, recording: str | None, now: datetime) -> tuple[Incident, bool]:
    """The incident of this alert and whether it is new; the unique fingerprint decides a race."""
    mark = fingerprint(alert)
    for length in range(SHORTEST_SUFFIX, LONGEST_SUFFIX + 1, 4):
        row = _new_row(alert, mark, f"inc-{alert.fired_at:%Y%m%d}-{mark[:length]}")
        try:
            with connection.begin_nested():
                connection.execute(insert(incidents).values(**row, recording=recording, received_at=now))
        except IntegrityError:
            found = connection.execute(select(*_FIELDS).where(incidents.c.fingerprint == mark)).mappings().one_or_none()
            if found is not None:
                return _incident(found), False
            continue  # the id belongs to another alert
        leases.prepare(connection, row["id"], now)
        return get(connection, row["id"]), True
    raise ConflictError(f"no free incident id for fingerprint {mark}")


def _new_row(alert: Alert, mark: str, incident_id: str) -> dict[str, Any]:
    return {
        "id": incident_id,
        "fingerprint": mark,
        "title": alert.summary or " ".join(part for part in (alert.service, alert.metric) if part),
        "service": alert.service,
        "status": IncidentStatus.INVESTIGATING.value,
        "detected_at": alert.fired_at,
        "alert": alert.model_dump_json(),
        "timeline_seq": 0,
        "timeline_hash": "",
    }


def get(connection: Connection, incident_id: str) -> Incident:
    """The incident; raises CallerError when there is none of this id."""
    return _incident(_row(connection, incident_id, *_FIELDS))


def newest(connection: Connection, limit: int, statuses: Collection[IncidentStatus] | None) -> list[Incident]:
    """Incidents by the moment they were detected, newest first."""
    query = select(*_FIELDS).order_by(incidents.c.detected_at.desc(), incidents.c.id).limit(limit)
    if statuses is not None:
        query = query.where(incidents.c.status.in_([status.value for status in statuses]))
    return [_incident(row) for row in connection.execute(query).mappings()]


def alert_of(connection: Connection, incident_id: str) -> Alert:
    """The alert that started it."""
    stored = _row(connection, incident_id, incidents.c.alert)["alert"]
    try:
        return Alert.model_validate_json(stored)
    except ValidationError as error:
        raise OperatorError(f"incident {incident_id}: its stored alert cannot be read: {stored[:80]!r}") from error


def recording_of(connection: Connection, incident_id: str) -> str | None:
    """The name of the recording it is investigated from; None for a live one."""
    return _row(connection, incident_id, incidents.c.recording)["recording"]


def lock(connection: Connection, incident_id: str) -> None:
    """Make this transaction the only writer of the incident until it ends; raises CallerError for an unknown id."""
    found = connection.execute(select(incidents.c.id).where(incidents.c.id == incident_id).with_for_update())
    if found.one_or_none() is None:
        raise _unknown(incident_id)


def change(connection: Connection, incident_id: str, values: dict[str, Any]) -> Incident:
    """Write fields of the incident and return it as it now is."""
    if values:
        connection.execute(update(incidents).where(incidents.c.id == incident_id).values(**values))
    return get(connection, incident_id)


def move(connection: Connection, incident_id: str, status: IncidentStatus, now: datetime) -> Incident:
    """Change the status and the times that hang on it; raises ConflictError when the step is not allowed."""
    before = get(connection, incident_id)
    if before.status is status:
        return before
    if status not in TRANSITIONS[before.status]:
        allowed = ", ".join(sorted(TRANSITIONS[before.status]))
        raise ConflictError(f"incident {incident_id} is {before.status.value}; {status.value} is not one of: {allowed}")
    return change(connection, incident_id, {"status": status.value, **_times(before, status, now)})


def round_of(connection: Connection, incident_id: str) -> Round:
    """The round of investigation that the incident is in."""
    row = _row(connection, incident_id, incidents.c.round, incidents.c.round_began_at)
    return Round(number=row["round"], began_at=row["round_began_at"])


def reopen(connection: Connection, incident_id: str, alert: Alert, now: datetime) -> None:
    """Begin a new round with the alert that came back; the caller holds the incident.

    Documents of the round before are kept under its number, and whoever still works on that round loses the lease.
    """
    before = round_of(connection, incident_id)
    if get(connection, incident_id).status is not IncidentStatus.INVESTIGATING:
        move(connection, incident_id, IncidentStatus.INVESTIGATING, now)
    evidence_rows.archive_documents(connection, incident_id, f"round {before.number}/")
    leases.revoke(connection, incident_id)
    change(
        connection,
        incident_id,
        {"round": before.number + 1, "round_began_at": now, "alert": alert.model_dump_json()},
    )


def _times(before: Incident, status: IncidentStatus, now: datetime) -> dict[str, datetime | None]:
    """When the pain stopped and when it was over. A relapse takes both back: they did not hold."""
    match status:
        case IncidentStatus.STABLE:
            return {"mitigated_at": before.mitigated_at or now, "resolved_at": None}
        case IncidentStatus.CLOSED | IncidentStatus.DISMISSED:
            return {"resolved_at": before.resolved_at or now}
        case _:
            return {"mitigated_at": None, "resolved_at": None}


def _row(connection: Connection, incident_id: str, *columns: ColumnElement[Any]) -> RowMapping:
    found = connection.execute(select(*columns).where(incidents.c.id == incident_id)).mappings().one_or_none()
    if found is None:
        raise _unknown(incident_id)
    return found


def _unknown(incident_id: str) -> CallerError:
    return CallerError(f"there is no incident {incident_id!r}")


def _incident(row: RowMapping) -> Incident:
    try:
        return Incident.model_validate(dict(row))
    except ValidationError as error:
        raise OperatorError(f"incident {row['id']}: its row cannot be read: {error.errors()[0]['msg']}") from error
