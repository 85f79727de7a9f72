"""Lists of the cluster's objects, page by page and bounded, and what all objects have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from tools.evidence import JsonObject, Source, ToolError
from tools.live.enquiry import Enquiry
from tools.live.notebook import Notebook
from tools.moments import read_moment

PAGE = 500
"""Objects of one answer, as kubectl asks for."""
MAX_OBJECTS = 5_000
"""Objects of one kind in one namespace, or in all where no namespaces are named."""
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


class Lister:
    """Lists objects within the time of one enquiry."""

    def __init__(
        self, enquiry: Enquiry, metadata_enquiry: Enquiry, namespaces: tuple[str, ...], notes: Notebook
    ) -> None:
        self._enquiry = enquiry
        self._metadata_enquiry = metadata_enquiry
        self._namespaces = namespaces
        self._notes = notes

    def listed(self, kind: Kind) -> list[JsonObject]:
        """All objects of the kind, as far as the bounds go. Raises ToolError when the first page fails."""
        places = [f"namespaces/{name}/" for name in self._namespaces] if kind.namespaced and self._namespaces else [""]
        return [found for place in places for found in self._pages(kind, f"{kind.group}/{place}{kind.plural}")]

    def _pages(self, kind: Kind, path: str) -> Iterator[JsonObject]:
        enquiry = self._metadata_enquiry if kind.metadata_only else self._enquiry
        params: dict[str, str | int] = {"limit": PAGE}
        count = 0
        while True:
            try:
                page = _page(enquiry, path, params)
            except ToolError as error:
                if not count:
                    raise
                self._notes.add(Source.CHANGES, f"only the first {count} of {kind.plural} are known: {error.message}")
                return
            items = page["items"]
            yield from (item for item in items if isinstance(item, dict))
            count += len(items)
            more = (page.get("metadata") or {}).get("continue")
            if not more:
                return
            if count >= MAX_OBJECTS:
                text = f"Kubernetes: only {count:,} of {kind.plural} were read; name namespaces to see fewer and all"
                self._notes.add(Source.CHANGES, text)
                return
            params["continue"] = more


def _page(enquiry: Enquiry, path: str, params: Mapping[str, str | int]) -> dict[str, Any]:
    page: JsonValue = enquiry.get_json(path, params)
    if not isinstance(page, dict) or not isinstance(page.get("items"), list):
        raise enquiry.error(f"{path} holds no list of items; is this the address of a Kubernetes API server?")
    return page


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


def created(item: JsonObject) -> datetime | None:
    return read_moment(meta(item).get("creationTimestamp"))


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
        if (at := read_moment(entry.get("time"))) is not None
    ]
    return sorted(found, key=lambda setting: setting.at)
