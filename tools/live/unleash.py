"""Feature flags of Unleash, from its event log (`/api/admin/search/events`, Unleash 6 and later).

What changes how a flag answers in one environment is a change: switched, a strategy or a variant edited, archived,
a segment edited. Descriptions, tags and favourites are none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, JsonValue, ValidationError

from tools.evidence import ChangeEvent, ChangeKind, Source, TimeWindow, UtcDatetime
from tools.live.access import Access
from tools.live.http import Http
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting
from tools.moments import iso
from tools.words import clean_name, clean_text, counted

PATH = "/api/admin/search/events"
PAGE = 500
MAX_EVENTS = 2_000
"""Events that are read for one answer, the latest."""
VALUE_LIMIT = 1_000
"""Characters kept of an old or new value."""
MARGIN = timedelta(days=1)
"""The server filters by whole days; what it sends too much is left out here."""
SWITCHED = {"feature-environment-enabled": ("off", "on"), "feature-environment-disabled": ("on", "off")}
GONE = {"feature-archived": ("in use", "archived"), "feature-deleted": ("archived", "deleted")}
EDITED = frozenset(
    {
        "feature-strategy-add",
        "feature-strategy-update",
        "feature-strategy-remove",
        "feature-environment-variants-updated",
        "feature-variants-updated",
        "feature-revived",
        "feature-dependency-added",
        "feature-dependency-removed",
        "segment-updated",
        "segment-deleted",
    }
)
_UNTOLD = frozenset({"id", "title", "sortOrder", "groupId", "createdAt", "createdBy"})
"""Keys of a strategy that do not change how a flag answers."""


class UnleashConfig(Access):
    """An Unleash server. `bearer_token` is an admin or personal token; it is sent as it is, as Unleash wants it."""

    kind: Literal["unleash"] = "unleash"
    environment: str = "production"
    """Environment whose switches count."""
    project: str | None = None
    """Only the flags of this project; all without it."""
    service: str | None = None
    """Service that the flags belong to, where a flag has no tag that says so."""
    service_tag: str = "service"
    """Flags are tagged with their service, as a tag of this type or a value like `service:checkout`."""


class _Tag(BaseModel):
    type: str = ""
    value: str = ""


class _Event(BaseModel):
    """One entry of the log, in the server's spelling."""

    id: int
    type: str
    createdAt: UtcDatetime
    createdBy: str | None = None
    featureName: str | None = None
    project: str | None = None
    environment: str | None = None
    data: JsonValue = None
    preData: JsonValue = None
    tags: list[_Tag] | None = None


