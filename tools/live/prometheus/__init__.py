"""Prometheus, and what speaks its API: Thanos, Mimir, VictoriaMetrics."""

from tools.live.prometheus.backend import Prometheus
from tools.live.prometheus.config import PrometheusConfig

__all__ = ["Prometheus", "PrometheusConfig"]
