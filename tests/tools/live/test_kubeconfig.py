"""The ways into a cluster that a kubeconfig and a pod know."""

from __future__ import annotations

import json
import stat
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tools.evidence import ToolError
from tools.live.kubernetes import KubernetesConfig, connection
from tools.live.kubernetes.connection import way_of


def written(folder: Path, user: dict[str, Any], **cluster: Any) -> Path:
    content = {
        "clusters": [{"name": "live", "cluster": {"server": "https://10.0.0.1:6443", **cluster}}],
        "users": [{"name": "ann", "user": user}],
        "contexts": [{"name": "live", "context": {"cluster": "live", "user": "ann"}}],
        "current-context": "live",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def program(folder: Path, script: str) -> str:
    path = folder / "credentials.sh"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def config(path: Path, **more: Any) -> KubernetesConfig:
    return KubernetesConfig(kubeconfig=path, **more)


def test_a_token_and_an_authority(tmp_path: Path) -> None:
    authority = b64encode(b"not looked at here").decode()
    path = written(tmp_path, {"token": "secret-token"}, **{"certificate-authority-data": authority})
    with way_of(config(path, timeout_seconds=7.0)) as way:
        assert way.access.url == "https://10.0.0.1:6443"
        assert way.access.timeout_seconds == 7.0
        assert way.access.ca_file is not None
        assert way.access.ca_file.read_bytes() == b"not looked at here"
        assert way.conversation().session.headers["Authorization"] == "Bearer secret-token"
        kept = way.access.ca_file
    assert not kept.exists()


def test_a_token_file_beside_the_kubeconfig_is_read_anew(tmp_path: Path) -> None:
    path = written(tmp_path, {"token": "old", "tokenFile": "token"})
    for token in ("first", "second"):
        (tmp_path / "token").write_text(f"{token}\n", encoding="utf-8")
        with way_of(config(path)) as way:
            assert way.conversation().session.headers["Authorization"] == f"Bearer {token}"


def test_a_client_certificate(tmp_path: Path) -> None:
    data = {f"client-{each}-data": b64encode(each.encode()).decode() for each in ("certificate", "key")}
    with way_of(config(written(tmp_path, data, **{"insecure-skip-tls-verify": True}))) as way:
        session = way.conversation().session
        assert isinstance(session.cert, tuple)
        assert [Path(file).read_text(encoding="utf-8") for file in session.cert] == ["certificate", "key"]
        assert Path(session.cert[1]).parent.stat().st_mode & 0o077 == 0
        assert session.verify is False


def test_a_program_prints_a_token(tmp_path: Path) -> None:
    script = 'echo "{\\"status\\": {\\"token\\": \\"$PREFIX-$1\\"}}"; echo "$KUBERNETES_EXEC_INFO" > info'
    asked = {"apiVersion": "client.authentication.k8s.io/v1", "command": program(tmp_path, f"cd {tmp_path}; {script}")}
    asked |= {"args": ["live"], "env": [{"name": "PREFIX", "value": "token-of"}]}
    with way_of(config(written(tmp_path, {"exec": asked}))) as way:
        assert way.conversation().session.headers["Authorization"] == "Bearer token-of-live"
    assert json.loads((tmp_path / "info").read_text(encoding="utf-8"))["kind"] == "ExecCredential"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo no login >&2; exit 3", r"ended with code 3: no login"),
        ("echo nonsense", r"printed no ExecCredential: Invalid JSON"),
        ("exec sleep 20", r"printed no credentials within 0.3 s"),
    ],
)
def test_a_program_that_fails(tmp_path: Path, script: str, said: str) -> None:
    asked = {"apiVersion": "client.authentication.k8s.io/v1", "command": program(tmp_path, script)}
    with pytest.raises(ToolError, match=said), way_of(config(written(tmp_path, {"exec": asked}), timeout_seconds=0.3)):
        pass


def test_a_program_that_is_missing(tmp_path: Path) -> None:
    asked = {"apiVersion": "v1", "command": "whydown-no-such-program", "installHint": "Install it."}
    with pytest.raises(ToolError, match=r"cannot be started.*Install it\."):
        way_of(config(written(tmp_path, {"exec": asked}))).__enter__()


@pytest.mark.parametrize(
    ("content", "context", "said"),
    [
        ("{", None, "is no YAML"),
        ("text", None, "is no mapping; is it a kubeconfig"),
        ("{}", None, "has no current-context; name a context"),
        (None, "life", "has no context 'life'; did you mean 'live'"),
    ],
)
def test_a_file_that_leads_nowhere(tmp_path: Path, content: str | None, context: str | None, said: str) -> None:
    path = written(tmp_path, {})
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ToolError, match=said):
        way_of(config(path, context=context)).__enter__()


@pytest.mark.parametrize(
    ("user", "cluster", "said"),
    [
        ({"token": "a", "username": "ann", "password": "b" * 9}, {}, "give either bearer_token or username"),
        ({"client-certificate-data": "?", "client-key-data": ""}, {}, "the data of client.crt are no base64"),
        ({"tokenFile": "gone"}, {}, "names a file that cannot be read"),
        ({}, {"server": "10.0.0.1"}, "url: .*an address like"),
        ({}, {"certificate-authority": "gone.crt"}, "ca_file: .*there is no such file"),
        ({}, {"server": 7}, "cluster 'live': server: "),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolError, match=said) as raised:
        way_of(config(written(tmp_path, user, **cluster))).__enter__()
    assert "b" * 9 not in raised.value.message


def test_a_pod_has_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "POD_FILES", tmp_path)
    inside = KubernetesConfig(in_cluster=True)
    with pytest.raises(ToolError, match=r"holds no token and ca\.crt; does whydown run in a pod"):
        way_of(inside).__enter__()
    (tmp_path / "token").write_text("of-the-pod\n", encoding="utf-8")
    (tmp_path / "ca.crt").write_text("", encoding="utf-8")
    with way_of(inside) as way:
        assert way.access.url == "https://kubernetes.default.svc"
        assert way.conversation().session.headers["Authorization"] == "Bearer of-the-pod"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "give one of url, kubeconfig and in_cluster"),
        ({"url": "https://a", "in_cluster": True}, "give one of url, kubeconfig and in_cluster"),
        ({"url": "https://a", "context": "live"}, "a context is part of a kubeconfig"),
        ({"in_cluster": True, "bearer_token": "abcd"}, "have credentials and authority of their own"),
    ],
)
def test_one_way_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        KubernetesConfig.model_validate(given)
