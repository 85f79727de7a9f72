"""Applications of an Argo CD that synced a shop's settings, and the repository they came from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fixtures.servers.argocd import NAMESPACE
from fixtures.servers.kubernetes_api import KubernetesApi
from tests.tools.live.git_repository import GitRepository

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ADDRESS = "https://git.example/shop/settings.git"
APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"


def repository(folder: Path) -> tuple[GitRepository, str, str]:
    """A clone of the settings, and two commits of it; the same bytes make the same ids everywhere."""
    made = GitRepository(folder)
    made.write("checkout/deployment.yaml", "replicas: 3\npool_size: 20\n")
    made.write("base/common.yaml", "timeout: 5\n")
    first = made.commit(BEGAN - 60 * MINUTE, "Settings of the shop")
    made.write("checkout/deployment.yaml", "replicas: 3\npool_size: 2\n")
    second = made.commit(BEGAN - 10 * MINUTE, "Smaller pool for checkout")
    made.run("remote", "add", "origin", "git@git.example:shop/settings.git")
    return made, first, second


def written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def sync(id: int, begun: datetime, revision: str, source: dict[str, Any], **by: object) -> dict[str, Any]:
    times = {"deployStartedAt": written(begun), "deployedAt": written(begun + MINUTE / 2)}
    return {"id": id, "revision": revision, "source": source, "initiatedBy": by, **times}


def application(
    name: str, source: dict[str, Any], history: list[dict[str, Any]], *workloads: str, **state: str
) -> dict[str, Any]:
    destination = {"server": "https://kubernetes.default.svc", "namespace": "shop"}
    resources = [{"group": "apps", "version": "v1", "kind": "Deployment", "name": each} for each in workloads]
    done = {"operation": {}, "phase": "Succeeded", "startedAt": history[-1]["deployStartedAt"]}
    done |= {"finishedAt": history[-1]["deployedAt"], **state}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "labels": {"team": "shop", "service": f"{name}-service"}},
        "spec": {"project": "default", "source": source, "destination": destination},
        "status": {"history": history, "resources": resources, "operationState": done},
    }


def fill(api: KubernetesApi, first: str, second: str, address: str = ADDRESS) -> None:
    """A pool made smaller and back again, a chart with another parameter, one long ago, and one that failed."""
    source = {"repoURL": address, "path": "checkout", "targetRevision": "main"}
    history = [
        sync(4, BEGAN - 50 * MINUTE, first, source, username="ann"),
        sync(5, BEGAN, second, source, automated=True),
        sync(6, BEGAN + 20 * MINUTE, first, source, username="ann"),
    ]
    api.make(APPLICATIONS, application("checkout", source, history, "checkout"))
    chart = {"repoURL": "https://charts.example", "chart": "cache", "targetRevision": "1.x"}
    small = {**chart, "helm": {"parameters": [{"name": "memory", "value": "64Mi"}]}}
    history = [sync(1, BEGAN - 50 * MINUTE, "1.4.0", chart), sync(2, BEGAN + MINUTE, "1.5.0", small, username="bob")]
    failed = {"phase": "Failed", "message": "one or more objects failed to apply"}
    failed |= {"startedAt": written(BEGAN + 5 * MINUTE), "finishedAt": written(BEGAN + 6 * MINUTE)}
    api.make(APPLICATIONS, application("cache", small, history, "cache-a", "cache-b", **failed))
    old = [sync(1, BEGAN - 5000 * MINUTE, first, source, username="ann")]
    api.make(APPLICATIONS, application("old", source, old, "old"))
