"""Status pages of providers that are made with Atlassian Statuspage, through the public API that each of them has.

`/api/v2/incidents.json` and `/api/v2/scheduled-maintenances.json` list the latest fifty with all their updates, and
`/api/v2/summary.json` the components as they are now; every such page documents them under `/api`. What they tell is
read as it stood at the end of the window, so that an investigation a week later sees what people saw then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, TypeVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from tools.evidence import Edge, Source, StatusEvent, TimeWindow, UtcDatetime
from tools.live.access import Access
from tools.live.http import Http
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting
from tools.moments import iso
from tools.words import clean_name, clean_text, counted

LISTED = 50
"""Incidents that the API lists; it has no second page."""
OPERATIONAL = "operational"
MAINTENANCE = "under_maintenance"
WORSE = ("", OPERATIONAL, MAINTENANCE, "degraded_performance", "partial_outage", "major_outage")
"""States of a component, from good to bad."""
STARTED = frozenset({"in_progress", "verifying", "completed"})
"""States of a maintenance that has begun."""
DETAIL = 2_000
"""Characters kept of what the provider wrote."""


class StatuspageConfig(Access):
    """The status page of a provider; `url` is its address, such as `https://status.example.com`."""

    kind: Literal["statuspage"] = "statuspage"
    provider: str | None = None
    """Name of the provider; the page's own name without it."""
    components: tuple[str, ...] = ()
    """Only these components, by their names on the page; all without them."""
    used_by: tuple[str, ...] = ()
    """Services of ours that depend on it."""


class _Affected(BaseModel):
    code: str = ""
    name: str
    new_status: str = ""


class _Update(BaseModel):
    status: str = ""
    body: str | None = None
    created_at: UtcDatetime
    display_at: UtcDatetime | None = None
    affected_components: list[_Affected] | None = None

    @property
    def at(self) -> datetime:
        return self.display_at or self.created_at


class _Component(BaseModel):
    id: str
    name: str
    status: str = ""
    group: bool | None = False
    updated_at: UtcDatetime | None = None


class _Incident(BaseModel):
    id: str
    name: str
    impact: str | None = None
    created_at: UtcDatetime
    started_at: UtcDatetime | None = None
    resolved_at: UtcDatetime | None = None
    scheduled_for: UtcDatetime | None = None
    scheduled_until: UtcDatetime | None = None
    incident_updates: list[_Update] = Field(default_factory=list[_Update])
    components: list[_Component] = Field(default_factory=list[_Component])

    def updates_before(self, until: datetime) -> list[_Update]:
        """Oldest first."""
        return sorted((update for update in self.incident_updates if update.at < until), key=lambda update: update.at)


_Value = TypeVar("_Value", bound=BaseModel)


class Statuspage:
    """What one provider declares."""

    def __init__(self, config: StatuspageConfig, notes: Notebook) -> None:
        self._config = config
        self._notes = notes
        self._http = Http(config, Source.STATUS, "status page")

    def status_events(self, window: TimeWindow) -> list[StatusEvent]:
        """Incidents and maintenances that overlap the window, one entry for each component. Raises ToolError."""
        deadline = self._http.deadline()
        summary = self._asked("summary", deadline)
        provider = self._provider(summary)
        incidents = self._read(self._asked("incidents", deadline), "incidents", _Incident)
        planned = self._read(self._asked("scheduled-maintenances", deadline), "scheduled_maintenances", _Incident)
        self._note_how_far_back(incidents, window)
        found = [event for incident in incidents for event in _of_incident(incident, provider, window.until)]
        found += [event for work in planned for event in _of_maintenance(work, provider, window.until)]
        found += _undeclared(self._read(summary, "components", _Component), found, provider, window.until)
        chosen = (event for event in found if self._chosen(event) and _overlaps(event, window))
        return sorted(chosen, key=lambda event: (event.started_at, event.id))

    def edges(self) -> list[Edge]:
        """Our services depend on the components that are named, else on the provider as a whole."""
        callees = self._config.components or ((self._config.provider,) if self._config.provider else ())
        return [Edge(caller=caller, callee=callee) for caller in self._config.used_by for callee in callees]

    def look(self, window: TimeWindow) -> Sighting:
        """How many components the page has, and what is wrong now. Raises ToolError."""
        summary = self._asked("summary", self._http.deadline())
        components = [each for each in self._read(summary, "components", _Component) if not each.group]
        names = {component.name for component in components}
        unwell = [component.name for component in components if component.status != OPERATIONAL]
        unknown = [name for name in self._config.components if name not in names]
        facts = [counted(len(components), "component")]
        facts += [f"{name} is not operational" for name in unwell[:5]]
        return Sighting(
            source=Source.STATUS,
            name=f"status page of {self._provider(summary)} at {self._config.url}",
            facts=tuple(facts),
            troubles=tuple(f"component {name!r} is not on the page; correct its name" for name in unknown),
        )

    def _asked(self, name: str, deadline: float) -> dict[str, JsonValue]:
        path = f"/api/v2/{name}.json"
        answer = self._http.get_json(path, deadline=deadline)
        if not isinstance(answer, dict):
            raise self._http.error(f"{path} holds no object; is this a page made with Statuspage?")
        return answer

    def _provider(self, summary: dict[str, JsonValue]) -> str:
        page = summary.get("page")
        named = page.get("name") if isinstance(page, dict) else None
        return self._config.provider or clean_name(str(named or self._config.url))

    def _read(self, answer: dict[str, JsonValue], key: str, model: type[_Value]) -> list[_Value]:
        """The entries of a list; one that cannot be read costs itself and a note."""
        listed = answer.get(key)
        if not isinstance(listed, list):
            raise self._http.error(f"its answer holds no list {key!r}; is this a page made with Statuspage?")
        found: list[_Value] = []
        for item in listed:
            try:
                found.append(model.model_validate(item))
            except ValidationError as error:
                first = error.errors(include_input=False)[0]
                where = ".".join(str(step) for step in first["loc"])
                self._notes.add(
                    Source.STATUS, f"{self._config.url}: one of {key} was left out: {where}: {first['msg']}"
                )
        return found

    def _note_how_far_back(self, incidents: Sequence[_Incident], window: TimeWindow) -> None:
        if len(incidents) < LISTED:
            return
        oldest = min(incident.created_at for incident in incidents)
        if oldest > window.since:
            text = f"it lists its latest {LISTED} incidents; those before {iso(oldest)} are unknown"
            self._notes.add(Source.STATUS, f"{self._config.url}: {text}")

    def _chosen(self, event: StatusEvent) -> bool:
        return not self._config.components or event.service in self._config.components


