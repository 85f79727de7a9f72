"""A Kubernetes control plane without nodes: etcd from Debian, API server and controllers built from the released module.

Deployments get their ReplicaSets, rollouts and events as in any cluster; pods stay pending, for nothing schedules them.
"""

from __future__ import annotations

import json
import secrets
import ssl
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.live.servers.debian import install
from tests.live.servers.go_module import MODULES, build, go_program
from tests.live.servers.process import Server, answers, free_port, launch, new_folder, program

INSTALL = "apt-get install etcd-server (python -m tests.live.servers fetch kubernetes)"
CONTROLLERS = "deployment-controller,replicaset-controller,statefulset-controller,daemonset-controller"


@dataclass
class Kubernetes(Server):
    """`url` is https, checked against `ca_file`. `token` may do everything, `stranger` is known and may do nothing."""

    token: str = ""
    stranger: str = ""
    ca_file: Path = Path()
    kubeconfig: Path = Path()


def fetch_kubernetes() -> None:
    install("etcd-server", lambda: program("etcd", INSTALL))
    build("kubernetes", f"-X k8s.io/component-base/version.gitVersion={_version()}")


def _version() -> str:
    """A program built by hand does not know its version; it is the one that go.mod asks for."""
    words = (MODULES / "kubernetes" / "go.mod").read_text(encoding="utf-8").split()
    return words[words.index("k8s.io/kubernetes") + 1]


def start_kubernetes() -> Kubernetes:
    """An empty cluster with role-based access; some ten seconds. Raises NotFetched, NotStarted."""
    apiserver, controllers = (go_program("kubernetes", f"kube-{part}") for part in ("apiserver", "controller-manager"))
    etcd = _start_etcd()
    try:
        cluster = _start_api(apiserver, etcd)
    except BaseException:
        etcd.stop()
        raise
    try:
        cluster.beside.append(_start_controllers(controllers, cluster))
    except BaseException:
        cluster.stop()
        raise
    return cluster


def _start_etcd() -> Server:
    binary, folder = program("etcd", INSTALL), new_folder("etcd")
    clients, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    flags = {
        "data-dir": folder / "data",
        "listen-client-urls": clients,
        "advertise-client-urls": clients,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"default={peers}",
        "unsafe-no-fsync": "true",
    }
    command = [binary, *(f"--{flag}={value}" for flag, value in flags.items())]
    return launch(Server, "etcd", command, url=clients, folder=folder, ready=answers(f"{clients}/health"))


def _start_api(binary: Path, etcd: Server) -> Kubernetes:
    folder, port = new_folder("kubernetes"), free_port()
    token, stranger = secrets.token_hex(16), secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f'{token},admin,1,"system:masters"\n{stranger},stranger,2\n', encoding="utf-8")
    key = folder / "service-accounts.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    ca_file, url = folder / "certificates" / "apiserver.crt", f"https://127.0.0.1:{port}"
    flags = {
        "etcd-servers": etcd.url,
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "endpoint-reconciler-type": "none",  # no address of a loopback server may be advertised inside the cluster
        "secure-port": port,
        "cert-dir": ca_file.parent,  # a certificate for 127.0.0.1 is made there
        "token-auth-file": folder / "tokens.csv",
        "authorization-mode": "RBAC",
        "service-cluster-ip-range": "10.0.0.0/24",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": key,
        "service-account-signing-key-file": key,
        "disable-admission-plugins": "ServiceAccount",  # its controller does not run, and no pod could be made
        "event-ttl": "24h",
    }
    return launch(
        Kubernetes,
        "kubernetes",
        [binary, *(f"--{flag}={value}" for flag, value in flags.items())],
        url=url,
        folder=folder,
        ready=_serves(url, ca_file, token),
        beside=[etcd],
        token=token,
        stranger=stranger,
        ca_file=ca_file,
        kubeconfig=_kubeconfig(folder, url, ca_file, token),
    )


def _start_controllers(binary: Path, cluster: Kubernetes) -> Server:
    folder, port = new_folder("controllers"), free_port()
    flags = {
        **dict.fromkeys(("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"), cluster.kubeconfig),
        "leader-elect": "false",
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "cert-dir": folder / "certificates",
        "controllers": CONTROLLERS,
    }
    url, trusted = f"https://127.0.0.1:{port}", folder / "certificates" / "kube-controller-manager.crt"
    command = [binary, *(f"--{flag}={value}" for flag, value in flags.items())]
    ready = _serves(url, trusted, cluster.token, "/healthz")
    return launch(Server, "controllers", command, url=url, folder=folder, ready=ready)


def _kubeconfig(folder: Path, url: str, ca_file: Path, token: str) -> Path:
    """As JSON, which is YAML as well."""
    path = folder / "kubeconfig"
    cluster = {"server": url, "certificate-authority": str(ca_file)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "live", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "live", "context": {"cluster": "live", "user": "admin"}}],
        "current-context": "live",
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _serves(url: str, ca_file: Path, token: str, path: str = "/readyz") -> Callable[[], bool]:
    def check() -> bool:
        if not ca_file.exists():
            return False
        request = urllib.request.Request(f"{url}{path}", headers={"authorization": f"Bearer {token}"})
        try:
            trusted = ssl.create_default_context(cafile=str(ca_file))
            with urllib.request.urlopen(request, timeout=5, context=trusted) as response:
                return response.status == 200
        except OSError:  # also HTTPError: not ready yet
            return False

    return check