class UnleashChanges:
    """Who turned which flag."""

    def __init__(self, config: UnleashConfig, notes: Notebook) -> None:
        self._config = config
        self._notes = notes
        self._http = Http(config, Source.CHANGES, "Unleash")
        if config.bearer_token is not None:
            self._http.session.headers["Authorization"] = config.bearer_token.get_secret_value()

    def changes(self, window: TimeWindow) -> list[ChangeEvent]:
        """Flags that were turned in the window, oldest first. Raises ToolError."""
        found = [self._change(event) for event in self._events(window) if self._matters(event)]
        return sorted(
            (change for change in found if window.contains(change.at)), key=lambda change: (change.at, change.id)
        )

    def look(self, window: TimeWindow) -> Sighting:
        """How many flags were turned, and when anything last happened. Raises ToolError."""
        changes = self.changes(window)
        newest, _ = self._page({"limit": 1, "offset": 0}, self._http.deadline())
        return Sighting(
            source=Source.CHANGES,
            name=f"Unleash at {self._config.url}",
            facts=(f"{counted(len(changes), 'change')} of flags in {self._config.environment} in the window",),
            services=tuple(sorted({change.service for change in changes if change.service})),
            newest=newest[0].createdAt if newest else None,
            troubles=() if newest else ("its event log is empty; may the token read events?",),
        )

    def _events(self, window: TimeWindow) -> list[_Event]:
        """Newest first, as the server lists them."""
        asked = {"from": f"IS:{window.since - MARGIN:%Y-%m-%d}", "to": f"IS:{window.until + MARGIN:%Y-%m-%d}"}
        if self._config.project is not None:
            asked["project"] = f"IS:{self._config.project}"
        found: list[_Event] = []
        deadline = self._http.deadline()
        for offset in range(0, MAX_EVENTS, PAGE):
            page, total = self._page({**asked, "limit": PAGE, "offset": offset}, deadline)
            found += page
            if offset + PAGE >= total:
                return found
        reached = min((event.createdAt for event in found), default=window.since)
        if reached > window.since:
            text = f"more than {MAX_EVENTS} events; changes of flags before {iso(reached)} are left out"
            self._notes.add(Source.CHANGES, f"Unleash at {self._config.url}: {text}")
        return found

    def _page(self, params: Mapping[str, str | int], deadline: float) -> tuple[list[_Event], int]:
        answer = self._http.get_json(PATH, params, deadline)
        events = answer.get("events") if isinstance(answer, dict) else None
        total = answer.get("total") if isinstance(answer, dict) else None
        if not isinstance(events, list) or not isinstance(total, int):
            raise self._http.error("answered without events and their total; is this Unleash 6 or later?")
        found: list[_Event] = []
        for event in events:
            try:
                found.append(_Event.model_validate(event))
            except ValidationError as error:
                first = error.errors(include_input=False)[0]
                where = ".".join(str(step) for step in first["loc"])
                self._notes.add(Source.CHANGES, f"Unleash: an event was left out: {where}: {first['msg']}")
        return found, total

    def _matters(self, event: _Event) -> bool:
        if event.type not in SWITCHED and event.type not in GONE and event.type not in EDITED:
            return False
        return event.environment in (None, self._config.environment)

    def _change(self, event: _Event) -> ChangeEvent:
        before, after = SWITCHED.get(event.type) or GONE.get(event.type) or _edited(event)
        return ChangeEvent(
            id=f"unleash-{event.id}",
            kind=ChangeKind.FLAG,
            at=event.createdAt,
            service=self._service(event),
            title=clean_name(event.featureName or _segment(event)),
            author=clean_name(event.createdBy) if event.createdBy else None,
            before=before,
            after=after,
        )

    def _service(self, event: _Event) -> str | None:
        wanted = self._config.service_tag
        for tag in event.tags or []:
            if tag.type == wanted and tag.value:
                return clean_name(tag.value)
            if tag.value.startswith(f"{wanted}:"):
                return clean_name(tag.value.removeprefix(f"{wanted}:"))
        return self._config.service


def _segment(event: _Event) -> str:
    held = event.data or event.preData
    return f"segment {held.get('name', '')}" if isinstance(held, dict) else event.type


def _edited(event: _Event) -> tuple[str | None, str | None]:
    """Old and new value; only what differs, and for a mere change of the share the two shares."""
    before, after = _told(event.preData), _told(event.data)
    if isinstance(before, dict) and isinstance(after, dict):
        differing = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        before, after = ({key: held[key] for key in differing if key in held} for held in (before, after))
    return _shown(before), _shown(after)


def _told(value: JsonValue) -> JsonValue:
    """A strategy without its numbering, its parameters beside its other keys."""
    if not isinstance(value, dict):
        return value
    parameters = value.get("parameters")
    flat = {**value, **parameters} if isinstance(parameters, dict) else value
    return {key: held for key, held in flat.items() if key not in _UNTOLD and key != "parameters"}


def _shown(value: JsonValue) -> str | None:
    if value in (None, {}, []):
        return None
    if isinstance(value, dict) and set(value) == {"rollout"}:
        return f"{value['rollout']}%"
    return clean_text(json.dumps(value, ensure_ascii=False, sort_keys=True), VALUE_LIMIT)
