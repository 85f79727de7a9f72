"""The timeline as rows: appended under the incident's lock, never changed, read back in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, RowMapping, insert, select, update

from agent.errors import OperatorError
from agent.incident import TimelineEntry
from agent.tables import incidents, timeline
from agent.timeline import TimelineDraft, chain, verify

_FIELDS = [timeline.c[name] for name in TimelineEntry.model_fields]


def append(
    connection: Connection, incident_id: str, drafts: Sequence[TimelineDraft], now: datetime
) -> list[TimelineEntry]:
    """Write the drafts that are new and return an entry for each draft, in their order.

    A broken chain is not continued: OperatorError when the last entry is not the one the incident remembers.
    """
    written = _by_key(connection, incident_id, [draft.key for draft in drafts if draft.key is not None])
    previous = _last(connection, incident_id)
    entries: list[TimelineEntry] = []
    rows: list[dict[str, Any]] = []
    for draft in drafts:
        entry = written.get(draft.key) if draft.key is not None else None
        if entry is None:
            entry = previous = chain(previous, draft.entry(now))
            rows.append(_row(incident_id, draft.key, entry))
            if draft.key is not None:
                written[draft.key] = entry
        entries.append(entry)
    if rows and previous is not None:
        connection.execute(insert(timeline), rows)
        head = {"timeline_seq": previous.seq, "timeline_hash": previous.hash}
        connection.execute(update(incidents).where(incidents.c.id == incident_id).values(**head))
    return entries


def read(connection: Connection, incident_id: str, after_seq: int) -> list[TimelineEntry]:
    """Entries with a higher sequence number, in order."""
    return _select(connection, timeline.c.incident_id == incident_id, timeline.c.seq > after_seq)


def first_broken(connection: Connection, incident_id: str) -> int | None:
    """The first sequence number that is missing or changed, the cut-off end included; None when all stand."""
    entries = read(connection, incident_id, after_seq=0)
    broken = verify(entries)
    if broken is not None:
        return broken
    last = entries[-1] if entries else None
    return None if _is_head(last, *_head(connection, incident_id)) else len(entries) + 1


def _last(connection: Connection, incident_id: str) -> TimelineEntry | None:
    seq, digest = _head(connection, incident_id)
    found = _select(connection, timeline.c.incident_id == incident_id, timeline.c.seq >= seq)
    last = found[-1] if found else None
    if not _is_head(last, seq, digest):
        raise OperatorError(f"timeline of {incident_id} was changed outside whydown at entry {seq}; nothing was added")
    return last


def _head(connection: Connection, incident_id: str) -> tuple[int, str]:
    head = select(incidents.c.timeline_seq, incidents.c.timeline_hash).where(incidents.c.id == incident_id)
    seq, digest = connection.execute(head).one()
    return seq, digest


def _is_head(last: TimelineEntry | None, seq: int, digest: str) -> bool:
    return (last.seq, last.hash) == (seq, digest) if last else seq == 0


def _by_key(connection: Connection, incident_id: str, keys: list[str]) -> dict[str, TimelineEntry]:
    if not keys:
        return {}
    query = select(timeline.c.key, *_FIELDS).where(timeline.c.incident_id == incident_id, timeline.c.key.in_(keys))
    return {row["key"]: _entry(row) for row in connection.execute(query).mappings()}


def _select(connection: Connection, *where: ColumnElement[bool]) -> list[TimelineEntry]:
    query = select(*_FIELDS).where(*where).order_by(timeline.c.seq)
    return [_entry(row) for row in connection.execute(query).mappings()]


def _row(incident_id: str, key: str | None, entry: TimelineEntry) -> dict[str, Any]:
    fields = entry.model_dump()
    fields.update(kind=entry.kind.value, evidence=json.dumps(entry.evidence))
    return {"incident_id": incident_id, "key": key, **fields}


def _entry(row: RowMapping) -> TimelineEntry:
    fields = {name: row[name] for name in TimelineEntry.model_fields}
    try:
        return TimelineEntry.model_validate({**fields, "evidence": json.loads(fields["evidence"])})
    except (ValidationError, ValueError) as error:
        raise OperatorError(f"timeline entry {fields['seq']} cannot be read: {' '.join(str(error).split())}") from error
