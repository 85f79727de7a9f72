"""Elasticsearch as its makers publish it for integration tests: the real node with few modules, no root module.

`GET /` and `GET /_data_stream` live in modules that this distribution leaves out (data streams themselves work);
search, aggregations, points in time, index templates and security are the product's own. ES|QL is left out too.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.live.servers.cache import fetched
from tests.live.servers.java import compile_plugin, copy_linked, fetch_distribution, fetch_runtime, jdk, reachable
from tests.live.servers.process import (
    ORDINARY_USER,
    NotStarted,
    Server,
    answers,
    as_user,
    free_port,
    give,
    launch,
    new_folder,
)

# The newest version of each line whose integration-test archive is published, with the oldest and newest Java it knows.
JAVA = {"8.19.21": (17, 25), "9.0.0": (21, 24)}
V8, V9 = JAVA
SECURITY_ANALYSIS = Path(__file__).parent / "security_analysis" / "SecurityAnalysis.java"
HEAP = "-Xms512m -Xmx512m"


@dataclass
class Elasticsearch(Server):
    """With security: basic auth as `username`, TLS checked against the file `ca_file`. Without: all three None."""

    version: str = V8
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None


def fetch_elasticsearch(version: str = V8) -> None:
    if version == V9:
        fetch_runtime()
    artifact = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"
    fetch_distribution(artifact, _entry(version), lambda home: _finish(home, version))


def _entry(version: str) -> str:
    return f"elasticsearch-{version}-{hashlib.sha256(SECURITY_ANALYSIS.read_bytes()).hexdigest()[:10]}"


def _finish(home: Path, version: str) -> None:
    """Add the text filters of the security index as one more module; ask for no module that a small Java lacks."""
    options = home / "config" / "jvm.options"
    kept = [line for line in options.read_text(encoding="utf-8").splitlines() if "jdk.incubator.vector" not in line]
    options.write_text("\n".join(kept) + "\n", encoding="utf-8")
    module = home / "modules" / "security-analysis"
    module.mkdir()
    libraries, release = home / "lib", JAVA[version][0]
    compile_plugin(SECURITY_ANALYSIS, module / "security-analysis.jar", libraries=libraries, release=release)
    descriptor = {
        "name": "security-analysis",
        "description": "Text filters of the security index",
        "version": version,
        "elasticsearch.version": version,
        "java.version": release,
        "classname": "whydown.SecurityAnalysis",
    }
    lines = "\n".join(f"{key}={value}" for key, value in descriptor.items())
    (module / "plugin-descriptor.properties").write_text(lines, encoding="utf-8")


def start_elasticsearch(*, version: str = V8, security: bool = False) -> Elasticsearch:
    """A single node with a heap of 512 MB and nothing in it; about six seconds, ten with security.

    With `security` it speaks https with a certificate of its own, wants a password and issues API keys.
    Raises NotFetched, NotStarted.
    """
    home, java = (
        fetched(_entry(version), server="elasticsearch9" if version == V9 else "elasticsearch"),
        jdk(*JAVA[version]),
    )
    folder = new_folder("elasticsearch")
    copy_linked(home, folder / "home")
    java = reachable(java, folder)
    port = free_port()
    settings = _settings(folder, port, security)
    env = {"ES_JAVA_HOME": str(java), "ES_JAVA_OPTS": HEAP, "ES_TMPDIR": str(folder / "tmp"), "HOME": str(folder)}
    (folder / "tmp").mkdir()
    certificate = _certificate(folder / "home" / "config") if security else None
    give(folder, ORDINARY_USER)
    password = secrets.token_urlsafe(12) if security else None
    if password:
        _set_password(folder / "home", password, env)
    url = f"{'https' if security else 'http'}://127.0.0.1:{port}"
    return launch(
        Elasticsearch,
        "elasticsearch",
        [folder / "home" / "bin" / "elasticsearch", *settings],
        url=url,
        folder=folder,
        ready=_knows(url, certificate, password) if certificate and password else answers(f"{url}/_cluster/health"),
        user=ORDINARY_USER,
        env=env,
        version=version,
        username="elastic" if security else None,
        password=password,
        ca_file=certificate,
    )


def _settings(folder: Path, port: int, security: bool) -> list[str]:
    settings = {
        "http.port": port,
        "transport.port": free_port(),
        "network.host": "127.0.0.1",
        "discovery.type": "single-node",
        "path.data": folder / "data",
        "path.logs": folder / "logs",
        # A development machine's disk is often nearly full, and then no shard would be placed.
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        "xpack.security.enabled": str(security).lower(),
    }
    if security:
        settings |= {
            "xpack.security.http.ssl.enabled": "true",
            "xpack.security.http.ssl.certificate": "node.crt",
            "xpack.security.http.ssl.key": "node.key",
        }
    return [part for key, value in settings.items() for part in ("-E", f"{key}={value}")]


def _certificate(config: Path) -> Path:
    """A self-signed certificate for loopback, which is its own authority."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", "node.key", "-out", "node.crt"]
    subprocess.run(command, cwd=config, check=True, capture_output=True)
    return config / "node.crt"


def _set_password(home: Path, password: str, env: dict[str, str]) -> None:
    keystore = home / "bin" / "elasticsearch-keystore"
    for arguments, typed in ((["create"], ""), (["add", "--stdin", "bootstrap.password"], password)):
        done = subprocess.run(
            [str(keystore), *arguments],
            input=typed,
            cwd=home,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            **as_user(ORDINARY_USER),  # type: ignore[call-overload]
        )
        if done.returncode:
            raise NotStarted(f"elasticsearch-keystore {arguments[0]}: {done.stderr.strip()[-500:]}")


def _knows(url: str, certificate: Path, password: str) -> Callable[[], bool]:
    """Ready with security: TLS is up, and the password is known, which takes it a moment longer."""
    context = ssl.create_default_context(cafile=str(certificate))
    word = base64.b64encode(f"elastic:{password}".encode()).decode()
    request = urllib.request.Request(f"{url}/_cluster/health", headers={"authorization": f"Basic {word}"})

    def check() -> bool:
        try:
            with urllib.request.urlopen(request, timeout=2, context=context) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as answer:
            answer.close()
            return False
        except OSError:
            return False

    return check
