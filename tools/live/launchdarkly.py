"""Feature flags of LaunchDarkly, from its audit log (`/api/v2/auditlog`, https://launchdarkly.com/docs/api/audit-log).

The list tells who touched which flag; what was turned stands in each entry by itself, as the flag before and after.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field, JsonValue, ValidationError

from tools.evidence import ChangeEvent, ChangeKind, JsonObject, Source, TimeWindow, ToolError
from tools.live.access import Access
from tools.live.http import Http
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting
from tools.moments import iso
from tools.words import clean_name, clean_text, counted

PATH = "/api/v2/auditlog"
PAGE = 20
"""The most that one answer lists."""
MAX_ENTRIES = 200
"""Entries that are read for one answer, the latest."""
MAX_DETAILS = 60
"""Entries of which the flag before and after is read, the latest: each is a call, and calls are rationed."""
VALUE_LIMIT = 1_000
"""Characters kept of an old or new value."""
WHOLE = 100_000
"""A rollout of 100%, in thousandths of a percent."""
TURNED = frozenset({"on", "offVariation", "fallthrough", "rules", "targets", "contextTargets", "prerequisites"})
"""What of a flag in one environment says how it answers."""


class LaunchDarklyConfig(Access):
    """One project and environment. `bearer_token` is a reader's access token; it is sent as it is."""

    kind: Literal["launchdarkly"] = "launchdarkly"
    url: str = "https://app.launchdarkly.com"
    project: str = Field(default="default", pattern=r"^[A-Za-z0-9._-]+$")
    """Key of the project."""
    environment: str = Field(default="production", pattern=r"^[A-Za-z0-9._-]+$")
    """Key of the environment."""
    service: str | None = None
    """Service that the flags belong to, where a flag has no tag `service:NAME`."""


class _Target(BaseModel):
    name: str | None = None


class _Member(BaseModel):
    email: str | None = None


class _Entry(BaseModel):
    id: str = Field(alias="_id")
    date: int
    """Milliseconds since 1970."""
    name: str = ""
    description: str = ""
    member: _Member | None = None
    target: _Target | None = None

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.date / 1000, UTC)


