"""The door through which alerts come in, and what people say about alerts before they do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from agent.intake import alert_rows, group_rows, receive, silence_rows
from agent.intake.alert_rows import Episode
from agent.intake.noise import History
from agent.intake.notice import Notice, Receipt
from agent.intake.silence import Silence
from agent.store import Store
from tools.evidence import Edge

KEEP_EDGES = timedelta(days=30)
"""How long a call between two services counts after it was last seen."""


class Intake:
    """Alerts of one store. Every method raises OperatorError, in one line, when the database cannot be used."""

    def __init__(self, store: Store, most_per_hour: int) -> None:
        self._store = store
        self._most_per_hour = most_per_hour
        """Investigations that may begin unasked within an hour."""

    def receive(self, notices: Sequence[Notice]) -> list[Receipt]:
        """Take in what one delivery said, all or nothing; on disk when this returns. Delivered again, it does nothing."""
        with self._store.transaction() as connection:
            now = self._store.now()
            return [receive.receive(connection, notice, now, self._most_per_hour) for notice in notices]

    def alerts(self, limit: int = 100, monitor: str | None = None) -> list[Episode]:
        """Alerts, the one that fired last first; those of silences too."""
        with self._store.reading() as connection:
            return alert_rows.newest(connection, limit, monitor)

    def alerts_of(self, incident_id: str, limit: int = 100) -> list[Episode]:
        """The first alerts of an incident, oldest first."""
        with self._store.reading() as connection:
            return alert_rows.of_incident(connection, incident_id, limit)

    def monitors(self) -> list[History]:
        """What became of every monitor's alerts in the last month, the noisiest first."""
        with self._store.reading() as connection:
            return alert_rows.histories(connection, self._store.now())

    def silence(self, silence: Silence) -> None:
        """Keep a silence or a maintenance window."""
        with self._store.transaction() as connection:
            silence_rows.put(connection, silence)

    def silences(self) -> list[Silence]:
        """Those that hold or are to come."""
        with self._store.reading() as connection:
            return silence_rows.not_over(connection, self._store.now())

    def end_silence(self, silence_id: str) -> Silence:
        """End one now; raises CallerError for one that is not known or was over."""
        with self._store.transaction() as connection:
            return silence_rows.end(connection, silence_id, self._store.now())

    def saw_edges(self, edges: Iterable[Edge]) -> None:
        """Remember who depends on whom, so that alerts of neighbours can be put together."""
        with self._store.transaction() as connection:
            now: datetime = self._store.now()
            group_rows.put_edges(connection, edges, now)
            group_rows.forget_edges(connection, now - KEEP_EDGES)
