"""Silences as rows."""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Connection, insert, select, update

from agent.errors import CallerError, OperatorError
from agent.intake.silence import Silence
from agent.tables import silences


def put(connection: Connection, silence: Silence) -> None:
    """Keep a new silence."""
    row = {"id": silence.id, "since": silence.since, "until": silence.until, "value": silence.model_dump_json()}
    connection.execute(insert(silences).values(**row))


def at(connection: Connection, moment: datetime) -> list[Silence]:
    """Those that hold at the moment."""
    holds = (silences.c.since <= moment) & (silences.c.until > moment)
    return [_read(row.id, row.value) for row in connection.execute(select(silences).where(holds))]


def not_over(connection: Connection, now: datetime) -> list[Silence]:
    """Those that hold or are to come, the one that begins first first."""
    query = select(silences).where(silences.c.until > now).order_by(silences.c.since, silences.c.id)
    return [_read(row.id, row.value) for row in connection.execute(query)]


def end(connection: Connection, silence_id: str, now: datetime) -> Silence:
    """End a silence now; raises CallerError for one that is not known or was over."""
    row = connection.execute(select(silences).where(silences.c.id == silence_id)).one_or_none()
    if row is None:
        raise CallerError(f"there is no silence {silence_id!r}")
    silence = _read(row.id, row.value)
    if silence.until <= now:
        raise CallerError(f"silence {silence_id!r} was over at {silence.until.isoformat()}")
    since = min(silence.since, now)
    ended = silence.model_copy(update={"since": since, "until": now})
    values = {"since": since, "until": now, "value": ended.model_dump_json()}
    connection.execute(update(silences).where(silences.c.id == silence_id).values(**values))
    return ended


def _read(silence_id: str, value: str) -> Silence:
    try:
        return Silence.model_validate_json(value)
    except ValidationError as error:
        raise OperatorError(f"silence {silence_id}: it cannot be read as it is stored") from error
