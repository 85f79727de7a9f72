from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tools.live.prometheus.config import PrometheusConfig
from tools.live.prometheus.identity import Identity, owner_labels, workload
from tools.words import UNKNOWN_SERVICE

IDENTITY = Identity(PrometheusConfig(url="http://a"))
KUBELET = {"job": "kubelet", "instance": "10.0.0.7:10250", "namespace": "shop"}


@pytest.mark.parametrize(
    ("name", "labels", "service", "instance"),
    [
        ("x_total", {"service": "pay", "job": "a", "instance": "i:1"}, "pay", "i:1"),
        ("x_total", {"service_name": "pay", "app": "b"}, "pay", ""),
        ("x_total", {"service.name": "pay", "service.instance.id": "7"}, "pay", "7"),
        ("x_total", {"app": "pay", "pod": "pay-7d9f8b6c5d-x2k4w", "instance": "i:1"}, "pay", "pay-7d9f8b6c5d-x2k4w"),
        ("x_total", {"pod": "pay-7d9f8b6c5d-x2k4w", "job": "pods"}, "pay", "pay-7d9f8b6c5d-x2k4w"),
        ("x_total", {"job": "shop/pay", "instance": "i:1"}, "pay", "i:1"),
        ("x_total", {"application": "pay", "instance": "i:1"}, "pay", "i:1"),
        ("x_total", {"service": "", "job": "pay"}, "pay", ""),
        ("x_total", {"colour": "red"}, UNKNOWN_SERVICE, ""),
        ("container_cpu_usage_seconds_total", {**KUBELET, "pod": "pay-0", "container": "server"}, "pay", "pay-0"),
        (
            "container_cpu_usage_seconds_total",
            {"job": "cadvisor", "instance": "h:8080", "name": "pay"},
            "pay",
            "h:8080",
        ),
        ("kube_pod_status_ready", {"job": "kube-state-metrics", "service": "ksm", "pod": "pay-0"}, "pay", "pay-0"),
        ("kube_deployment_status_replicas", {"job": "kube-state-metrics", "deployment": "pay"}, "pay", ""),
        ("kube_node_status_condition", {"job": "kube-state-metrics", "node": "n1"}, "n1", "n1"),
        (
            "node_load1",
            {"job": "node", "service": "node-exporter", "instance": "10.0.0.7:9100"},
            "10.0.0.7",
            "10.0.0.7:9100",
        ),
        ("node_load1", {"job": "node", "instance": "[::1]:9100"}, "::1", "[::1]:9100"),
        ("node_load1", {"job": "node", "nodename": "n1", "instance": "10.0.0.7:9100"}, "n1", "10.0.0.7:9100"),
        ("node_load1", {"service": "n1", "instance": "n1"}, "n1", "n1"),
    ],
)
def test_whose_it_is(name: str, labels: dict[str, str], service: str, instance: str) -> None:
    owner = IDENTITY.owner(name, labels)
    assert (owner.service, owner.instance) == (service, instance)


@pytest.mark.parametrize(
    ("pod", "of"),
    [
        ("checkout-7d9f8b6c5d-x2k4w", "checkout"),
        ("cart-service-5c8f6bd9c4-zq7rt", "cart-service"),
        ("old-3712345678-x2k4w", "old"),
        ("agent-x2k4w", "agent"),
        ("redis-master-0", "redis-master"),
        ("postgres-12", "postgres"),
        ("web-proxy", "web-proxy"),
        ("checkout", "checkout"),
    ],
)
def test_a_pod_belongs_to_its_workload(pod: str, of: str) -> None:
    assert workload(pod) == of


def test_labels_of_the_configuration_come_first() -> None:
    config = PrometheusConfig(url="http://a", service_labels=("team", "app"), instance_labels=("shard",))
    owner = Identity(config).owner("x", {"app": "a", "team": "t", "shard": "3", "instance": "i"})
    assert (owner.service, owner.instance) == ("t", "3")
    assert owner_labels([owner], with_instance=True) == ["shard", "team"]
    assert owner_labels([owner], with_instance=False) == ["team"]


def test_secrets_in_labels_are_masked() -> None:
    owner = IDENTITY.owner("x", {"service": "pay", "instance": "http://me:hunter2@10.0.0.7"})
    assert "hunter2" not in owner.instance


@given(st.dictionaries(st.sampled_from(["service", "job", "pod", "instance", "x y"]), st.text()))
def test_there_is_always_a_service_on_one_line(labels: dict[str, str]) -> None:
    owner = IDENTITY.owner("x", labels)
    assert owner.service
    assert "\n" not in owner.service + owner.instance
