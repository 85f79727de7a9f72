"""What all objects of a cluster have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tools.evidence import JsonObject

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True)
class Kind:
    """A kind of object: what people call it and where it is listed."""

    word: str
    group: str
    plural: str
    namespaced: bool = True
    metadata_only: bool = False


@dataclass(frozen=True)
class Setting:
    """One entry of `managedFields`: what one manager last wrote into an object, and when."""

    manager: str
    at: datetime
    fields: Mapping[str, Any]
    subresource: str


def meta(item: JsonObject) -> JsonObject:
    return part(item, "metadata")


def part(item: JsonObject, *keys: str) -> JsonObject:
    """The object under the keys, empty where there is none."""
    for key in keys:
        found = item.get(key)
        if not isinstance(found, dict):
            return {}
        item = found
    return item


def parts(item: JsonObject, key: str) -> list[JsonObject]:
    """The objects of a list, empty where there is none."""
    found = item.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def name_of(item: JsonObject) -> str:
    return str(meta(item).get("name", ""))


def namespace_of(item: JsonObject) -> str:
    return str(meta(item).get("namespace", ""))


def moment(raw: object) -> datetime | None:
    """A time as the API server writes it (RFC 3339), None for anything else; read one by one, as there are thousands."""
    try:
        found = datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        return None
    return None if found is None or found.tzinfo is None else found.astimezone(UTC)


def created(item: JsonObject) -> datetime | None:
    return moment(meta(item).get("creationTimestamp"))


def owner(item: JsonObject, kind: str | None = None) -> JsonObject:
    """The controller that the object belongs to, empty where it has none (of that kind)."""
    for reference in parts(meta(item), "ownerReferences"):
        if reference.get("controller") and kind in (None, reference.get("kind")):
            return reference
    return {}


def settings(item: JsonObject) -> list[Setting]:
    """Who wrote what into the object, oldest first; the API server keeps each manager's last write only."""
    found = [
        Setting(str(entry.get("manager", "somebody")), at, part(entry, "fieldsV1"), str(entry.get("subresource") or ""))
        for entry in parts(meta(item), "managedFields")
        if (at := moment(entry.get("time"))) is not None
    ]
    return sorted(found, key=lambda setting: setting.at)
