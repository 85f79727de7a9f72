"""Alerts as they come in, what they have in common, silences, and the work that waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MOMENT = sa.DateTime(timezone=True)
TABLES = ("work", "silences", "service_edges", "group_services", "groups", "alerts")


def upgrade() -> None:
    """Create the tables, and count the rounds of an incident."""
    op.add_column("incidents", sa.Column("round", sa.Integer, nullable=False, server_default="1"))
    op.add_column("incidents", sa.Column("round_began_at", MOMENT))
    _alerts()
    _groups()
    op.create_table(
        "service_edges",
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("callee", sa.Text, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("caller", "callee", name="pk_service_edges"),
    )
    op.create_table(
        "silences",
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_silences"),
    )
    op.create_index("ix_silences_until", "silences", ["until"])
    _work()


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("monitor", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("fired_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("deliveries", sa.Integer, nullable=False),
        sa.Column("acknowledged_at", MOMENT),
        sa.Column("acknowledged_by", sa.Text, nullable=False),
        sa.Column("resolved_at", MOMENT),
        sa.Column("incident_id", sa.String(80)),
        sa.Column("placed", sa.String(16), nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.Column("alert", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_alerts_incidents"),
    )
    op.create_index("ix_alerts_fired_at", "alerts", ["fired_at"])
    op.create_index("ix_alerts_incident_id", "alerts", ["incident_id"])
    op.create_index("ix_alerts_source_key", "alerts", ["source", "key"])
    op.create_index("ix_alerts_monitor_fired_at", "alerts", ["monitor", "fired_at"])


def _groups() -> None:
    op.create_table(
        "groups",
        sa.Column("incident_id", sa.String(80), nullable=False),
        sa.Column("alerts", sa.Integer, nullable=False),
        sa.Column("named", sa.Integer, nullable=False),
        sa.Column("last_alert_at", MOMENT, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name="pk_groups"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_groups_incidents"),
    )
    op.create_index("ix_groups_last_alert_at", "groups", ["last_alert_at"])
    op.create_table(
        "group_services",
        sa.Column("incident_id", sa.String(80), nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "service", name="pk_group_services"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_group_services_incidents"),
    )


def _work() -> None:
    op.create_table(
        "work",
        sa.Column("incident_id", sa.String(80), nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("began_at", MOMENT),
        sa.Column("seconds", sa.Float),
        sa.Column("tool_calls", sa.Integer),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name="pk_work"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_work_incidents"),
    )
    op.create_index("ix_work_due_at", "work", ["due_at"])
    op.create_index("ix_work_began_at", "work", ["began_at"])


def downgrade() -> None:
    """Drop the tables and columns."""
    for table in TABLES:
        op.drop_table(table)
    op.drop_column("incidents", "round_began_at")
    op.drop_column("incidents", "round")
