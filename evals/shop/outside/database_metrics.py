"""What PostgreSQL says of itself, for Prometheus, under the names that its usual exporter gives.

`python -m evals.shop.outside.database_metrics PORT DATABASE_URL`
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import psycopg
from prometheus_client import REGISTRY, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

STATES = (
    "SELECT coalesce(state, 'none'), count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1"
)
TOTALS = """
SELECT xact_commit, xact_rollback, tup_returned, tup_fetched, blks_hit, blks_read, deadlocks
FROM pg_stat_database WHERE datname = current_database()
"""
LIMIT = "SELECT setting::int FROM pg_settings WHERE name = 'max_connections'"


class Postgres(Collector):
    """Asked anew at every scrape; a database that does not answer is `pg_up 0`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def collect(self) -> Iterator[Metric]:
        try:
            with psycopg.connect(self._url, connect_timeout=1) as connection:
                found = list(_metrics(connection))
        except psycopg.Error:
            yield GaugeMetricFamily("pg_up", "Whether the database answers.", value=0)
            return
        yield GaugeMetricFamily("pg_up", "Whether the database answers.", value=1)
        yield from found


def _metrics(connection: psycopg.Connection) -> Iterator[Metric]:
    activity = GaugeMetricFamily("pg_stat_activity_count", "Connections by state.", labels=["state"])
    for state, number in connection.execute(STATES).fetchall():
        activity.add_metric([str(state)], float(number))
    yield activity
    cursor = connection.execute(TOTALS)
    row = cursor.fetchone()
    for column, value in zip(cursor.description or (), row or (), strict=True):
        yield CounterMetricFamily(f"pg_stat_database_{column.name}", "Since the start.", value=float(value))
    limit = connection.execute(LIMIT).fetchone()
    yield GaugeMetricFamily(
        "pg_settings_max_connections", "Connections at most.", value=float(limit[0]) if limit else 0
    )


def main() -> None:
    REGISTRY.register(Postgres(sys.argv[2]))
    start_http_server(int(sys.argv[1]), "127.0.0.1")
    threading.Event().wait()


if __name__ == "__main__":
    main()
