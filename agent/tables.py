"""The tables of the store. No query lives here, and nothing that only one database understands.

Values of the vocabulary are kept as their own JSON, so a column exists only where a row is looked up, ordered or
compared by it. The timeline is the exception: it is the audit trail, and a person with a plain SQL prompt must be able
to read it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

from tools.evidence import as_utc

# Without fixed names a later migration cannot drop a constraint on every database.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC moment; SQLite keeps it without a zone, so the zone is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else as_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Microseconds(TypeDecorator[timedelta]):
    """A duration as whole microseconds: exact, and sortable in SQL."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> int | None:
        return None if value is None else value // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> timedelta | None:
        return None if value is None else timedelta(microseconds=int(value))


metadata = MetaData(naming_convention=NAMES)


def _of_incident(primary_key: bool = False) -> Column[str]:
    return Column("incident_id", String(80), ForeignKey("incidents.id"), nullable=False, primary_key=primary_key)


incidents = Table(
    "incidents",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("status", String(32), nullable=False),
    Column("severity", String(8)),
    Column("detected_at", UtcTime, nullable=False, index=True),
    Column("acknowledged_at", UtcTime),
    Column("mitigated_at", UtcTime),
    Column("resolved_at", UtcTime),
    Column("received_at", UtcTime, nullable=False),
    Column("recording", Text),
    Column("alert", Text, nullable=False),
    # Grows whenever the incident comes back after it was over; each round is an investigation of its own.
    Column("round", Integer, nullable=False, server_default="1"),
    Column("round_began_at", UtcTime),
    # The head of the hash chain is kept beside it: a chain alone cannot tell that its last entries were cut off.
    Column("timeline_seq", Integer, nullable=False),
    Column("timeline_hash", String(64), nullable=False),
)

leases = Table(
    "leases",
    metadata,
    _of_incident(primary_key=True),
    Column("holder", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

timeline = Table(
    "timeline",
    metadata,
    _of_incident(primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("key", String(200)),
    Column("at", UtcTime, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("took", Microseconds),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("incident_id", "key"),
)

evidence = Table(
    "evidence",
    metadata,
    _of_incident(primary_key=True),
    Column("id", String(80), primary_key=True),
    Column("stored_at", UtcTime, nullable=False),
    Column("value", Text, nullable=False),
    Column("seal", String(64), nullable=False),
    Column("result", LargeBinary, nullable=False),
)

reruns = Table(
    "reruns",
    metadata,
    Column("incident_id", String(80), primary_key=True),
    Column("evidence_id", String(80), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("seen_at", UtcTime, nullable=False),
    ForeignKeyConstraint(["incident_id", "evidence_id"], ["evidence.incident_id", "evidence.id"]),
)

documents = Table(
    "documents",
    metadata,
    _of_incident(primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("stored_at", UtcTime, nullable=False),
    Column("value", LargeBinary, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", String(80), primary_key=True),
    _of_incident(),
    Column("digest", String(64), nullable=False),
    Column("requested_at", UtcTime, nullable=False),
    # What people made of it. That a pending one has expired follows from the time in its request.
    Column("status", String(32), nullable=False),
    Column("request", Text, nullable=False),
    Index(None, "incident_id", "digest"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("approval_id", String(80), ForeignKey("approvals.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("value", Text, nullable=False),
)

actions = Table(
    "actions",
    metadata,
    Column("key", String(80), primary_key=True),
    _of_incident(),
    Column("approval_id", String(80), ForeignKey("approvals.id"), nullable=False, unique=True),
    Column("digest", String(64), nullable=False),
    Column("claimed_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("result", Text),
)

changes = Table(
    "changes",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("received_at", UtcTime, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("value", LargeBinary, nullable=False),
)

# One row for each time that a monitor's alert fired, however often it was delivered.
alerts = Table(
    "alerts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("source", String(80), nullable=False),
    Column("key", Text, nullable=False),
    Column("monitor", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("fired_at", UtcTime, nullable=False, index=True),
    Column("received_at", UtcTime, nullable=False),
    Column("deliveries", Integer, nullable=False),
    Column("acknowledged_at", UtcTime),
    Column("acknowledged_by", Text, nullable=False),
    Column("resolved_at", UtcTime),
    Column("incident_id", String(80), ForeignKey("incidents.id"), index=True),
    Column("placed", String(16), nullable=False),
    Column("because", Text, nullable=False),
    Column("alert", Text, nullable=False),
    Index(None, "source", "key"),
    Index(None, "monitor", "fired_at"),
)

# What the alerts of an incident have in common, kept beside them so that a storm does not read its own thousands.
groups = Table(
    "groups",
    metadata,
    _of_incident(primary_key=True),
    Column("alerts", Integer, nullable=False),
    Column("named", Integer, nullable=False),
    Column("last_alert_at", UtcTime, nullable=False, index=True),
    Column("labels", Text, nullable=False),
)

group_services = Table(
    "group_services",
    metadata,
    _of_incident(primary_key=True),
    Column("service", Text, primary_key=True),
)

service_edges = Table(
    "service_edges",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("callee", Text, primary_key=True),
    Column("seen_at", UtcTime, nullable=False),
)

silences = Table(
    "silences",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("since", UtcTime, nullable=False),
    Column("until", UtcTime, nullable=False, index=True),
    Column("value", Text, nullable=False),
)

# What there is to do on an incident without a person. `due_at` is empty while there is nothing.
work = Table(
    "work",
    metadata,
    _of_incident(primary_key=True),
    Column("due_at", UtcTime, index=True),
    Column("version", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("began_at", UtcTime, index=True),
    Column("seconds", Float),
    Column("tool_calls", Integer),
    Column("trouble", Text, nullable=False),
)