def _of_incident(incident: _Incident, provider: str, until: datetime) -> Iterator[StatusEvent]:
    updates = incident.updates_before(until)
    began = incident.started_at or incident.created_at
    if began >= until:
        return
    named = {each.name for update in updates for each in update.affected_components or []}
    named |= {component.name for component in incident.components if not component.group}
    for name in sorted(named) or [provider]:
        states = [
            (update, each) for update in updates for each in update.affected_components or [] if each.name == name
        ]
        bad = [(update, each) for update, each in states if each.new_status not in ("", OPERATIONAL)]
        first = bad[0][0].at if bad and bad[0][0] is not updates[0] else began
        well = states[-1][0].at if bad and states[-1][1].new_status == OPERATIONAL else None
        ended = [at for at in (well, _before(incident.resolved_at, until)) if at is not None]
        yield StatusEvent(
            id=f"{incident.id}:{clean_name(name)}",
            provider=provider,
            service=clean_name(name),
            status=max((each.new_status for _, each in bad), key=_badness, default=incident.impact or "unknown"),
            title=clean_text(incident.name, DETAIL),
            started_at=first,
            resolved_at=min(ended, default=None),
            detail=_detail(updates),
        )


def _of_maintenance(work: _Incident, provider: str, until: datetime) -> Iterator[StatusEvent]:
    """Planned work that has begun; what is only announced disturbs nobody."""
    updates = work.updates_before(until)
    begun = [update.at for update in updates if update.status in STARTED]
    began = begun[0] if begun else work.scheduled_for
    if began is None or began >= until:
        return
    done = [update.at for update in updates if update.status == "completed"]
    ended = done[0] if done else work.resolved_at or (None if begun else work.scheduled_until)
    for name in sorted(component.name for component in work.components if not component.group) or [provider]:
        yield StatusEvent(
            id=f"{work.id}:{clean_name(name)}",
            provider=provider,
            service=clean_name(name),
            status=MAINTENANCE,
            title=clean_text(work.name, DETAIL),
            started_at=began,
            resolved_at=_before(ended, until),
            detail=_detail(updates),
        )


def _undeclared(
    components: Sequence[_Component], declared: Sequence[StatusEvent], provider: str, until: datetime
) -> Iterator[StatusEvent]:
    """Components that are unwell now without an incident that says so; their last update is when that began."""
    known = {event.service for event in declared if event.resolved_at is None}
    for component in components:
        unwell = component.status not in ("", OPERATIONAL) and not component.group
        name = clean_name(component.name)
        if unwell and name not in known and component.updated_at is not None and component.updated_at < until:
            yield StatusEvent(
                id=component.id,
                provider=provider,
                service=name,
                status=component.status,
                title=f"{name} is in {component.status.replace('_', ' ')}, without an incident on the page",
                started_at=component.updated_at,
            )


def _overlaps(event: StatusEvent, window: TimeWindow) -> bool:
    return event.started_at < window.until and (event.resolved_at is None or event.resolved_at >= window.since)


def _before(moment: datetime | None, until: datetime) -> datetime | None:
    return moment if moment is not None and moment < until else None


def _badness(status: str) -> int:
    return WORSE.index(status) if status in WORSE else len(WORSE)


def _detail(updates: Sequence[_Update]) -> str:
    """The latest words first, as far as they fit."""
    return clean_text("\n".join(f"{iso(update.at)} {update.body or ''}" for update in reversed(updates)), DETAIL)
