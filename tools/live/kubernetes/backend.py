"""One cluster as a source of changes and of dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from time import monotonic

from pydantic import JsonValue

from tools.evidence import ChangeEvent, Edge, JsonObject, Source, TimeWindow, ToolError
from tools.live.access import Access
from tools.live.enquiry import Enquiry
from tools.live.http import Http
from tools.live.kubernetes.config import KubernetesConfig
from tools.live.kubernetes.connection import METADATA_ONLY, NAME, access_of, conversation
from tools.live.kubernetes.objects import Kind, Lister, name_of, namespace_of, part
from tools.live.kubernetes.platform import CERTIFICATE, displaced, of_certificates, of_nodes, symptoms
from tools.live.kubernetes.rollouts import rollouts
from tools.live.kubernetes.scaling import event_time, scalings
from tools.live.kubernetes.topology import edges
from tools.live.kubernetes.workloads import Workload, workloads
from tools.live.kubernetes.written import CONFIG_MAP, INGRESS, SECRET, SERVICE, WRITTEN, written
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting
from tools.words import counted

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
        self._met: tuple[Access, Http, Http] | None = None
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
        told = symptoms(seen.of(EVENT), seen.of(POD), seen.workloads, window)
        if told:
            self._note(f"what it reports of the pods is not weighed, read it yourself: {'; '.join(told)}")
        return self._latest(found)

    def edges(self) -> list[Edge]:
        """Routes from ingresses to services, and services that are named in settings of pods. Raises ToolError."""
        seen = self._cluster()
        return edges(seen.workloads, seen.of(SERVICE), seen.of(INGRESS), seen.config_data)

    def look(self, window: TimeWindow) -> Sighting:
        """How many workloads there are, and what may not be read. Raises ToolError."""
        access, http, _ = self._connected()
        seen = self._cluster()
        reply = http.ask("GET", "/version")
        version = _text_at(http.get_json("/version"), "gitVersion")
        moments = [at for event in seen.of(EVENT) if (at := event_time(event)) is not None]
        troubles = (
            [f"{counted(len(seen.refused), 'kind')} of objects cannot be read: {seen.refused[0]}"]
            if seen.refused
            else []
        )
        if not seen.workloads:
            troubles.append("no workload is to be seen; correct namespaces, or give the account a role that lists them")
        return Sighting(
            source=Source.CHANGES,
            name=f"{NAME} {version} at {access.url}".replace("  ", " "),
            facts=(
                counted(len(seen.workloads), "workload"),
                f"{counted(len(self.changes(window)), 'change')} in the window",
                counted(len(self.edges()), "dependency", "dependencies"),
            ),
            services=tuple(sorted({each.service for each in seen.workloads})),
            newest=max(moments, default=None),
            clock=reply.clock,
            troubles=tuple(troubles),
        )

    def _connected(self) -> tuple[Access, Http, Http]:
        """The way in, found when it is first needed: a kubeconfig may start a program that asks for a token."""
        if self._met is None:
            access, introduce = access_of(self._config)
            self._met = access, conversation(access, introduce), conversation(access, introduce, METADATA_ONLY)
        return self._met

    def _cluster(self) -> _Cluster:
        with self._lock:
            if self._seen is None or monotonic() - self._seen[0] > REMEMBERED_SECONDS:
                self._seen = monotonic(), self._asked()
            return self._seen[1]

    def _asked(self) -> _Cluster:
        """All lists at one time. Raises ToolError when the cluster does not answer, or refuses every one of them."""
        access, http, bare = self._connected()
        enquiry, metadata = (Enquiry(access, Source.CHANGES, each, NAME) for each in (http, bare))
        groups = enquiry.get_json("/apis")
        kinds = [*KINDS, CERTIFICATE] if "cert-manager.io" in _group_names(groups) else [*KINDS]
        lister = Lister(enquiry, metadata, self._config.namespaces, self._notes)
        answers = enquiry.all([lambda kind=kind: lister.listed(kind) for kind in kinds])
        refused = [
            (kind, each.message) for kind, each in zip(kinds, answers, strict=True) if isinstance(each, ToolError)
        ]
        if len(refused) == len(kinds):
            raise ToolError(Source.CHANGES, refused[0][1])
        if refused:
            names = ", ".join(kind.plural for kind, _ in refused)
            self._note(f"{names} cannot be read, so changes of these are unknown: {refused[0][1]}")
        lists = {kind: each for kind, each in zip(kinds, answers, strict=True) if not isinstance(each, ToolError)}
        return _Cluster(lists, self._config.service_label, [f"{kind.plural}: {why}" for kind, why in refused])

    def _latest(self, found: list[ChangeEvent]) -> list[ChangeEvent]:
        found = sorted(found, key=lambda change: (change.at, change.id))
        if len(found) > MAX_CHANGES:
            self._note(f"{MAX_CHANGES} of {len(found)} changes are told, the latest")
        return found[-MAX_CHANGES:]

    def _note(self, text: str) -> None:
        self._notes.add(Source.CHANGES, f"{NAME}: {text}")


class _Cluster:
    """The lists of one moment."""

    def __init__(self, lists: dict[Kind, list[JsonObject]], service_label: str | None, refused: list[str]) -> None:
        self._lists = lists
        self.refused = refused
        self.workloads: list[Workload] = workloads({kind.word: self.of(kind) for kind in WORKLOADS}, service_label)
        self.config_data = {(namespace_of(item), name_of(item)): part(item, "data") for item in self.of(CONFIG_MAP)}

    def of(self, kind: Kind) -> Sequence[JsonObject]:
        return self._lists.get(kind, [])

    @property
    def users_of_secrets(self) -> dict[tuple[str, str], str]:
        """The service that uses a secret, or that an ingress with this secret leads to."""
        found = {
            (each.namespace, name): each.service
            for each in self.workloads
            for kind, name in each.reads()
            if kind == SECRET.word.capitalize()
        }
        for item in self.of(INGRESS):
            for tls in part(item, "spec").get("tls") or []:
                found.setdefault((namespace_of(item), str(tls.get("secretName"))), name_of(item))
        return found


def _group_names(answer: JsonValue) -> set[str]:
    groups = answer.get("groups") if isinstance(answer, dict) else None
    return {str(each.get("name")) for each in groups if isinstance(each, dict)} if isinstance(groups, list) else set()


def _text_at(answer: JsonValue, key: str) -> str:
    return str(answer.get(key, "")) if isinstance(answer, dict) else ""
