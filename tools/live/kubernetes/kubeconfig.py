"""Reads a kubeconfig: where a cluster is and how one introduces oneself there.

https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/. Read here and not by the official
client, which is 126 MB of generated classes that take 1.8 s to import, for one small file.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson
import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from tools.evidence import Source, ToolError
from tools.live.one_line import one_line
from tools.redaction import masked_text
from tools.words import did_you_mean

NOT_EXECUTABLE, NOT_FOUND = 126, 127
"""What env(1) ends with when it cannot start a program."""
SHOWN = 200
"""Characters of somebody else's words in a message."""


class _Part(BaseModel):
    """One mapping of the file; what is not used here is passed over."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"), frozen=True)


class Cluster(_Part):
    server: str
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    insecure_skip_tls_verify: bool = False
    proxy_url: str | None = None


class _Variable(BaseModel):
    name: str
    value: str


class Exec(BaseModel):
    """A program that prints credentials of the moment (client.authentication.k8s.io)."""

    apiVersion: str
    command: str
    args: tuple[str, ...] | None = None
    env: tuple[_Variable, ...] | None = None
    installHint: str = ""


class User(_Part):
    token: SecretStr | None = None
    tokenFile: str | None = Field(default=None, alias="tokenFile")
    username: str | None = None
    password: SecretStr | None = None
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: SecretStr | None = None
    exec: Exec | None = None


class _Context(_Part):
    cluster: str
    user: str = ""


P = TypeVar("P", bound=BaseModel)


def read_kubeconfig(path: Path, context: str | None) -> tuple[Cluster, User]:
    """The cluster and the user of a context, or of the current one. Raises ToolError with what is wrong."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise trouble(path, f"cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise trouble(path, f"is no YAML: {error}") from error
    if not isinstance(content, dict):
        raise trouble(path, "is no mapping; is it a kubeconfig?")
    name = context or str(content.get("current-context") or "")
    if not name:
        raise trouble(path, "has no current-context; name a context")
    chosen = _named(path, content, "context", name, _Context)
    cluster = _named(path, content, "cluster", chosen.cluster, Cluster)
    return cluster, _named(path, content, "user", chosen.user, User) if chosen.user else User()


def _named(path: Path, content: dict[str, Any], word: str, name: str, kind: type[P]) -> P:
    listed = content.get(f"{word}s")
    entries = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    found = [each.get(word) for each in entries if each.get("name") == name]
    if not found:
        raise trouble(path, f"has no {word} {name!r}{did_you_mean(name, [str(each.get('name')) for each in entries])}")
    try:
        return kind.model_validate(found[0])
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise trouble(path, f"{word} {name!r}: {where}: {first['msg']}") from error


class ExecStatus(BaseModel):
    """What such a program printed."""

    token: SecretStr | None = None
    clientCertificateData: str | None = None
    clientKeyData: SecretStr | None = None


class _ExecCredential(BaseModel):
    status: ExecStatus


def credentials_of(path: Path, program: Exec, seconds: float) -> ExecStatus:
    """Run the program as kubectl does: in the folder and environment of this process. Raises ToolError.

    Its own variables are added by env(1): what else is in the environment is its business and not ours.
    """
    asked = {"apiVersion": program.apiVersion, "kind": "ExecCredential", "spec": {"interactive": False}}
    variables = [f"{each.name}={each.value}" for each in program.env or ()]
    variables.append(f"KUBERNETES_EXEC_INFO={orjson.dumps(asked).decode()}")
    # A command with a slash is meant from the kubeconfig's folder, one without is looked for on the PATH.
    command = str(path.parent / program.command) if "/" in program.command else program.command
    try:
        ran = subprocess.run(
            ["env", *variables, command, *(program.args or ())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise trouble(path, f"{command} printed no credentials within {seconds:g} s") from error
    except (OSError, ValueError) as error:
        raise trouble(path, f"{command} cannot be started: {error}") from error
    if ran.returncode in (NOT_EXECUTABLE, NOT_FOUND):
        raise trouble(path, f"{command} cannot be started. {program.installHint}")
    if ran.returncode:
        raise trouble(path, f"{command} ended with code {ran.returncode}: {ran.stderr.decode(errors='replace')}")
    try:
        return _ExecCredential.model_validate_json(ran.stdout).status
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise trouble(path, f"{command} printed no ExecCredential: {_place(first['loc'])}{first['msg']}") from error


def _place(steps: Sequence[str | int]) -> str:
    return f"{'.'.join(str(step) for step in steps)}: " if steps else ""


def trouble(path: Path, why: str) -> ToolError:
    return ToolError(Source.CHANGES, f"kubeconfig {path} {one_line(masked_text(why), SHOWN)}")
