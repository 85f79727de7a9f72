"""Leases with fencing tokens: at most one process works on an incident, and one that lost its lease cannot write.

A token grows with every new holder and every write compares it inside its own transaction (Kleppmann, "How to do
distributed locking", 2016). The comparison is by token and not by the clock: a holder that overslept its time may
go on as long as nobody else has taken over, and cannot once somebody has.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from agent.errors import CallerError, ConflictError
from agent.tables import leases
from tools.evidence import Frozen, UtcDatetime

NOBODY = ""


class Lease(Frozen):
    """The right to work on one incident."""

    incident: str
    holder: str
    token: int
    expires_at: UtcDatetime


def prepare(connection: Connection, incident_id: str, now: datetime) -> None:
    """Give a new incident its row, so that taking a lease is always one conditional update."""
    connection.execute(insert(leases).values(incident_id=incident_id, holder=NOBODY, token=0, expires_at=now))


def acquire(connection: Connection, incident_id: str, holder: str, ttl: timedelta, now: datetime) -> Lease | None:
    """The lease for `ttl`, or None while anybody holds it, the same holder included.

    `holder` should name one process or thread, so that two of them are never taken for one.
    """
    if not holder:
        raise CallerError(f"lease of {incident_id}: holder '' names nobody")
    free = (leases.c.holder == NOBODY) | (leases.c.expires_at <= now)
    taken = connection.execute(
        update(leases)
        .where(leases.c.incident_id == incident_id, free)
        .values(holder=holder, token=leases.c.token + 1, expires_at=now + ttl)
    )
    if not taken.rowcount:
        return None
    token = connection.execute(select(leases.c.token).where(leases.c.incident_id == incident_id)).scalar_one()
    return Lease(incident=incident_id, holder=holder, token=token, expires_at=now + ttl)


def renew(connection: Connection, lease: Lease, ttl: timedelta, now: datetime) -> Lease:
    """The same lease with more time; raises ConflictError when it was lost or given back."""
    check(connection, lease)
    renewed = lease.model_copy(update={"expires_at": now + ttl})
    connection.execute(
        update(leases).where(leases.c.incident_id == lease.incident).values(expires_at=renewed.expires_at)
    )
    return renewed


def release(connection: Connection, lease: Lease) -> None:
    """Give it back. One that was already lost is nobody's concern any more, so that is no error."""
    connection.execute(
        update(leases)
        .where(leases.c.incident_id == lease.incident, leases.c.token == lease.token)
        .values(holder=NOBODY)
    )


def revoke(connection: Connection, incident_id: str) -> None:
    """Take the lease from whoever has it; what he still writes is refused."""
    values = {"holder": NOBODY, "token": leases.c.token + 1}
    connection.execute(update(leases).where(leases.c.incident_id == incident_id).values(**values))


def check(connection: Connection, lease: Lease) -> None:
    """Raise ConflictError unless the lease is still its holder's."""
    row = connection.execute(
        select(leases.c.holder, leases.c.token).where(leases.c.incident_id == lease.incident).with_for_update()
    ).one_or_none()
    if row is None or (row.holder, row.token) != (lease.holder, lease.token):
        raise lost(lease)


def lost(lease: Lease) -> ConflictError:
    """The error of a holder that is one no longer."""
    return ConflictError(f"{lease.holder} lost the lease of {lease.incident} (token {lease.token}); it may not write")
