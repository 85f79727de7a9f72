"""Settings, rules and routes that somebody wrote: config maps, secrets, services, ingresses, network policies...

The API server keeps no history of an object, only who wrote last and when (`metadata.managedFields`,
https://kubernetes.io/docs/reference/using-api/server-side-apply/). So that is told, with a difference where a file was
applied and somebody changed the object by hand since. Of secrets the values are never read, only that they changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from pydantic import JsonValue

from tools.evidence import ChangeEvent, ChangeKind, JsonObject, TimeWindow
from tools.live.kubernetes.objects import (
    LAST_APPLIED,
    Kind,
    Setting,
    created,
    meta,
    name_of,
    namespace_of,
    part,
    parts,
    settings,
)
from tools.live.kubernetes.workloads import Workload
from tools.live.manifests import as_yaml, difference
from tools.words import clean_name, clean_text

CONFIG_MAP = Kind("config map", "/api/v1", "configmaps")
SECRET = Kind("secret", "/api/v1", "secrets", metadata_only=True)
SERVICE = Kind("service", "/api/v1", "services")
INGRESS = Kind("ingress", "/apis/networking.k8s.io/v1", "ingresses")
NETWORK_POLICY = Kind("network policy", "/apis/networking.k8s.io/v1", "networkpolicies")
AUTOSCALER = Kind("autoscaler", "/apis/autoscaling/v2", "horizontalpodautoscalers")
QUOTA = Kind("resource quota", "/api/v1", "resourcequotas")
WRITTEN = (CONFIG_MAP, SECRET, SERVICE, INGRESS, NETWORK_POLICY, AUTOSCALER, QUOTA)

TOUCHES = 8
"""Services that one object's change is told for; one that more of them use is told once, for none."""
MAX_KEYS = 8
MAX_VALUE = 500
SAME_WRITE = timedelta(seconds=2)
_CONTENT = ("f:data", "f:binaryData", "f:stringData", "f:spec", "f:type")
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_ROOT_CA = "kube-root-ca.crt"
_HELM = "owner"
"""Label that Helm puts on the secrets it keeps its releases in; the rollout itself tells of those."""


def written(
    items: Mapping[Kind, Sequence[JsonObject]], found: Sequence[Workload], window: TimeWindow
) -> list[ChangeEvent]:
    """What was created or written inside the window, one change for each service that it touches."""
    beside: defaultdict[str, list[Workload]] = defaultdict(list)
    for workload in found:
        beside[workload.namespace].append(workload)
    changes: list[ChangeEvent] = []
    for kind, listed in items.items():
        for item in listed:
            writes = [] if _is_bookkeeping(kind, item) else list(_writes(kind, item, window))
            if writes:
                services = sorted({each.service for each in beside[namespace_of(item)] if _touches(kind, item, each)})
                # The dependencies know an ingress as a caller of its own.
                services = [clean_name(name_of(item))] if kind is INGRESS else services
                for at, who, keys in writes:
                    changes += _told(kind, item, at, who, keys, services)
    return changes


def _is_bookkeeping(kind: Kind, item: JsonObject) -> bool:
    """Written by controllers for themselves, all the time."""
    labels, notes = part(meta(item), "labels"), part(meta(item), "annotations")
    return (
        name_of(item) == _ROOT_CA
        or _LEADER in notes
        or (kind is SECRET and labels.get(_HELM) == "helm")
        or any(each.get("kind") in ("ServiceAccount", "Certificate") for each in parts(meta(item), "ownerReferences"))
    )


def _touches(kind: Kind, item: JsonObject, workload: Workload) -> bool:
    namespace, spec = namespace_of(item), part(item, "spec")
    if kind in (CONFIG_MAP, SECRET):
        word = "ConfigMap" if kind is CONFIG_MAP else "Secret"
        return (word, name_of(item)) in workload.reads
    if kind is SERVICE:
        return workload.is_selected(namespace, part(spec, "selector"))
    if kind is NETWORK_POLICY:
        selector = part(spec, "podSelector")
        return not selector or workload.is_selected(namespace, selector)
    if kind is AUTOSCALER:
        target = part(spec, "scaleTargetRef")
        return (target.get("kind"), target.get("name")) == (workload.kind, workload.name)
    return False


