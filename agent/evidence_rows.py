"""Evidence and documents as rows: compressed JSON, and for evidence a digest that is checked whenever it is read."""

from __future__ import annotations

import json
import zlib
from datetime import datetime

from pydantic import JsonValue, ValidationError
from sqlalchemy import Connection, RowMapping, delete, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from agent.errors import CallerError, OperatorError
from agent.tables import documents, evidence, reruns
from tools.evidence import Evidence, digest_of, digest_of_text


def put(connection: Connection, incident_id: str, value: Evidence, canonical: str, now: datetime) -> None:
    """Keep the first answer to a question, its result given as canonical JSON (`tools.evidence.canonical_json`).

    A later, different answer leaves only its digest: the data moved on.

    Conclusions cite the first answer, so it must not change under them; that it can no longer be reproduced is worth
    knowing and is kept in `reruns`. Raises CallerError when the digest is not that of the result.
    """
    if digest_of_text(canonical) != value.digest:
        raise CallerError(f"evidence {value.id}: digest {value.digest[:12]} is not that of its result")
    row = {
        "incident_id": incident_id,
        "id": value.id,
        "stored_at": now,
        "value": value.model_dump_json(),
        "seal": _seal(value),
        "result": pack(canonical),
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(evidence).values(**row))
    except IntegrityError:
        _put_rerun(connection, incident_id, value, now)


def _put_rerun(connection: Connection, incident_id: str, value: Evidence, now: datetime) -> None:
    if _read(_row(connection, incident_id, value.id)).digest == value.digest:
        return
    row = {"incident_id": incident_id, "evidence_id": value.id, "digest": value.digest, "seen_at": now}
    if value.digest not in other_digests(connection, incident_id, value.id):
        connection.execute(insert(reruns).values(**row))


def get(connection: Connection, incident_id: str, evidence_id: str) -> tuple[Evidence, JsonValue]:
    """The evidence and its result; raises CallerError for an unknown id, OperatorError for a row that was changed."""
    row = _row(connection, incident_id, evidence_id)
    value = _read(row)
    try:
        result = json.loads(unpack(row["result"]))
    except (zlib.error, ValueError) as error:
        raise _changed(evidence_id, "its result cannot be read") from error
    if digest_of(result) != value.digest:
        raise _changed(evidence_id, f"its result does not have digest {value.digest[:12]}")
    return value, result


def everything(connection: Connection, incident_id: str) -> list[Evidence]:
    """All evidence of an incident in the order it came in, without the results."""
    query = select(evidence.c.id, evidence.c.value, evidence.c.seal).where(evidence.c.incident_id == incident_id)
    query = query.order_by(evidence.c.stored_at, evidence.c.id)
    return [_read(row) for row in connection.execute(query).mappings()]


def other_digests(connection: Connection, incident_id: str, evidence_id: str) -> list[str]:
    """Digests of later, different answers to the same question, oldest first."""
    query = select(reruns.c.digest).where(reruns.c.incident_id == incident_id, reruns.c.evidence_id == evidence_id)
    return list(connection.execute(query.order_by(reruns.c.seen_at, reruns.c.digest)).scalars())


def put_document(connection: Connection, incident_id: str, name: str, value: str, now: datetime) -> None:
    """Keep the latest text under a name."""
    connection.execute(delete(documents).where(documents.c.incident_id == incident_id, documents.c.name == name))
    row = {"incident_id": incident_id, "name": name, "stored_at": now, "value": pack(value)}
    connection.execute(insert(documents).values(**row))


def archive_documents(connection: Connection, incident_id: str, prefix: str) -> None:
    """Put every document that is not archived yet under the prefix, so that a new investigation begins without them."""
    current = (documents.c.incident_id == incident_id) & documents.c.name.not_like("round %")
    connection.execute(update(documents).where(current).values(name=literal(prefix) + documents.c.name))


def document(connection: Connection, incident_id: str, name: str) -> str | None:
    """The text under a name; None when nobody put one. Raises OperatorError when it cannot be unpacked."""
    query = select(documents.c.value).where(documents.c.incident_id == incident_id, documents.c.name == name)
    packed = connection.execute(query).scalar_one_or_none()
    try:
        return None if packed is None else unpack(packed)
    except (zlib.error, ValueError) as error:
        raise OperatorError(f"document {name!r} of {incident_id} cannot be read: {error}") from error


def pack(text: str) -> bytes:
    """Compressed UTF-8. Telemetry as JSON shrinks tenfold, and nearly as much at the fastest level."""
    return zlib.compress(text.encode(), level=1)


def unpack(packed: bytes) -> str:
    """The text again; raises zlib.error or UnicodeDecodeError (a ValueError)."""
    return zlib.decompress(packed).decode()


def _row(connection: Connection, incident_id: str, evidence_id: str) -> RowMapping:
    query = select(evidence.c.id, evidence.c.value, evidence.c.seal, evidence.c.result)
    found = query.where(evidence.c.incident_id == incident_id, evidence.c.id == evidence_id)
    row = connection.execute(found).mappings().one_or_none()
    if row is None:
        raise CallerError(f"incident {incident_id!r} has no evidence {evidence_id!r}")
    return row


def _read(row: RowMapping) -> Evidence:
    try:
        value = Evidence.model_validate_json(row["value"])
    except ValidationError as error:
        raise _changed(row["id"], "it cannot be read") from error
    if value.id != row["id"] or _seal(value) != row["seal"]:
        raise _changed(row["id"], "its query, window or summary is not what was stored")
    return value


def _seal(value: Evidence) -> str:
    """Digest of everything but the result, which has its own: a changed summary must show as well."""
    return digest_of(value.model_dump(mode="json"))


def _changed(evidence_id: str, how: str) -> OperatorError:
    return OperatorError(f"evidence {evidence_id} was changed outside whydown: {how}")
