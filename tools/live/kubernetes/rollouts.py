"""Rollouts: what changed in the pods of a workload, from the revisions that Kubernetes keeps of it.

A Deployment keeps its revisions as ReplicaSets, a StatefulSet and a DaemonSet as ControllerRevisions; both hold the
pod template, so that what changed between two of them is known exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tools.evidence import ChangeEvent, ChangeKind, JsonObject, TimeWindow
from tools.live.kubernetes.objects import created, meta, moment, owner, part, parts, settings
from tools.live.kubernetes.workloads import RESTARTED, Workload, images, references, told
from tools.live.manifests import difference
from tools.words import clean_name, clean_text

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
CAUSE = "kubernetes.io/change-cause"
MAX_TITLE = 300
SOON = timedelta(seconds=30)
"""A controller makes a revision within moments of the wish for it."""
ConfigData = Mapping[tuple[str, str], JsonObject]
"""Data of config maps by namespace and name."""


@dataclass(frozen=True)
class Revision:
    """One state of a workload's pods; `at` is when it became the wanted one, None where nobody knows any more."""

    number: int
    at: datetime | None
    template: JsonObject
    cause: str
    again: bool = False
    """It had been the wanted one before: somebody went back to it."""
    author: str | None = None
    """The program that asked for it (`kubectl-edit`, `helm`), where that is still known: of the latest."""


def rollouts(
    found: Sequence[Workload],
    replica_sets: Iterable[JsonObject],
    controller_revisions: Iterable[JsonObject],
    config_maps: ConfigData,
    window: TimeWindow,
) -> list[ChangeEvent]:
    """The revisions that became the wanted ones inside the window, each with its difference to the one before."""
    kept = _by_owner([*replica_sets, *controller_revisions])
    changes: list[ChangeEvent] = []
    for workload in found:
        revisions = _revisions(workload, kept.get(str(meta(workload.item).get("uid")), []))
        before: Revision | None = None
        for revision in revisions:
            if revision.at is not None and window.contains(revision.at):
                changes.append(_rollout(workload, before, revision, config_maps))
            before = revision
    return changes


def _by_owner(items: Iterable[JsonObject]) -> dict[str, list[JsonObject]]:
    kept: defaultdict[str, list[JsonObject]] = defaultdict(list)
    for item in items:
        kept[str(owner(item).get("uid"))].append(item)
    return kept


def _revisions(workload: Workload, items: Sequence[JsonObject]) -> list[Revision]:
    """In the order in which they were wanted. One that is younger in number than in age was gone back to."""
    numbered = sorted((each for item in items for each in _numbered(item)), key=lambda each: each.number)
    found: list[Revision] = []
    newest: datetime | None = None
    written_at, author = _template_set(workload.item)
    for place, each in enumerate(numbered):
        latest = place == len(numbered) - 1
        again = each.again or (newest is not None and each.at is not None and each.at < newest)
        if again:
            each = replace(each, at=written_at if latest else None, again=True)
        elif each.at is not None:
            newest = each.at
        found.append(replace(each, author=author) if latest and _soon(written_at, each.at) else each)
    return found


