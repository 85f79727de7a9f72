"""Kubernetes: what was rolled out, scaled and set, and which workload depends on which."""

from tools.live.kubernetes.backend import Kubernetes
from tools.live.kubernetes.config import KubernetesConfig

__all__ = ["Kubernetes", "KubernetesConfig"]
