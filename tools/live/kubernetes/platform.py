"""What the platform did by itself: nodes that came, went or were closed, pods that had to leave, certificates.

Pods that crash, run out of memory or cannot be placed are what an incident looks like, not what somebody changed: they
are noted for people and never suspected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tools.evidence import ChangeEvent, ChangeKind, JsonObject, TimeWindow
from tools.live.kubernetes.objects import Kind, created, moment, name_of, namespace_of, part, parts, settings
from tools.live.kubernetes.rollouts import part_of_spec
from tools.live.kubernetes.scaling import event_time
from tools.live.kubernetes.workloads import Workload
from tools.moments import iso
from tools.words import clean_name, clean_text, counted

CERTIFICATE = Kind("certificate", "/apis/cert-manager.io/v1", "certificates")
DISPLACED = frozenset({"Evicted", "Preempted", "TaintManagerEviction", "NodeShutdown", "Shutdown"})
"""Reasons of events of pods that had to leave their node; https://kubernetes.io/docs/concepts/scheduling-eviction/."""
NODE_EVENTS = frozenset({"Rebooted", "SystemOOM", "EvictionThresholdMet", "FreeDiskSpaceFailed", "KernelDeadlock"})
MAX_TITLE = 300
MAX_SYMPTOMS = 5
"""Symptoms that are noted; the loudest first."""


def of_nodes(nodes: Iterable[JsonObject], events: Iterable[JsonObject], window: TimeWindow) -> Iterator[ChangeEvent]:
    """Nodes that came, became unfit or were closed inside the window."""
    for node in nodes:
        name = name_of(node)
        made = created(node)
        if made is not None and window.contains(made):
            yield _infra(f"node:{name}:joined", made, f"node {name} joined")
        for condition in parts(part(node, "status"), "conditions"):
            said = _condition(condition)
            at = moment(condition.get("lastTransitionTime"))
            if said and at is not None and window.contains(at) and at != made:
                yield _infra(f"node:{name}:{condition.get('type')}:{at:%Y%m%dT%H%M%SZ}", at, f"node {name} {said}")
        closed = bool(part(node, "spec").get("unschedulable"))
        for setting in settings(node):
            if "f:unschedulable" in part_of_spec(setting.fields) and window.contains(setting.at):
                text = f"node {name} {'closed for' if closed else 'opened to'} new pods by {setting.manager}"
                yield _infra(f"node:{name}:unschedulable:{setting.at:%Y%m%dT%H%M%SZ}", setting.at, text)
    for event in events:
        at, involved = event_time(event), part(event, "involvedObject")
        if event.get("reason") in NODE_EVENTS and involved.get("kind") == "Node" and at and window.contains(at):
            name = str(involved.get("name"))
            text = f"node {name}: {event.get('reason')}: {event.get('message', '')}"
            yield _infra(f"node:{name}:{event.get('reason')}:{at:%Y%m%dT%H%M%SZ}", at, text)


def _condition(condition: JsonObject) -> str | None:
    kind, status, why = (str(condition.get(key, "")) for key in ("type", "status", "reason"))
    if kind == "Ready":
        return "is ready again" if status == "True" else f"is not ready: {why}"
    return f"has {kind}: {why}" if status == "True" else None


def _infra(id: str, at: datetime, title: str, service: str | None = None) -> ChangeEvent:
    return ChangeEvent(
        id=clean_name(id), kind=ChangeKind.INFRA, at=at, service=service, title=clean_text(title, MAX_TITLE)
    )


def displaced(events: Iterable[JsonObject], found: Sequence[Workload], window: TimeWindow) -> Iterator[ChangeEvent]:
    """Pods that the platform drove out inside the window, once for each service and reason, at the first of them."""
    owners = Owners(found)
    groups: defaultdict[tuple[str, str, str], list[tuple[datetime, JsonObject]]] = defaultdict(list)
    for event in events:
        at, involved = event_time(event), part(event, "involvedObject")
        if event.get("reason") in DISPLACED and involved.get("kind") == "Pod" and at and window.contains(at):
            namespace, pod = str(involved.get("namespace", "")), str(involved.get("name", ""))
            groups[namespace, owners.service(namespace, pod), str(event["reason"])].append((at, event))
    for (namespace, service, reason), seen in groups.items():
        at, first = min(seen, key=lambda each: each[0])
        text = f"{counted(len(seen), 'pod')} of {service} had to leave ({reason}): {first.get('message', '')}"
        yield _infra(f"pods:{namespace}/{service}:{reason}:{at:%Y%m%dT%H%M%SZ}", at, text, service)