class LaunchDarklyChanges:
    """Who turned which flag."""

    def __init__(self, config: LaunchDarklyConfig, notes: Notebook) -> None:
        self._config = config
        self._notes = notes
        self._http = Http(config, Source.CHANGES, "LaunchDarkly")
        if config.bearer_token is not None:
            self._http.session.headers["Authorization"] = config.bearer_token.get_secret_value()
        self._details: dict[str, JsonObject] = {}
        """What an entry says stays, and a question about one change reads all of them."""

    def changes(self, window: TimeWindow) -> list[ChangeEvent]:
        """Flags of the environment that were edited in the window, oldest first. Raises ToolError."""
        deadline = self._http.deadline()
        entries = self._entries(window, deadline)
        self._read_details(entries, deadline)
        return sorted((self._change(entry) for entry in entries), key=lambda change: (change.at, change.id))

    def look(self, window: TimeWindow) -> Sighting:
        """How many flags were edited. Raises ToolError."""
        changes = self.changes(window)
        return Sighting(
            source=Source.CHANGES,
            name=f"LaunchDarkly at {self._config.url}, {self._config.project}, {self._config.environment}",
            facts=(f"{counted(len(changes), 'edit')} of flags in the window",),
            services=tuple(sorted({change.service for change in changes if change.service})),
            newest=max((change.at for change in changes), default=None),
        )

    def _entries(self, window: TimeWindow, deadline: float) -> list[_Entry]:
        """Newest first. The log is paged by time: each page begins before the last entry of the one before."""
        spec = f"proj/{self._config.project}:env/{self._config.environment}:flag/*"
        found: dict[str, _Entry] = {}
        before = _milliseconds(window.until) + 1
        while len(found) < MAX_ENTRIES:
            asked = {"spec": spec, "after": _milliseconds(window.since) - 1, "before": before, "limit": PAGE}
            page = self._listed(self._http.get_json(PATH, asked, deadline))
            new = {entry.id: entry for entry in page if entry.id not in found}
            found |= new
            if len(page) < PAGE or not new:
                break
            before = min(entry.date for entry in page) + 1
        else:
            first = min(entry.at for entry in found.values())
            self._note(f"more than {MAX_ENTRIES} edits of flags; those before {iso(first)} are left out")
        inside = [entry for entry in found.values() if window.contains(entry.at)]
        return sorted(inside, key=lambda entry: (entry.date, entry.id), reverse=True)

    def _listed(self, answer: JsonValue) -> list[_Entry]:
        items = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(items, list):
            raise self._http.error("answered without a list of items; is this the address of LaunchDarkly's API?")
        found: list[_Entry] = []
        for item in items:
            try:
                found.append(_Entry.model_validate(item))
            except ValidationError as error:
                first = error.errors(include_input=False)[0]
                self._note(f"an entry was left out: {'.'.join(str(step) for step in first['loc'])}: {first['msg']}")
        return found

    def _read_details(self, entries: Sequence[_Entry], deadline: float) -> None:
        """What was turned, the latest first, as far as calls and time go; edits without it are still told."""
        wanted = [entry for entry in entries if entry.id not in self._details]
        if len(wanted) > MAX_DETAILS:
            self._note(f"of {len(entries)} edits of flags only the latest {MAX_DETAILS} tell what was turned")
        for rank, entry in enumerate(wanted[:MAX_DETAILS]):
            try:
                answer = self._http.get_json(f"{PATH}/{entry.id}", deadline=deadline)
            except ToolError as error:
                self._note(f"what {len(wanted) - rank} edits of flags turned is unknown: {error.message}")
                return
            self._details[entry.id] = answer if isinstance(answer, dict) else {}

    def _change(self, entry: _Entry) -> ChangeEvent:
        detail = self._details.get(entry.id, {})
        name = self._config.environment
        before, after = (_environment(detail.get(key), name) for key in ("previousVersion", "currentVersion"))
        old, new = _turned(before, after)
        flag = entry.target.name if entry.target and entry.target.name else entry.name
        return ChangeEvent(
            id=f"launchdarkly-{entry.id}",
            kind=ChangeKind.FLAG,
            at=entry.at,
            service=_service(detail.get("currentVersion")) or self._config.service,
            title=clean_name(flag),
            author=clean_name(entry.member.email) if entry.member and entry.member.email else None,
            before=old,
            after=new or (clean_text(entry.description, VALUE_LIMIT) or None),
        )

    def _note(self, text: str) -> None:
        self._notes.add(Source.CHANGES, f"LaunchDarkly at {self._config.url}: {text}")


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _environment(version: object, name: str) -> JsonObject:
    """What of the flag's version says how it answers in the environment."""
    environments = version.get("environments") if isinstance(version, dict) else None
    held = environments.get(name) if isinstance(environments, dict) else None
    return {key: value for key, value in held.items() if key in TURNED} if isinstance(held, dict) else {}


def _turned(before: JsonObject, after: JsonObject) -> tuple[str | None, str | None]:
    """Old and new value: off, on, a share where only that differs, else what differs."""
    differing = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    if "on" in differing:
        return _switch(before), _switch(after)
    if differing == ["fallthrough"]:
        shares = [_share(each.get("fallthrough")) for each in (before, after)]
        if None not in shares:
            return shares[0], shares[1]
    old, new = ({key: each[key] for key in differing if key in each} for each in (before, after))
    return _shown(old), _shown(new)


def _switch(environment: JsonObject) -> str | None:
    return None if "on" not in environment else "on" if environment["on"] else "off"


def _share(fallthrough: object) -> str | None:
    """The share of the first variation of a rollout of two, which of a boolean flag is `true`."""
    rollout = fallthrough.get("rollout") if isinstance(fallthrough, dict) else None
    variations = rollout.get("variations") if isinstance(rollout, dict) else None
    if not isinstance(variations, list) or len(variations) > 2:
        return None
    weights = [v.get("weight") for v in variations if isinstance(v, dict) and v.get("variation") == 0]
    return f"{100 * weights[0] / WHOLE:g}%" if weights and isinstance(weights[0], int) else None


def _shown(value: JsonObject) -> str | None:
    return clean_text(json.dumps(value, ensure_ascii=False, sort_keys=True), VALUE_LIMIT) if value else None


def _service(version: object) -> str | None:
    tags = version.get("tags") if isinstance(version, dict) else None
    named = (
        [tag for tag in tags if isinstance(tag, str) and tag.startswith("service:")] if isinstance(tags, list) else []
    )
    return clean_name(named[0].removeprefix("service:")) if named else None