def _writes(kind: Kind, item: JsonObject, window: TimeWindow) -> Iterator[tuple[datetime, str, list[str]]]:
    """When, by whom and at which keys the object was written inside the window. Its making is one write."""
    made = created(item)
    if made is not None and window.contains(made):
        yield made, "", []
    told: list[datetime] = [made] if made else []
    for setting in settings(item):
        if not _is_content(kind, setting) or not window.contains(setting.at):
            continue
        if all(abs(setting.at - at) > SAME_WRITE for at in told):
            told.append(setting.at)
            yield setting.at, setting.manager, _keys(setting.fields)


def _is_content(kind: Kind, setting: Setting) -> bool:
    return not setting.subresource and any(field in setting.fields for field in _CONTENT)


def _keys(fields: Mapping[str, Any]) -> list[str]:
    """The keys that the manager owns: what it changed, for all but who made the object."""
    found: list[str] = []
    for field in _CONTENT:
        held = fields.get(field)
        found += (key.removeprefix("f:") for key in held if key.startswith("f:")) if isinstance(held, dict) else ()
    return sorted(found)


def _told(
    kind: Kind, item: JsonObject, at: datetime, who: str, keys: Sequence[str], services: Sequence[str]
) -> Iterator[ChangeEvent]:
    name, namespace = name_of(item), namespace_of(item)
    what = f"{kind.word} {name} {'changed' if who else 'created'}"
    what += f" by {who}" if who else ""
    what += f": {', '.join(keys[:MAX_KEYS])}{', ...' if len(keys) > MAX_KEYS else ''}" if keys else ""
    path = f"{namespace}/{kind.plural}/{name}.yaml"
    named = [*services] if 0 < len(services) <= TOUCHES else [None]
    for service in named:
        yield ChangeEvent(
            id=f"{kind.plural}:{namespace}/{name}:{at:%Y%m%dT%H%M%SZ}{f':{service}' if len(named) > 1 else ''}",
            kind=ChangeKind.INFRA if kind in (NETWORK_POLICY, QUOTA) else ChangeKind.CONFIG,
            at=at,
            service=service,
            title=clean_text(what, MAX_VALUE),
            files=(path,),
            diff=_by_hand(kind, item, path) if who else None,
            after=_values(kind, item, keys) if who else None,
        )


def _by_hand(kind: Kind, item: JsonObject, path: str) -> str | None:
    """From the file that was last applied to the object as it is: what was changed by other means since."""
    applied = part(meta(item), "annotations").get(LAST_APPLIED)
    if kind is SECRET or not isinstance(applied, str):
        return None
    try:
        before = orjson.loads(applied)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(before, dict):
        return None
    held = "data" if kind is CONFIG_MAP else "spec"
    old, new = (dict(sorted(part(each, held).items())) for each in (before, item))
    # A live spec also has what the server fills in; only what the file names can have been changed by hand.
    return difference({held: old}, {held: _as_named(old, new) if held == "spec" else new}, path)


def _as_named(file: JsonValue, live: JsonValue) -> JsonValue:
    """The live value cut down to what the file names."""
    if isinstance(file, dict) and isinstance(live, dict):
        return {key: _as_named(value, live[key]) for key, value in file.items() if key in live}
    if isinstance(file, list) and isinstance(live, list) and len(file) == len(live):
        return [_as_named(old, new) for old, new in zip(file, live, strict=True)]
    return live


def _values(kind: Kind, item: JsonObject, keys: Sequence[str]) -> str | None:
    """What a config map's written keys hold now."""
    data = part(item, "data")
    held = {key: data[key] for key in keys[:MAX_KEYS] if key in data}
    return clean_text(as_yaml(held).strip(), MAX_VALUE) if kind is CONFIG_MAP and held else None