def _soon(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= SOON


def _numbered(item: JsonObject) -> Iterator[Revision]:
    """The revisions that one ReplicaSet or ControllerRevision has been."""
    notes = part(meta(item), "annotations")
    cause = str(notes.get(CAUSE, ""))
    if item.get("data") is not None:
        template = part(item, "data", "spec", "template")
        yield Revision(_integer(item.get("revision")), created(item), template, cause)
        return
    template = part(item, "spec", "template")
    former = [_integer(number) for number in str(notes.get(HISTORY, "")).split(",") if number]
    for number in [*former, _integer(notes.get(REVISION))]:
        first = number == min([*former, number])
        yield Revision(number, created(item) if first else None, template, cause, again=not first)


def _template_set(item: JsonObject) -> tuple[datetime | None, str | None]:
    """When the wanted pods of a workload were last written, and by which program."""
    written = [each for each in settings(item) if not each.subresource and "f:template" in part_of_spec(each.fields)]
    if written:
        return written[-1].at, clean_name(written[-1].manager)
    progress = [each for each in parts(part(item, "status"), "conditions") if each.get("type") == "Progressing"]
    return moment(progress[0].get("lastUpdateTime")) if progress else None, None


def part_of_spec(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    found = fields.get("f:spec")
    return found if isinstance(found, dict) else {}


def _integer(value: object) -> int:
    text = str(value)
    return int(text) if text.isdecimal() else 0


def _rollout(workload: Workload, before: Revision | None, revision: Revision, config_maps: ConfigData) -> ChangeEvent:
    assert revision.at is not None
    old, new = images(before.template) if before else {}, images(revision.template)
    swapped = sorted(name for name in new if before and old.get(name) != new[name])
    kind, what = _described(before, revision, swapped)
    cause = f" ({clean_text(revision.cause, MAX_TITLE)})" if revision.cause else ""
    return ChangeEvent(
        id=f"{workload.kind.lower()}:{workload.namespace}/{workload.name}:{revision.number}",
        kind=kind,
        at=revision.at,
        service=workload.service,
        title=clean_text(f"{workload.name}: {what}{cause}", MAX_TITLE),
        author=revision.author,
        version=_version(new, swapped) or f"revision {revision.number}",
        files=(workload.path,),
        diff=_diff(workload, before, revision, config_maps),
        before=", ".join(old[name] for name in swapped if name in old) or None,
        after=", ".join(new[name] for name in swapped) or None,
    )


def _described(before: Revision | None, revision: Revision, swapped: Sequence[str]) -> tuple[ChangeKind, str]:
    """The kind of a rollout and what it did, in a few words."""
    if before is None:
        first = revision.number == 1
        return ChangeKind.DEPLOY, "first rollout" if first else "rollout; the revision before it is not kept"
    back = "went back to an earlier revision, " if revision.again else ""
    new = images(revision.template)
    if swapped:
        return ChangeKind.DEPLOY, back + ", ".join(f"{name} now runs {new[name]}" for name in swapped)
    if _without_restart(before.template) == _without_restart(revision.template):
        return ChangeKind.INFRA, "restarted, nothing else changed"
    return ChangeKind.CONFIG, f"{back}settings of its pods changed"


def _without_restart(template: JsonObject) -> JsonObject:
    shown = told(template)
    notes = part(shown, "metadata", "annotations")
    rest = {key: value for key, value in notes.items() if key != RESTARTED}
    metadata = {"labels": part(shown, "metadata", "labels"), "annotations": rest}
    return {**shown, "metadata": metadata}


def _version(new: Mapping[str, str], swapped: Sequence[str]) -> str | None:
    """Tag or digest of the image that was swapped."""
    for name in swapped:
        image, _, digest = new[name].partition("@")
        tag = image.rpartition("/")[2].partition(":")[2]
        if tag or digest:
            return clean_name(tag or digest)
    return None


def _diff(workload: Workload, before: Revision | None, revision: Revision, config_maps: ConfigData) -> str | None:
    if before is None:
        return None
    found = [difference(told(before.template), told(revision.template), workload.path)]
    found += _swapped_settings(workload, before.template, revision.template, config_maps)
    return "".join(each for each in found if each) or None


def _swapped_settings(
    workload: Workload, before: JsonObject, after: JsonObject, config_maps: ConfigData
) -> Iterator[str | None]:
    """Generators of manifests put a hash behind the name of a config map: what is in the two is the change."""
    old = {name for kind, name in references(before) if kind == "ConfigMap"}
    new = {name for kind, name in references(after) if kind == "ConfigMap"}
    for name in sorted(new - old):
        stem = name.rpartition("-")[0]
        former = [each for each in old - new if stem and each.rpartition("-")[0] == stem]
        pair = [config_maps.get((workload.namespace, each)) for each in (*former[:1], name)]
        if len(pair) == 2 and pair[0] is not None and pair[1] is not None:
            yield difference(pair[0], pair[1], f"{workload.namespace}/configmap/{stem}.yaml")
