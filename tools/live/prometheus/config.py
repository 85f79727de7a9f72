"""How a Prometheus, or whatever speaks its API, is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools.live.access import Access

SERVICE_LABELS = (
    "service",
    "service_name",
    "k8s_deployment_name",
    "deployment",
    "k8s_statefulset_name",
    "statefulset",
    "k8s_daemonset_name",
    "daemonset",
    "app_kubernetes_io_name",
    "label_app_kubernetes_io_name",
    "workload",
    "app",
    "application",
    "pod",
    "k8s_pod_name",
    "container",
    "k8s_container_name",
    "container_label_com_docker_compose_service",
    "name",
    "job",
)
"""OpenTelemetry's and Kubernetes' names before the habits of Prometheus, and `job` last: it always names something."""

INSTANCE_LABELS = (
    "pod",
    "k8s_pod_name",
    "exported_pod",
    "service_instance_id",
    "instance",
    "host_name",
    "hostname",
    "host",
    "nodename",
    "node",
)


class PrometheusConfig(Access):
    """A server with Prometheus' HTTP API: Prometheus, Thanos, Mimir (url with /prometheus at its end), VictoriaMetrics."""

    kind: Literal["prometheus"] = "prometheus"
    service_labels: tuple[str, ...] = Field(default=SERVICE_LABELS, min_length=1)
    """Labels that name the service of a series, the most exact first; dots read as underscores, a pod as its workload."""
    instance_labels: tuple[str, ...] = INSTANCE_LABELS
    """Labels that tell the instances of a service apart, the most exact first."""
    only: dict[str, str] = Field(default_factory=dict)
    """Labels that every series has to carry, such as `cluster = "prod"`, where one server holds several systems."""
    scrape_seconds: float | None = Field(default=None, ge=1, le=3600)
    """Seconds between two samples of a series; measured where it is not given."""
    max_samples: int = Field(default=2_000_000, ge=10_000, le=20_000_000)
    """Samples of one answer; metrics beyond that are left out, the least telling first, with a note."""
    max_series_per_metric: int = Field(default=2_000, ge=10, le=50_000)
    """A metric with more series is asked for per service, without its instances."""
