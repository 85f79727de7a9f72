"""One cluster as a source of changes and of dependencies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic

from tools.evidence import ChangeEvent, Edge, JsonObject, Source, TimeWindow
from tools.live.kubernetes.config import KubernetesConfig
from tools.live.kubernetes.connection import NAME, Way, way_of
from tools.live.kubernetes.lists import Lister
from tools.live.kubernetes.objects import Kind, name_of, namespace_of, part, parts
from tools.live.kubernetes.platform import CERTIFICATE, displaced, of_certificates, of_nodes, symptoms
from tools.live.kubernetes.rollouts import ConfigData, rollouts
from tools.live.kubernetes.scaling import scalings
from tools.live.kubernetes.topology import edges
from tools.live.kubernetes.workloads import Workload, workloads
from tools.live.kubernetes.written import CONFIG_MAP, INGRESS, SERVICE, WRITTEN, written
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting
from tools.moments import iso
from tools.words import clean_name, counted

DEPLOYMENT = Kind("Deployment", "/apis/apps/v1", "deployments")
STATEFUL_SET = Kind("StatefulSet", "/apis/apps/v1", "statefulsets")
DAEMON_SET = Kind("DaemonSet", "/apis/apps/v1", "daemonsets")
REPLICA_SET = Kind("ReplicaSet", "/apis/apps/v1", "replicasets")
REVISION = Kind("ControllerRevision", "/apis/apps/v1", "controllerrevisions")
EVENT = Kind("event", "/api/v1", "events")
POD = Kind("pod", "/api/v1", "pods")
NODE = Kind("node", "/api/v1", "nodes", namespaced=False)
WORKLOADS = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)
KINDS = (*WORKLOADS, REPLICA_SET, REVISION, EVENT, POD, NODE, *WRITTEN)
VERSION = re.compile(r'"gitVersion": *"([^"]*)"')
REMEMBERED_SECONDS = 30.0
"""One investigation asks for the changes, then for single ones, then for the dependencies: it sees one state of all."""
MAX_CHANGES = 300
"""Changes of one answer, the latest: a cluster under continuous delivery makes more in a week than anybody reads."""


class Kubernetes:
    """What the API server remembers: the last revisions of each workload, each object's last writes, recent events."""

    def __init__(self, config: KubernetesConfig, notes: Notebook) -> None:
        self._config = config
        self._notes = notes
        self._lock = Lock()
        self._seen: tuple[float, _Cluster] | None = None

    def changes(self, window: TimeWindow) -> list[ChangeEvent]:
        """Rollouts, scalings, settings, nodes and certificates of the window, oldest first. Raises ToolError."""
        seen = self._cluster()
        rolled = rollouts(seen.workloads, seen.of(REPLICA_SET), seen.of(REVISION), seen.config_data, window)
        found = [
            *rolled,
            *scalings(seen.workloads, seen.of(REPLICA_SET), seen.of(EVENT), rolled, window),
            *written({kind: seen.of(kind) for kind in WRITTEN}, seen.workloads, window),
            *of_nodes(seen.of(NODE), seen.of(EVENT), window),
            *displaced(seen.of(EVENT), seen.workloads, window),
            *of_certificates(seen.of(CERTIFICATE), seen.users_of_secrets, window),
        ]
        for told in symptoms(seen.of(EVENT), seen.of(POD), seen.workloads, window):
            self._note(f"an effect that is not weighed, read it yourself: {told}")
        return self._latest(found)

    def edges(self) -> list[Edge]:
        """Routes from ingresses to services, and services that are named in settings of pods. Raises ToolError."""
        seen = self._cluster()
        return edges(seen.workloads, seen.of(SERVICE), seen.of(INGRESS), seen.config_data)

    def look(self, window: TimeWindow) -> Sighting:
        """How many workloads there are, and what may not be read. Raises ToolError."""
        seen = self._cluster()
        troubles = [f"{each}; grant it, or changes of that kind stay unknown" for each in seen.refused]
        if not seen.workloads:
            troubles.append("no workload is to be seen; correct namespaces, or give the account a role that lists them")
        return Sighting(
            source=Source.CHANGES,
            name=f"{NAME} {seen.version} at {seen.url}",
            facts=(
                counted(len(seen.workloads), "workload"),
                f"{counted(len(self.changes(window)), 'change')} in the window",
                counted(len(self.edges()), "dependency", "dependencies"),
            ),
            services=tuple(sorted({each.service for each in seen.workloads})),
            clock=seen.clock,
            troubles=tuple(troubles),
        )

    def _cluster(self) -> _Cluster:
        with self._lock:
            if self._seen is None or monotonic() - self._seen[0] > REMEMBERED_SECONDS:
                with way_of(self._config) as way:
                    self._seen = monotonic(), self._asked(way)
            return self._seen[1]

    def _asked(self, way: Way) -> _Cluster:
        """All lists at one time. Raises ToolError when the cluster does not answer, or refuses every one of them."""
        lister = Lister(way, self._config.namespaces, self._notes)
        kinds = (*KINDS, CERTIFICATE) if CERTIFICATE.group.split("/")[2] in lister.groups() else KINDS
        version = lister.http.ask("GET", "/version", deadline=lister.deadline)
        lists, refused = lister.all(kinds)
        told = VERSION.search(version.body.decode(errors="replace"))
        return _Cluster(
            lists=lists,
            refused=refused,
            workloads=workloads({kind.word: lists[kind] for kind in WORKLOADS}, self._config.service_label),
            url=way.access.url,
            version=clean_name(told[1]) if told else "of unknown version",
            clock=version.clock,
        )

    def _latest(self, found: list[ChangeEvent]) -> list[ChangeEvent]:
        found = sorted(found, key=lambda change: (change.at, change.id))
        if len(found) > MAX_CHANGES:
            first = found[-MAX_CHANGES].at
            self._note(f"{MAX_CHANGES} of {len(found)} changes are told; those before {iso(first)} are left out")
        return found[-MAX_CHANGES:]

    def _note(self, text: str) -> None:
        self._notes.add(Source.CHANGES, f"{NAME}: {text}")


@dataclass(frozen=True)
class _Cluster:
    """The cluster at one moment."""

    lists: Mapping[Kind, Sequence[JsonObject]]
    refused: Sequence[str]
    """Kinds that may not be read, and why."""
    workloads: Sequence[Workload]
    url: str
    version: str
    clock: datetime | None

    def of(self, kind: Kind) -> Sequence[JsonObject]:
        return self.lists.get(kind, [])

    @property
    def config_data(self) -> ConfigData:
        return {(namespace_of(item), name_of(item)): part(item, "data") for item in self.of(CONFIG_MAP)}

    @property
    def users_of_secrets(self) -> dict[tuple[str, str], str]:
        """The service that uses a secret, or the ingress that serves with it."""
        found = {
            (each.namespace, name): each.service
            for each in self.workloads
            for kind, name in each.reads
            if kind == "Secret"
        }
        for item in self.of(INGRESS):
            for tls in parts(part(item, "spec"), "tls"):
                found.setdefault((namespace_of(item), str(tls.get("secretName"))), clean_name(name_of(item)))
        return found