class Owners:
    """The service of a pod by its name, which begins with that of its workload."""

    def __init__(self, found: Sequence[Workload]) -> None:
        self._services = {(each.namespace, each.name): each.service for each in found}

    def service(self, namespace: str, pod: str) -> str:
        """That of the workload with the longest fitting name; the pod's own name where none fits."""
        name = pod
        while name := name.rpartition("-")[0]:
            if (namespace, name) in self._services:
                return self._services[namespace, name]
        return pod


@dataclass(frozen=True)
class _Symptom:
    service: str
    reason: str
    first: datetime
    last: datetime
    count: int
    message: str = ""


def symptoms(
    events: Iterable[JsonObject], pods: Iterable[JsonObject], found: Sequence[Workload], window: TimeWindow
) -> list[str]:
    """What the platform saw go wrong in the window, the loudest first, each one line."""
    seen: defaultdict[tuple[str, str], list[_Symptom]] = defaultdict(list)
    owners = Owners(found)
    for each in (*_warned(events, owners), *_out_of_memory(pods, owners)):
        if each.first < window.until and each.last >= window.since:
            seen[each.service, each.reason].append(each)
    loudest = sorted(seen.values(), key=lambda group: (-sum(each.count for each in group), group[0].service))
    told = [_told(group) for group in loudest[:MAX_SYMPTOMS]]
    return told + ([f"and {len(loudest) - MAX_SYMPTOMS} more"] if len(loudest) > MAX_SYMPTOMS else [])


def _told(group: Sequence[_Symptom]) -> str:
    last = max(group, key=lambda each: each.last)
    count = counted(sum(each.count for each in group), "time")
    return (
        f"{last.service}: {last.reason} {count}, last at {iso(last.last)}{f': {last.message}' if last.message else ''}"
    )


def _warned(events: Iterable[JsonObject], owners: Owners) -> Iterator[_Symptom]:
    """Pods that crash, fail their probes or cannot be placed, images that cannot be had, volumes that do not come."""
    for event in events:
        at, involved, reason = event_time(event), part(event, "involvedObject"), str(event.get("reason"))
        if at is None or event.get("type") != "Warning" or reason in DISPLACED | NODE_EVENTS:
            continue
        name, namespace = str(involved.get("name", "")), str(involved.get("namespace", ""))
        service = owners.service(namespace, name) if involved.get("kind") == "Pod" else name
        count = part(event, "series").get("count") or event.get("count") or 1
        yield _Symptom(
            service=clean_name(service),
            reason=clean_name(reason),
            first=moment(event.get("firstTimestamp")) or moment(event.get("eventTime")) or at,
            last=at,
            count=int(count),
            message=clean_name(str(event.get("message", ""))),
        )


def _out_of_memory(pods: Iterable[JsonObject], owners: Owners) -> Iterator[_Symptom]:
    for pod in pods:
        for container in parts(part(pod, "status"), "containerStatuses"):
            ended = part(container, "lastState", "terminated") or part(container, "state", "terminated")
            at = moment(ended.get("finishedAt"))
            if at is not None and ended.get("reason") == "OOMKilled":
                yield _Symptom(owners.service(namespace_of(pod), name_of(pod)), "OOMKilled", at, at, 1)


def of_certificates(
    certificates: Iterable[JsonObject], services: dict[tuple[str, str], str], window: TimeWindow
) -> Iterator[ChangeEvent]:
    """Certificates of cert-manager that ended or were issued inside the window.

    `services` are those that use a secret, by namespace and name of the secret.
    """
    for item in certificates:
        namespace, name = namespace_of(item), name_of(item)
        secret = str(part(item, "spec").get("secretName", ""))
        service = services.get((namespace, secret))
        status = part(item, "status")
        begins, ends = moment(status.get("notBefore")), moment(status.get("notAfter"))
        refused = [
            each
            for each in parts(status, "conditions")
            if each.get("type") == "Ready" and each.get("status") == "False"
        ]
        valid = f"valid until {iso(ends)}" if ends else None
        for at, what, before, after in ((begins, "issued", None, valid), (ends, "expired", valid, "expired")):
            if at is not None and window.contains(at):
                why = f": {refused[0].get('message', '')}" if refused and what == "expired" else ""
                yield ChangeEvent(
                    id=f"certificate:{namespace}/{name}:{at:%Y%m%dT%H%M%SZ}:{what}",
                    kind=ChangeKind.CERTIFICATE,
                    at=at,
                    service=service,
                    title=clean_text(f"certificate {name} {what}{why}", MAX_TITLE),
                    before=before,
                    after=after,
                )
