"""Who depends on whom, as the cluster's objects say: routes to services, and addresses in the settings of pods."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from tools.evidence import Edge, JsonObject
from tools.live.kubernetes.objects import name_of, namespace_of, part, parts
from tools.live.kubernetes.workloads import Workload, containers
from tools.words import clean_name

_PLACE = re.compile(r"host|addr|url|uri|endpoint|server|service|upstream|target|broker", re.IGNORECASE)
"""Names of settings that hold an address; of any other a bare word is a mode or a level more often than a host."""
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?", re.IGNORECASE)
_LINE = re.compile(r"\s*[\"']?(?P<name>[\w.-]+)[\"']?\s*(?:=|:\s)(?P<value>.*)")
"""One setting in a file of them: `name=value`, `name: value`."""
_CALLS = frozenset({"http", "https", "ws", "wss", "grpc", "grpcs", "dns", "tcp", ""})
"""Schemes of requests; any other (`postgres://`, `redis://`, `amqp://`) names a store or a broker."""
_PARTS = 5
"""name.namespace.svc.cluster.local"""

Known = Mapping[tuple[str, str], tuple[str, ...]]
"""Services of ours behind a Kubernetes Service, by its namespace and name."""


def edges(
    found: Sequence[Workload],
    services: Sequence[JsonObject],
    ingresses: Sequence[JsonObject],
    config_maps: Mapping[tuple[str, str], JsonObject],
) -> list[Edge]:
    """Dependencies without repetition, in the order of their names."""
    known = _behind(found, services)
    told = [*_from_ingresses(ingresses, known), *_from_settings(found, known, config_maps)]
    once = {(edge.caller, edge.callee, edge.kind): edge for edge in told if edge.caller != edge.callee}
    return [once[key] for key in sorted(once)]


def _behind(found: Sequence[Workload], services: Sequence[JsonObject]) -> Known:
    known: dict[tuple[str, str], tuple[str, ...]] = {}
    for item in services:
        key, spec = (namespace_of(item), name_of(item)), part(item, "spec")
        outside = spec.get("externalName")
        selected = sorted({each.service for each in found if each.is_selected(key[0], part(spec, "selector"))})
        # One without pods of ours behind it is still something that is depended on: a database outside, a proxy.
        known[key] = tuple(selected) or (clean_name(str(outside or key[1])),)
    return known


def _from_ingresses(ingresses: Sequence[JsonObject], known: Known) -> Iterator[Edge]:
    for item in ingresses:
        spec, namespace = part(item, "spec"), namespace_of(item)
        paths = [path for rule in parts(spec, "rules") for path in parts(part(rule, "http"), "paths")]
        backends = [part(spec, "defaultBackend"), *(part(path, "backend") for path in paths)]
        for backend in backends:
            for callee in known.get((namespace, str(part(backend, "service").get("name", ""))), ()):
                yield Edge(caller=clean_name(name_of(item)), callee=callee)


def _from_settings(
    found: Sequence[Workload], known: Known, config_maps: Mapping[tuple[str, str], JsonObject]
) -> Iterator[Edge]:
    for workload in found:
        for name, value in _settings(workload, config_maps):
            for scheme, host in addresses(name, value):
                for callee in _callees(host, workload.namespace, known):
                    yield Edge(caller=workload.service, callee=callee, kind="call" if scheme in _CALLS else "data")


def _settings(workload: Workload, config_maps: Mapping[tuple[str, str], JsonObject]) -> Iterator[tuple[str, str]]:
    """Names and values that the pods are told by variables, arguments and config maps; never what is in a secret."""
    for container in containers(workload.template):
        for variable in parts(container, "env"):
            yield str(variable.get("name")), str(variable.get("value") or "")
        for word in [*(container.get("command") or []), *(container.get("args") or [])]:
            name, _, value = str(word).rpartition("=")
            yield name, value
    for kind, of in workload.reads:
        data = config_maps.get((workload.namespace, of), {}) if kind == "ConfigMap" else {}
        for key, text in data.items():
            for line in str(text).splitlines():
                found = _LINE.fullmatch(line)
                yield (found["name"] if found else key), (found["value"] if found else line).strip(" \t\"',")


def addresses(name: str, value: str) -> Iterator[tuple[str, str]]:
    """(scheme, host) of each address in a setting: URLs, `host:port`, names of hosts, lists of them with commas."""
    for each in value.split(","):
        text = each.strip().removeprefix("jdbc:")
        try:
            parsed = urlsplit(text if "://" in text else f"//{text}")
            host, port = parsed.hostname or "", parsed.port
        except ValueError:
            continue
        if _HOST.fullmatch(host) and (parsed.scheme or port is not None or ".svc" in host or _PLACE.search(name)):
            yield parsed.scheme.lower(), host


def _callees(host: str, namespace: str, known: Known) -> tuple[str, ...]:
    """The services behind a name as the cluster's DNS resolves it from a namespace."""
    labels = host.lower().split(".")[:_PARTS]
    if len(labels) == 1:
        return known.get((namespace, labels[0]), ())
    return known.get((labels[1], labels[0]), ())
