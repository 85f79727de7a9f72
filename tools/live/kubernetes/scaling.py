"""Scaling, by hand and by an autoscaler, from the events that tell of it while they are kept (an hour, usually).

What outlasts the events does not tell when: the API server writes no time beside who last set the number of replicas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from tools.evidence import ChangeEvent, ChangeKind, JsonObject, TimeWindow
from tools.live.kubernetes.objects import created, meta, moment, owner, part
from tools.live.kubernetes.workloads import Workload
from tools.words import clean_text

ROLLING = timedelta(minutes=10)
"""Replica sets are scaled throughout a rollout; a Deployment gives up on one after ten minutes by default."""
SAME = timedelta(minutes=1)
"""An autoscaler, the controller and the object each tell of one scaling within seconds."""
_SCALED = re.compile(r"Scaled (?:up|down) replica set (?P<name>\S+) (?:from (?P<before>\d+) )?to (?P<after>\d+)")
_RESCALED = re.compile(r"New size: (?P<after>\d+); reason: (?P<why>.*)", re.DOTALL)
MAX_TITLE = 300


def event_time(event: JsonObject) -> datetime | None:
    """When it was last seen, of an event of either API."""
    series = part(event, "series").get("lastObservedTime")
    raw = (event.get("lastTimestamp"), series, event.get("eventTime"), event.get("firstTimestamp"))
    return next((at for each in raw if each and (at := moment(each)) is not None), None)


def scalings(
    found: Sequence[Workload],
    replica_sets: Sequence[JsonObject],
    events: Iterable[JsonObject],
    rollouts: Iterable[ChangeEvent],
    window: TimeWindow,
) -> list[ChangeEvent]:
    """Changes of the number of replicas inside the window that no rollout explains."""
    known = {(each.kind, each.namespace, each.name): each for each in found}
    rolled = [(change.service, change.at) for change in rollouts]
    begun = {_owner_key(item): created(item) for item in sorted(replica_sets, key=lambda item: str(created(item)))}
    told: list[ChangeEvent] = []
    for event in events:
        at = event_time(event)
        if at is None or not window.contains(at):
            continue
        change = _by_autoscaler(event, at, known) or _by_hand(event, at, known)
        if change is not None and not _is_rolling(change, rolled, begun, known):
            told.append(change)
    # The autoscaler says why, so its word is kept where the controller tells of the same.
    told.sort(key=lambda change: (not change.author, change.at))
    kept: list[ChangeEvent] = []
    for change in told:
        if not any(change.service == other.service and abs(change.at - other.at) <= SAME for other in kept):
            kept.append(change)
    return kept


def _owner_key(item: JsonObject) -> tuple[str, str, str]:
    return ("Deployment", str(meta(item).get("namespace", "")), str(owner(item).get("name", "")))


def _is_rolling(
    change: ChangeEvent,
    rolled: Sequence[tuple[str | None, datetime]],
    begun: Mapping[tuple[str, str, str], datetime | None],
    known: Mapping[tuple[str, str, str], Workload],
) -> bool:
    if change.author is not None:
        return False
    latest = [at for key, at in begun.items() if at and key in known and known[key].service == change.service]
    starts = [*latest, *(at for service, at in rolled if service == change.service)]
    return any(timedelta(seconds=-5) <= change.at - at <= ROLLING for at in starts)


def _by_autoscaler(
    event: JsonObject, at: datetime, known: Mapping[tuple[str, str, str], Workload]
) -> ChangeEvent | None:
    said = _RESCALED.match(str(event.get("message", "")))
    involved = part(event, "involvedObject")
    if said is None or involved.get("kind") != "HorizontalPodAutoscaler":
        return None
    namespace, name = str(involved.get("namespace", "")), str(involved.get("name", ""))
    targets = [each for each in known.values() if (each.namespace, each.name) == (namespace, name)]
    service = targets[0].service if targets else name
    return ChangeEvent(
        id=f"scale:{namespace}/{name}:{at:%Y%m%dT%H%M%SZ}",
        kind=ChangeKind.SCALE,
        at=at,
        service=service,
        author="horizontal pod autoscaler",
        title=clean_text(f"{service} scaled to {said['after']} replicas: {said['why']}", MAX_TITLE),
        after=said["after"],
    )


def _by_hand(event: JsonObject, at: datetime, known: Mapping[tuple[str, str, str], Workload]) -> ChangeEvent | None:
    said = _SCALED.search(str(event.get("message", "")))
    involved = part(event, "involvedObject")
    key = (str(involved.get("kind")), str(involved.get("namespace", "")), str(involved.get("name", "")))
    workload = known.get(key)
    if said is None or event.get("reason") != "ScalingReplicaSet" or workload is None:
        return None
    return _scaling(workload, at, said["before"], said["after"])


def _scaling(workload: Workload, at: datetime, before: str | None, after: str) -> ChangeEvent:
    steps = f"from {before} to {after}" if before else f"to {after}"
    return ChangeEvent(
        id=f"scale:{workload.namespace}/{workload.name}:{at:%Y%m%dT%H%M%SZ}",
        kind=ChangeKind.SCALE,
        at=at,
        service=workload.service,
        title=f"{workload.service} scaled {steps} replicas",
        before=before,
        after=after,
    )
