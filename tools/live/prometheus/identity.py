"""Whose series it is: service and instance, read from labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tools.live.prometheus.config import PrometheusConfig
from tools.redaction import masked_text
from tools.words import UNKNOWN_SERVICE, clean_name

POD_LABELS = frozenset({"pod", "k8s_pod_name", "exported_pod", "pod_name", "kubernetes_pod_name"})
HOST_LABELS = ("node", "nodename", "k8s_node_name", "host_name", "hostname", "host", "instance")
HOST_METRICS = frozenset({"node", "host", "windows", "system", "machine"})
"""First words of metrics about a machine, whoever exports them."""
PLATFORM_METRICS = frozenset({"kube", "container", "k8s", "kubernetes", "cadvisor"})
"""First words of metrics that an agent tells about others: its own service, job and instance are not theirs."""
PLATFORM_LABELS = (
    *("deployment", "k8s_deployment_name", "statefulset", "k8s_statefulset_name", "daemonset", "k8s_daemonset_name"),
    *("cronjob", "job_name", "exported_pod", "pod", "k8s_pod_name", "pod_name"),
    *("container_label_com_docker_compose_service", "name", "exported_container", "container", "node", "k8s_node_name"),
)
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
_OF_REPLICA_SET = re.compile(rf"(.+)-(?:{_SAFE}{{6,10}}|[0-9]{{8,10}})-{_SAFE}{{5}}")
_OF_SET = re.compile(rf"(.+)-(?:{_SAFE}{{5}}|[0-9]{{1,4}})")
"""Kubernetes draws these names from letters that spell no words (k8s.io/apimachinery, util/rand)."""
_PORT = re.compile(r"(.+?):\d{1,5}")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a series is, by which labels; a label is "" where none tells."""

    service: str
    instance: str
    service_label: str
    instance_label: str


class Identity:
    """Reads owners as the configuration says. Pure."""

    def __init__(self, config: PrometheusConfig) -> None:
        self._service_labels = tuple(map(_plain, config.service_labels))
        self._instance_labels = tuple(map(_plain, config.instance_labels))

    def owner(self, name: str, labels: Mapping[str, str]) -> Owner:
        """The owner of a series of the metric `name`."""
        actual = {_plain(label): label for label, value in labels.items() if value}
        service_label = next((actual[at] for at in self._orders(name, actual) if at in actual), "")
        instance_label = next((actual[at] for at in self._instance_labels if at in actual), "")
        service = _service(_plain(service_label), labels[service_label]) if service_label else UNKNOWN_SERVICE
        instance = tidy(labels[instance_label]) if instance_label else ""
        return Owner(service or UNKNOWN_SERVICE, instance, service_label, instance_label)

    def is_identity(self, label: str) -> bool:
        """Whether a label says whose, rather than what."""
        return _plain(label) in {*self._service_labels, *self._instance_labels, *PLATFORM_LABELS, *HOST_LABELS}

    @property
    def labels(self) -> list[str]:
        """Every label that may tell an owner, as Prometheus before its version 3 writes it."""
        return sorted({*self._service_labels, *self._instance_labels, *PLATFORM_LABELS, *HOST_LABELS})

    def _orders(self, name: str, actual: Mapping[str, str]) -> Sequence[str]:
        first = re.split(r"[^a-z0-9]", name.lower(), maxsplit=1)[0]
        about_others = HOST_LABELS if first in HOST_METRICS else PLATFORM_LABELS if first in PLATFORM_METRICS else ()
        if about_others and ("job" in actual or not {"service", "service_name"} & actual.keys()):
            return (*about_others, *self._service_labels)
        return self._service_labels


def owner_labels(owners: Iterable[Owner], with_instance: bool) -> list[str]:
    """The labels that tell these owners apart, in order."""
    found: set[str] = set()
    for owner in owners:
        found |= {owner.service_label, *([owner.instance_label] if with_instance else [])}
    return sorted(found - {""})


def workload(pod: str) -> str:
    """The workload that a pod belongs to: its name without the hashes and numbers that Kubernetes adds."""
    found = _OF_REPLICA_SET.fullmatch(pod) or _OF_SET.fullmatch(pod)
    return found[1] if found else pod


@lru_cache(maxsize=65_536)
def tidy(text: str) -> str:
    """A name as frames show it: on one line, short, without secrets."""
    return clean_name(masked_text(text))


@lru_cache(maxsize=65_536)
def _service(label: str, value: str) -> str:
    if label in POD_LABELS:
        return tidy(workload(value))
    if label in HOST_LABELS:
        port = _PORT.fullmatch(value)
        return tidy(port[1].strip("[]") if port else value)
    if label == "job" and "/" in value:  # namespace/name, as OpenTelemetry and the Prometheus operator write it
        return tidy(value.rstrip("/").rpartition("/")[2])
    return tidy(value)


@lru_cache(maxsize=4_096)
def _plain(label: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", label.lower())
