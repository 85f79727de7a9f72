"""Workloads: which service one is, what its pods are made of, and which settings they read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tools.evidence import JsonObject
from tools.live.kubernetes.objects import meta, name_of, namespace_of, part, parts
from tools.words import clean_name

NAME_LABELS = ("app.kubernetes.io/name", "app")
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/, and the habit before it."""
_UNTOLD_LABELS = frozenset({"pod-template-hash", "controller-revision-hash"})
"""Set by controllers; another hash only repeats that something else changed."""
RESTARTED = "kubectl.kubernetes.io/restartedAt"


@dataclass(frozen=True)
class Workload:
    """A Deployment, StatefulSet or DaemonSet."""

    kind: str
    namespace: str
    name: str
    service: str
    labels: Mapping[str, str]
    """Of its pods."""
    template: JsonObject
    item: JsonObject

    @property
    def path(self) -> str:
        return f"{self.namespace}/{self.kind.lower()}/{self.name}.yaml"

    def is_selected(self, namespace: str, selector: Mapping[str, Any]) -> bool:
        """True when the labels of a non-empty selector are all its pods'."""
        wanted = selector.get("matchLabels", selector)
        return (
            namespace == self.namespace
            and isinstance(wanted, dict)
            and bool(wanted)
            and all(self.labels.get(key) == value for key, value in wanted.items())
        )

    @cached_property
    def reads(self) -> set[tuple[str, str]]:
        """Config maps and secrets that its pods use: ("ConfigMap" or "Secret", name)."""
        return set(references(self.template))


def workloads(items: Mapping[str, Sequence[JsonObject]], service_label: str | None = None) -> list[Workload]:
    """The workloads of lists by kind. Where a label names several of one namespace alike, each keeps its own name."""
    labels = (service_label,) if service_label else NAME_LABELS
    found = [(kind, item, _labelled(item, labels)) for kind, listed in items.items() for item in listed]
    shared = Counter((namespace_of(item), name) for _, item, name in found if name)
    return [
        Workload(
            kind=kind,
            namespace=namespace_of(item),
            name=name_of(item),
            service=clean_name(name if name and shared[namespace_of(item), name] == 1 else name_of(item)),
            labels=_pod_labels(item),
            template=part(item, "spec", "template"),
            item=item,
        )
        for kind, item, name in found
    ]


def _labelled(item: JsonObject, labels: Sequence[str]) -> str | None:
    own = {**part(meta(item), "labels"), **_pod_labels(item)}
    return next((str(own[label]) for label in labels if own.get(label)), None)


def _pod_labels(item: JsonObject) -> JsonObject:
    return part(item, "spec", "template", "metadata", "labels")


def containers(template: JsonObject) -> list[JsonObject]:
    spec = part(template, "spec")
    return [*parts(spec, "initContainers"), *parts(spec, "containers")]


def images(template: JsonObject) -> dict[str, str]:
    """Image of each container."""
    return {str(each.get("name", "")): str(each.get("image", "")) for each in containers(template)}


def references(template: JsonObject) -> Iterator[tuple[str, str]]:
    """Config maps and secrets that a pod template names."""
    for container in containers(template):
        sources = [*parts(container, "envFrom"), *(part(each, "valueFrom") for each in parts(container, "env"))]
        for source in sources:
            yield from _named(source, ("configMapRef", "configMapKeyRef"), ("secretRef", "secretKeyRef"), "name")
    for volume in parts(part(template, "spec"), "volumes"):
        yield from _named(volume, ("configMap",), (), "name")
        yield from _named(volume, (), ("secret",), "secretName")
        for source in parts(part(volume, "projected"), "sources"):
            yield from _named(source, ("configMap",), ("secret",), "name")


def _named(
    source: JsonObject, config_maps: Sequence[str], secrets: Sequence[str], key: str
) -> Iterator[tuple[str, str]]:
    for kind, names in (("ConfigMap", config_maps), ("Secret", secrets)):
        for name in names:
            if found := part(source, name).get(key):
                yield kind, str(found)


def told(template: JsonObject) -> JsonObject:
    """A pod template as it is shown and compared: containers and variables by their names, no hashes of controllers.

    A variable becomes `NAME: value`, so that a secret is known by its name and a changed value is one line.
    """
    metadata, spec = part(template, "metadata"), part(template, "spec")
    labels = {key: value for key, value in part(metadata, "labels").items() if key not in _UNTOLD_LABELS}
    kept = {key: value for key, value in (("labels", labels), ("annotations", metadata.get("annotations"))) if value}
    shown: JsonObject = {key: value for key, value in spec.items() if key not in ("containers", "initContainers")}
    for key in ("initContainers", "containers"):
        if spec.get(key):
            shown[key] = {str(each.get("name", "")): _container(each) for each in parts(spec, key)}
    return {"metadata": kept, "spec": shown} if kept else {"spec": shown}


def _container(container: JsonObject) -> JsonObject:
    shown = {key: value for key, value in container.items() if key not in ("name", "env")}
    variables = {str(each.get("name", "")): _value(each) for each in parts(container, "env")}
    return {"env": variables, **shown} if variables else shown


def _value(variable: JsonObject) -> object:
    source = part(variable, "valueFrom")
    return source if source else variable.get("value", "")
