"""Which incident an alert belongs to: pure. Every answer says why in words that go on the timeline.

Alerts are put together by what they are about (the same monitor, the same service, services that call each other, the
same machine) and only then by time alone, because time alone says the least.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from agent.incident import Alert, IncidentStatus
from tools.evidence import Frozen, UtcDatetime

REOPEN_WITHIN = timedelta(minutes=30)
"""A monitor that fires again this soon after its incident was over means that it was not over."""

RELATED_WITHIN = timedelta(minutes=15)
"""How long after an incident's latest alert another about the same service, a neighbour or the same machine joins it.
Retries, pools and queues carry one fault through a chain of services within minutes; a bad hour has only one of them."""

TOGETHER_WITHIN = timedelta(seconds=60)
"""Alerts this close belong together whatever they are about: with ten incidents a day, another one begins within the
same minute less than once in a hundred times."""

STORM_LASTS = timedelta(minutes=15)
"""Time alone puts nothing into an incident that began longer ago, or a noisy day would become a single incident."""

HOPS = 2
"""Calls between two services that count as neighbours: the caller feels it, and so does the caller's caller."""

ENVIRONMENT_LABELS = ("cluster", "environment", "env", "region", "tenant")
"""Labels of places that do not share a fault; alerts that differ in one of them are never put together."""

PLACE_LABELS = ("node", "host", "hostname", "instance", "pod", "rack", "zone", "availability_zone")
"""Labels of something so small that two alerts with the same value share what may be broken."""

OVER = frozenset({IncidentStatus.CLOSED, IncidentStatus.DISMISSED, IncidentStatus.STABLE})


class Candidate(Frozen):
    """An incident that an alert may belong to."""

    incident: str
    status: IncidentStatus
    detected_at: UtcDatetime
    last_alert_at: UtcDatetime
    over_at: UtcDatetime | None = None
    services: frozenset[str] = frozenset()
    labels: Mapping[str, str] = {}
    """Labels that all of its alerts share."""


class Placement(Frozen):
    """Where an alert goes: into an incident, back into one that was over, or (None) into one of its own."""

    incident: str | None
    how: Literal["opened", "joined", "reopened"]
    because: str


def place(
    alert: Alert,
    received_at: datetime,
    candidates: Sequence[Candidate],
    neighbours: Collection[str] = (),
    last_incident: str | None = None,
) -> Placement:
    """The place of an alert that fires.

    `neighbours` are the services within HOPS calls of the alert's own, `last_incident` is the one that the same
    monitor's alert was part of before. Of several incidents that fit equally, the one with the latest alert is taken.
    """
    near = [each for each in candidates if not _apart(alert.labels, each.labels)]
    for each in near:
        if each.incident == last_incident:
            if each.status not in OVER:
                return Placement(incident=each.incident, how="joined", because="the same alert fired before")
            if each.over_at is not None and received_at - each.over_at <= REOPEN_WITHIN:
                return Placement(incident=each.incident, how="reopened", because=_back(each.over_at, received_at))
    live = sorted((each for each in near if each.status not in OVER), key=lambda each: each.last_alert_at, reverse=True)
    related = [each for each in live if received_at - each.last_alert_at <= RELATED_WITHIN]
    for because in (_same_service, _neighbour, _same_place):
        for each in related:
            if why := because(alert, each, frozenset(neighbours)):
                return Placement(incident=each.incident, how="joined", because=why)
    for each in live:
        if received_at - each.last_alert_at <= TOGETHER_WITHIN and received_at - each.detected_at <= STORM_LASTS:
            why = f"within {TOGETHER_WITHIN.total_seconds():.0f} s of another alert of it"
            return Placement(incident=each.incident, how="joined", because=why)
    return Placement(incident=None, how="opened", because="nothing that is going on explains it")


def shared(labels: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """The labels that both have with the same value."""
    return {name: value for name, value in labels.items() if others.get(name) == value}


def _apart(labels: Mapping[str, str], others: Mapping[str, str]) -> bool:
    return any(name in labels and name in others and labels[name] != others[name] for name in ENVIRONMENT_LABELS)


def _back(over_at: datetime, now: datetime) -> str:
    minutes = max(0, round((now - over_at).total_seconds() / 60))
    return f"it came back {minutes} min after it was over"


def _same_service(alert: Alert, candidate: Candidate, neighbours: frozenset[str]) -> str:
    return f"{alert.service} is part of it" if alert.service in candidate.services else ""


def _neighbour(alert: Alert, candidate: Candidate, neighbours: frozenset[str]) -> str:
    known = sorted(neighbours & candidate.services)
    return f"{alert.service} and {known[0]} call each other" if known else ""


def _same_place(alert: Alert, candidate: Candidate, neighbours: frozenset[str]) -> str:
    same = shared(alert.labels, candidate.labels)
    place = next((name for name in PLACE_LABELS if name in same), None)
    return f"same {place} {same[place]}" if place else ""
