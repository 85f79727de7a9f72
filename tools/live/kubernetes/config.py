"""What has to be known to ask a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from tools.live.access import Access


class KubernetesConfig(Access):
    """A cluster: by its address, by a kubeconfig, or the one that whydown itself runs in."""

    kind: Literal["kubernetes"] = "kubernetes"
    url: str = ""
    """Address of the API server (`https://10.0.0.1:6443`, or `http://127.0.0.1:8001` of `kubectl proxy`)."""
    kubeconfig: Path | None = None
    """A kubeconfig instead of an address; a program that it names for credentials is started, as kubectl does."""
    context: str | None = None
    """Context of the kubeconfig; its current one without it."""
    in_cluster: bool = False
    """whydown runs in a pod of the cluster and asks as its service account."""
    namespaces: tuple[str, ...] = ()
    """Only these namespaces; all without them, which takes a ClusterRole."""
    service_label: str | None = Field(default=None, min_length=1)
    """Label of the pods that holds a service's name; else `app.kubernetes.io/name`, `app`, the workload's own name."""

    @model_validator(mode="after")
    def _one_cluster(self) -> Self:
        ways = [bool(self.url), self.kubeconfig is not None, self.in_cluster]
        if sum(ways) != 1:
            raise ValueError("give one of url, kubeconfig and in_cluster")
        if self.context is not None and self.kubeconfig is None:
            raise ValueError("a context is part of a kubeconfig: name that too")
        if not self.url and (self.bearer_token or self.username or self.ca_file):
            raise ValueError("a kubeconfig and a pod have credentials and authority of their own: leave them out here")
        return self
