"""Argo CD's API server and repository server, built from the released module, on a Kubernetes and a Redis of their own.

Its controller does not run: nothing is synced. Applications with their history are written through the Kubernetes API.
"""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64decode
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import requests
import yaml

from tests.live.servers.go_module import MODULES, build, go_program
from tests.live.servers.kubernetes import Kubernetes, fetch_kubernetes, start_kubernetes
from tests.live.servers.kubernetes_api import KubernetesApi
from tests.live.servers.process import NotFetched, Server, answers, free_port, launch, listens, new_folder
from tests.live.servers.redis import fetch_redis, start_redis

MODULE = "github.com/argoproj/argo-cd/v3"
NAMESPACE = "argocd"
SETTINGS = {"app.kubernetes.io/part-of": "argocd"}
ACCOUNT = "whydown"


@dataclass
class ArgoCD(Server):
    """`token` is that of the account `whydown`, which may read everything; `kubernetes` holds the applications."""

    token: str = ""
    kubernetes: Kubernetes = field(default=None, repr=False)  # type: ignore[assignment]


def fetch_argocd() -> None:
    fetch_kubernetes()
    fetch_redis()
    build("argocd", f"-X {MODULE}/common.version={_version()}")
    definitions = go_program("argocd", "crds")
    if not definitions.exists():
        asked = ["go", "list", "-m", "-f", "{{.Dir}}", MODULE]
        told = subprocess.run(
            asked, cwd=MODULES / "argocd", capture_output=True, text=True, timeout=300, check=False
        ).stdout
        if not told.strip():
            raise NotFetched(f"{' '.join(asked)} knows no folder")
        shutil.copytree(Path(told.strip()) / "manifests" / "crds", definitions)


def _version() -> str:
    words = (MODULES / "argocd" / "go.mod").read_text(encoding="utf-8").split()
    return words[words.index(MODULE) + 1].removeprefix("v")


def start_argocd() -> ArgoCD:
    """An Argo CD without applications; some fifteen seconds. Raises NotFetched, NotStarted."""
    binary, definitions = go_program("argocd", "cmd"), go_program("argocd", "crds")
    with ExitStack() as begun:
        redis = begun.enter_context(start_redis())
        cluster = begun.enter_context(start_kubernetes())
        _prepare(cluster, definitions)
        repositories = begun.enter_context(_start_repositories(binary, redis))
        server = _start(binary, cluster, redis, repositories)
        begun.pop_all()  # from here they end with the server
    return server


def _prepare(cluster: Kubernetes, definitions: Path) -> None:
    """What an installation's manifests put into a cluster."""
    api = KubernetesApi(cluster.url, cluster.token, cluster.ca_file)
    for file in sorted(definitions.glob("*-crd.yaml")):
        definition = yaml.safe_load(file.read_text(encoding="utf-8"))
        api.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        plural = definition["spec"]["names"]["plural"]
        api.served(f"/apis/argoproj.io/v1alpha1/{plural}")
    api.make("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    settings = {"argocd-cm": {f"accounts.{ACCOUNT}": "apiKey"}, "argocd-rbac-cm": {"policy.default": "role:readonly"}}
    for name, data in settings.items():
        body = {"metadata": {"name": name, "labels": SETTINGS}, "data": data}
        api.make(f"/api/v1/namespaces/{NAMESPACE}/configmaps", body)
    api.make(f"/api/v1/namespaces/{NAMESPACE}/secrets", {"metadata": {"name": "argocd-secret", "labels": SETTINGS}})


def _start_repositories(binary: Path, redis: Server) -> Server:
    folder, port = new_folder("argocd-repositories"), free_port()
    flags = {"redis": redis.url, "address": "127.0.0.1", "port": port, "disable-tls": "true", "client-ca-path": ""}
    flags |= {"metrics-address": "127.0.0.1", "metrics-port": free_port()}
    env = {"ARGOCD_BINARY_NAME": "argocd-repo-server", "ARGOCD_GPG_ENABLED": "false", "TMPDIR": str(folder)}
    command = [binary, *(f"--{flag}={value}" for flag, value in flags.items())]
    return launch(Server, "repositories", command, url=f"127.0.0.1:{port}", folder=folder, ready=listens(port), env=env)


def _start(binary: Path, cluster: Kubernetes, redis: Server, repositories: Server) -> ArgoCD:
    folder, port = new_folder("argocd"), free_port()
    flags = {
        "kubeconfig": cluster.kubeconfig,
        "namespace": NAMESPACE,
        "redis": redis.url,
        "repo-server": repositories.url,
        "repo-server-plaintext": "true",
        "insecure": "true",
        "address": "127.0.0.1",
        "port": port,
        "metrics-address": "127.0.0.1",
        "metrics-port": free_port(),
    }
    url = f"http://127.0.0.1:{port}"
    server = launch(
        ArgoCD,
        "argocd",
        [binary, *(f"--{flag}={value}" for flag, value in flags.items())],
        url=url,
        folder=folder,
        ready=answers(f"{url}/healthz"),
        env={"ARGOCD_BINARY_NAME": "argocd-server"},
        kubernetes=cluster,
        beside=[cluster, redis, repositories],
    )
    try:
        server.token = _token(url, cluster)
    except BaseException:
        server.stop()
        raise
    return server


def _token(url: str, cluster: Kubernetes) -> str:
    """That of the account, handed out by the administrator, whose first password Argo CD leaves in the cluster."""
    api = KubernetesApi(cluster.url, cluster.token, cluster.ca_file)
    secret = api.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/argocd-initial-admin-secret")
    password = b64decode(secret["data"]["password"]).decode()
    with requests.Session() as session:
        session.trust_env = False
        said = session.post(f"{url}/api/v1/session", json={"username": "admin", "password": password}, timeout=10)
        session.headers["Authorization"] = f"Bearer {said.json()['token']}"
        made = session.post(f"{url}/api/v1/account/{ACCOUNT}/token", json={}, timeout=10)
    assert made.ok, made.text
    return made.json()["token"]
