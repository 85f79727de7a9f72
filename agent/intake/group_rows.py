"""What the alerts of an incident have in common, as rows: small enough to be read for every alert of a storm."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from agent.incident import Alert
from agent.intake.grouping import HOPS, OVER, REOPEN_WITHIN, Candidate, shared
from agent.tables import group_services, groups, incidents, service_edges
from tools.evidence import Edge

MOST_CANDIDATES = 200
"""Incidents that an alert is compared with, those with the latest alerts. More have never gone on at once."""


def candidates(connection: Connection, now: datetime) -> list[Candidate]:
    """Incidents that are going on or were over only lately, those with the latest alerts first."""
    lately = now - REOPEN_WITHIN
    over = [status.value for status in OVER]
    ended = func.coalesce(incidents.c.resolved_at, incidents.c.mitigated_at)
    rows = connection.execute(
        select(incidents.c.id, incidents.c.status, incidents.c.detected_at, ended.label("over_at"), groups)
        .join(groups, groups.c.incident_id == incidents.c.id)
        .where(incidents.c.status.not_in(over) | (ended >= lately))
        .order_by(groups.c.last_alert_at.desc())
        .limit(MOST_CANDIDATES)
    ).mappings()
    found = [dict(row) for row in rows]
    services = _services(connection, [row["id"] for row in found])
    return [
        Candidate(
            incident=row["id"],
            status=row["status"],
            detected_at=row["detected_at"],
            last_alert_at=row["last_alert_at"],
            over_at=row["over_at"],
            services=frozenset(services.get(row["id"], ())),
            labels=json.loads(row["labels"]),
        )
        for row in found
    ]


def open_group(connection: Connection, incident: str, alert: Alert, now: datetime) -> None:
    """Begin the group of an incident with its first alert."""
    row = {"alerts": 1, "named": 1, "last_alert_at": now, "labels": json.dumps(alert.labels)}
    connection.execute(insert(groups).values(incident_id=incident, **row))
    _add_service(connection, incident, alert.service)


def join_group(connection: Connection, incident: str, alert: Alert, now: datetime) -> int:
    """Put one more alert into the group; returns how many it has now."""
    before = connection.execute(select(groups).where(groups.c.incident_id == incident)).mappings().one_or_none()
    if before is None:  # an incident that a person opened
        open_group(connection, incident, alert, now)
        return 1
    labels = shared(json.loads(before["labels"]), alert.labels)
    number: int = before["alerts"] + 1
    row = {"alerts": number, "last_alert_at": now, "labels": json.dumps(labels)}
    connection.execute(update(groups).where(groups.c.incident_id == incident).values(**row))
    _add_service(connection, incident, alert.service)
    return number


def name_one(connection: Connection, incident: str, most: int) -> bool:
    """Whether one more alert of the group may have its own line on the timeline, which holds `most` of them."""
    few = (groups.c.incident_id == incident) & (groups.c.named < most)
    return bool(connection.execute(update(groups).where(few).values(named=groups.c.named + 1)).rowcount)


def neighbours(connection: Connection, service: str) -> frozenset[str]:
    """Services within HOPS calls of this one, in either direction, as far as investigations have seen them."""
    known, edge = {service}, {service}
    for _ in range(HOPS):
        edge = _next_to(connection, edge) - known
        known |= edge
    return frozenset(known - {service})


def put_edges(connection: Connection, edges: Iterable[Edge], now: datetime) -> None:
    """Remember who depends on whom."""
    for edge in sorted({(each.caller, each.callee) for each in edges}):
        same = (service_edges.c.caller == edge[0]) & (service_edges.c.callee == edge[1])
        if not connection.execute(update(service_edges).where(same).values(seen_at=now)).rowcount:
            row = {"caller": edge[0], "callee": edge[1], "seen_at": now}
            connection.execute(insert(service_edges).values(**row))


def forget_edges(connection: Connection, before: datetime) -> None:
    """Drop calls that nobody has seen since."""
    connection.execute(delete(service_edges).where(service_edges.c.seen_at < before))


def _next_to(connection: Connection, services: Collection[str]) -> set[str]:
    called = select(service_edges.c.callee).where(service_edges.c.caller.in_(services))
    calling = select(service_edges.c.caller).where(service_edges.c.callee.in_(services))
    return set(connection.execute(called.union(calling)).scalars())


def _services(connection: Connection, of: Collection[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in connection.execute(select(group_services).where(group_services.c.incident_id.in_(of))):
        found.setdefault(row.incident_id, []).append(row.service)
    return found


def _add_service(connection: Connection, incident: str, service: str) -> None:
    try:
        with connection.begin_nested():
            connection.execute(insert(group_services).values(incident_id=incident, service=service))
    except IntegrityError:
        return  # it was part of it before
