"""The first schema. It is written out, because a later change of `agent/tables.py` must not change this step."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    _incidents()
    _evidence()
    _approvals()


def downgrade() -> None:
    """Drop every table."""
    for table in ("actions", "decisions", "approvals", "documents", "reruns", "evidence", "timeline", "leases"):
        op.drop_table(table)
    op.drop_table("incidents")


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _incident_id() -> sa.Column[str]:
    return sa.Column("incident_id", sa.String(80), nullable=False)


def _to_incidents(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=f"fk_{table}_incidents")


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("severity", sa.String(8)),
        _time("detected_at"),
        _time("acknowledged_at", nullable=True),
        _time("mitigated_at", nullable=True),
        _time("resolved_at", nullable=True),
        _time("received_at"),
        sa.Column("recording", sa.Text),
        sa.Column("alert", sa.Text, nullable=False),
        sa.Column("timeline_seq", sa.Integer, nullable=False),
        sa.Column("timeline_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("fingerprint", name="uq_incidents_fingerprint"),
    )
    op.create_index("ix_incidents_detected_at", "incidents", ["detected_at"])
    op.create_table(
        "leases",
        _incident_id(),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        _time("expires_at"),
        sa.PrimaryKeyConstraint("incident_id", name="pk_leases"),
        _to_incidents("leases"),
    )
    op.create_table(
        "timeline",
        _incident_id(),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("key", sa.String(200)),
        _time("at"),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("took", sa.BigInteger),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "seq", name="pk_timeline"),
        sa.UniqueConstraint("incident_id", "key", name="uq_timeline_incident_id_key"),
        _to_incidents("timeline"),
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        _incident_id(),
        sa.Column("id", sa.String(80), nullable=False),
        _time("stored_at"),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.Column("result", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "id", name="pk_evidence"),
        _to_incidents("evidence"),
    )
    op.create_table(
        "reruns",
        _incident_id(),
        sa.Column("evidence_id", sa.String(80), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        _time("seen_at"),
        sa.PrimaryKeyConstraint("incident_id", "evidence_id", "digest", name="pk_reruns"),
        sa.ForeignKeyConstraint(
            ["incident_id", "evidence_id"], ["evidence.incident_id", "evidence.id"], name="fk_reruns_evidence"
        ),
    )
    op.create_table(
        "documents",
        _incident_id(),
        sa.Column("name", sa.String(80), nullable=False),
        _time("stored_at"),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "name", name="pk_documents"),
        _to_incidents("documents"),
    )


def _approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(80), nullable=False),
        _incident_id(),
        sa.Column("digest", sa.String(64), nullable=False),
        _time("requested_at"),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
        _to_incidents("approvals"),
    )
    op.create_index("ix_approvals_incident_id_digest", "approvals", ["incident_id", "digest"])
    op.create_table(
        "decisions",
        sa.Column("approval_id", sa.String(80), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("approval_id", "position", name="pk_decisions"),
        sa.ForeignKeyConstraint(["approval_id"], ["approvals.id"], name="fk_decisions_approvals"),
    )
    op.create_table(
        "actions",
        sa.Column("key", sa.String(80), nullable=False),
        _incident_id(),
        sa.Column("approval_id", sa.String(80), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        _time("claimed_at"),
        _time("finished_at", nullable=True),
        sa.Column("result", sa.Text),
        sa.PrimaryKeyConstraint("key", name="pk_actions"),
        sa.UniqueConstraint("approval_id", name="uq_actions_approval_id"),
        _to_incidents("actions"),
        sa.ForeignKeyConstraint(["approval_id"], ["approvals.id"], name="fk_actions_approvals"),
    )
