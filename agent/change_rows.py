"""Reported changes as rows: each once, compressed, found by the moment at which it took effect."""

from __future__ import annotations

import zlib
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping, func, insert, select
from sqlalchemy.exc import IntegrityError

from agent.errors import ConflictError, OperatorError
from agent.evidence_rows import pack, unpack
from agent.tables import changes
from tools.evidence import ChangeEvent, TimeWindow, digest_of


def put(connection: Connection, change: ChangeEvent, now: datetime) -> bool:
    """Keep the change; False when it was there already. Raises ConflictError when another one has its id."""
    row = {
        "id": change.id,
        "at": change.at,
        "received_at": now,
        "digest": _digest(change),
        "value": pack(change.model_dump_json()),
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(changes).values(**row))
    except IntegrityError:
        found = connection.execute(select(changes.c.digest).where(changes.c.id == change.id)).scalar_one_or_none()
        if found != row["digest"]:
            raise ConflictError(f"change {change.id!r} was reported before with another content") from None
        return False
    return True


def latest(connection: Connection, window: TimeWindow, limit: int) -> list[ChangeEvent]:
    """The latest changes that took effect inside the window, at most `limit`, oldest first."""
    inside = (changes.c.at >= window.since) & (changes.c.at < window.until)
    query = select(changes).where(inside).order_by(changes.c.at.desc(), changes.c.id.desc()).limit(limit)
    return [_read(row) for row in reversed(connection.execute(query).mappings().all())]


def count_and_newest(connection: Connection) -> tuple[int, datetime | None]:
    """How many there are, and when the newest took effect."""
    number, newest = connection.execute(select(func.count(), func.max(changes.c.at))).one()
    return number, newest


def _read(row: RowMapping) -> ChangeEvent:
    try:
        change = ChangeEvent.model_validate_json(unpack(row["value"]))
    except (zlib.error, ValidationError, UnicodeDecodeError) as error:
        raise _changed(row["id"], "it cannot be read") from error
    if change.id != row["id"] or change.at != row["at"] or _digest(change) != row["digest"]:
        raise _changed(row["id"], "it is not what was stored")
    return change


def _digest(change: ChangeEvent) -> str:
    return digest_of(change.model_dump(mode="json"))


def _changed(change_id: str, how: str) -> OperatorError:
    return OperatorError(f"change {change_id!r} was changed outside whydown: {how}")
