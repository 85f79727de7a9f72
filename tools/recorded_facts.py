"""Reads what is not telemetry in a recording: changes, status feed, topology and runbooks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar

import orjson
from pydantic import ValidationError

from tools.attributes import flat, scalar_text
from tools.evidence import ChangeEvent, ChangeKind, Edge, Frozen, JsonObject, Runbook, StatusEvent
from tools.moments import read_moment
from tools.reading import Part, Unreadable, decoded, json_kind, parsed, shown
from tools.words import MAX_TEXT, clean_name, clean_text, layout

MAX_DIFF = 1_000_000
"""Longest diff that is kept, in characters; a longer one is generated code or vendored files."""
MAX_RUNBOOK = 200_000
"""Longest runbook that is kept, in characters."""

_Value = TypeVar("_Value", bound=Frozen)

CHANGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "change_id"),
    "kind": ("kind", "type"),
    "at": ("at", "timestamp", "@timestamp", "time", "deployed_at"),
    "service": ("service", "service.name", "service_name"),
    "title": ("title", "message", "summary", "description"),
    "author": ("author", "author.name", "author.login", "by"),
    "commit": ("commit", "sha", "commit.sha", "commit_sha"),
    "merged_at": ("merged_at", "committed_at"),
    "version": ("version", "tag"),
    "diff": ("diff", "patch"),
    "before": ("before", "from", "old"),
    "after": ("after", "to", "new"),
    "in_effect": ("in_effect",),
}
STATUS_KEYS: Mapping[str, tuple[str, ...]] = {
    "id": ("id",),
    "provider": ("provider", "source", "page.name"),
    "service": ("service", "service.name", "component"),
    "status": ("status", "state", "impact"),
    "title": ("title", "name", "summary"),
    "started_at": ("started_at", "at", "created_at", "timestamp", "@timestamp", "time", "start"),
    "region": ("region",),
    "resolved_at": ("resolved_at", "ended_at", "end"),
    "detail": ("detail", "details", "description", "body", "message"),
}
EDGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "caller": ("caller", "source", "from", "client", "parent"),
    "callee": ("callee", "target", "to", "server", "child"),
    "kind": ("kind", "type"),
}
_KINDS = {kind.value: kind for kind in ChangeKind} | {
    "deployment": ChangeKind.DEPLOY,
    "release": ChangeKind.DEPLOY,
    "rollout": ChangeKind.DEPLOY,
    "commit": ChangeKind.DEPLOY,
    "configuration": ChangeKind.CONFIG,
    "setting": ChangeKind.CONFIG,
    "feature_flag": ChangeKind.FLAG,
    "schema": ChangeKind.MIGRATION,
    "scaling": ChangeKind.SCALE,
    "infrastructure": ChangeKind.INFRA,
    "cert": ChangeKind.CERTIFICATE,
}
_TEXTS = {"diff": MAX_DIFF, "detail": MAX_TEXT, "title": MAX_TEXT, "before": MAX_TEXT, "after": MAX_TEXT}
"""Fields that hold text, with their longest length; all others hold names."""
_TIMES = {"at", "merged_at", "started_at", "resolved_at"}
_FRONT_MATTER = re.compile(r"\A---\n(?P<head>.*?)\n---\n", re.DOTALL)
_HEAD_LINE = re.compile(
    r"^(?P<key>id|title|service):[ \t]*(?:(?P<json>\".*\")[ \t]*$|[\"']?(?P<plain>[^\"'\n]+))", re.MULTILINE
)
_HEADING = re.compile(r"^#{1,6}[ \t]+(?P<title>\S.*)$", re.MULTILINE)


def read_changes(part: Part) -> tuple[ChangeEvent, ...] | None:
    """Changes in order of time; None, with a note, when the file holds no list. Ids are made unique."""
    items = _objects(part, "changes")
    if items is None:
        return None
    found: dict[str, ChangeEvent] = {}
    for number, item in items:
        fields = _fields(part, number, item, CHANGE_KEYS)
        _complete(part, number, item, fields)
        change = _value(part, number, ChangeEvent, fields)
        if change is None:
            continue
        if change.id in found:
            part.note("an id was there again and got a number", f"item {number}: id={shown(change.id)}")
            change = change.model_copy(update={"id": f"{change.id}#{number}"})
        found[change.id] = change
    return tuple(sorted(found.values(), key=lambda change: change.at))


def read_status_events(part: Part) -> tuple[StatusEvent, ...] | None:
    """Entries of a status feed in order of time; None, with a note, when the file holds no list."""
    items = _objects(part, "events")
    if items is None:
        return None
    found: list[StatusEvent] = []
    for number, item in items:
        fields = _fields(part, number, item, STATUS_KEYS)
        fields = {"id": f"status-{number}", "provider": "", "service": "", "status": "", "title": ""} | fields
        event = _value(part, number, StatusEvent, fields)
        if event is not None:
            found.append(event)
    return tuple(sorted(found, key=lambda event: event.started_at))


def read_edges(part: Part) -> tuple[Edge, ...] | None:
    """Dependencies without repetition; None, with a note, when the file holds no list of edges."""
    items = _objects(part, "edges")
    if items is None:
        return None
    found: dict[Edge, None] = {}
    for number, item in items:
        fields = _fields(part, number, item, EDGE_KEYS)
        if fields.get("kind") not in (None, "call", "data", "host"):
            part.note("a kind is unknown and was read as call", f"item {number}: kind={shown(fields['kind'])}")
            fields["kind"] = "call"
        if not fields.get("caller") or not fields.get("callee"):
            part.note("an edge lacks its caller or callee and was left out", f"item {number}: {shown(item)}")
            continue
        edge = _value(part, number, Edge, fields)
        if edge is not None:
            found[edge] = None
    return tuple(found)


def read_runbook(part: Part) -> Runbook | None:
    """One page of Markdown; None, with a note, when it holds no text."""
    try:
        text = decoded(part, part.whole()).replace("\r\n", "\n")
    except Unreadable as error:
        part.note(str(error))
        return None
    if "\0" in text:
        part.note("is binary, not Markdown")
        return None
    head = _FRONT_MATTER.match(text)
    body = clean_text(text[head.end() :] if head else text, MAX_RUNBOOK)
    said = _said(head["head"]) if head else {}
    heading = _HEADING.search(body)
    name = said.get("id") or clean_name(part.path.name.removesuffix(".gz").removesuffix(".md"))
    return Runbook(
        id=name,
        title=said["title"] if "title" in said else clean_name(heading["title"]) if heading else name,
        body=body,
        service=said.get("service"),
    )


def _said(head: str) -> dict[str, str]:
    """What the head of a page says: `key: value`, the value plain or as a JSON string; the first of a key counts."""
    found: dict[str, str] = {}
    for line in _HEAD_LINE.finditer(head):
        value: str = line["plain"] or line["json"]
        if line["json"]:
            with suppress(orjson.JSONDecodeError):  # quoted by a person, and no JSON
                value = str(orjson.loads(value))
        found.setdefault(line["key"], clean_name(value))
    return found


def _objects(part: Part, key: str) -> list[tuple[int, JsonObject]] | None:
    """The numbered objects of a list, which may stand alone or under `key`; None, with a note, when there is none."""
    try:
        document = parsed(part, part.whole())
    except Unreadable as error:
        part.note(str(error))
        return None
    items = document.get(key) if isinstance(document, dict) else document
    if not isinstance(items, list):
        held = f"an object without a list {key!r}" if isinstance(document, dict) else f"a {json_kind(document)}"
        part.note(f"holds {held} where a list of {key} is due")
        return None
    found: list[tuple[int, JsonObject]] = []
    for number, item in enumerate(items, start=1):
        if isinstance(item, dict):
            found.append((number, item))
        else:
            part.note("an item is not an object and was left out", f"item {number}: {shown(item)}")
    return found


def _fields(part: Part, number: int, item: JsonObject, keys: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """The fields that `keys` names, as clean text, times as times; other keys are ignored."""
    record = flat({key: value for key, value in item.items() if key != "files"})
    found: dict[str, Any] = {}
    for field, key in layout(record, keys).items():
        value = record[key]
        if value is None:
            continue
        if field in _TIMES:
            moment = read_moment(value)
            if moment is None:
                part.note("a time cannot be read", f"item {number}: {key}={shown(value)}")
            else:
                found[field] = moment
        elif isinstance(value, bool):
            found[field] = value if field == "in_effect" else scalar_text(value)
        else:
            text = value if isinstance(value, str) else scalar_text(value)
            found[field] = clean_text(text, _TEXTS[field]) if field in _TEXTS else clean_name(text)
    return found


def _complete(part: Part, number: int, item: JsonObject, fields: dict[str, Any]) -> None:
    """Fill in what a change leaves unsaid: its kind, its id, and for a merged commit the moment."""
    word = str(fields.get("kind", "")).lower().replace("-", "_").replace(" ", "_")
    if word not in _KINDS:
        part.note("a kind of change is unknown and was read as infra", f"item {number}: kind={shown(word)}")
    fields["kind"] = _KINDS.get(word, ChangeKind.INFRA)
    if "at" not in fields and "merged_at" in fields:
        fields["at"] = fields["merged_at"]
        fields.setdefault("in_effect", False)
    if word == "commit":
        fields.setdefault("in_effect", False)
    fields["id"] = fields.get("id") or fields.get("commit") or fields.get("version") or f"change-{number}"
    fields["files"] = _files(item.get("files"))


def _files(raw: object) -> tuple[str, ...]:
    """Paths, also from objects that hold one, as code hosts list them."""
    items = raw if isinstance(raw, list) else [raw]
    paths = [item.get("path") or item.get("filename") if isinstance(item, dict) else item for item in items]
    return tuple(clean_text(path, MAX_TEXT) for path in paths if isinstance(path, str) and path)


def _value(part: Part, number: int, model: type[_Value], fields: dict[str, Any]) -> _Value | None:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"]) or model.__name__
        part.note("an item cannot be used and was left out", f"item {number}: {where}: {first['msg']}")
        return None
