"""The way to the API server: its address and who asks, as written down or as a kubeconfig and a pod have it.

It is found anew for every look at the cluster: tokens of pods and of programs live for minutes, and change on disk.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr, ValidationError

from tools.evidence import Source, ToolError
from tools.live.access import Access
from tools.live.http import Http
from tools.live.kubernetes.config import KubernetesConfig
from tools.live.kubernetes.kubeconfig import User, credentials_of, read_kubeconfig, trouble

NAME = "Kubernetes"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Asks for a list without specs and data (https://kubernetes.io/docs/reference/using-api/api-concepts/). There is no
second choice behind it: a server that cannot leave out the data of secrets is not to send them."""
POD_URL = "https://kubernetes.default.svc"
"""The name under which every cluster's own API server is known inside of it, and which its certificate holds."""
POD_FILES = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class Way:
    """Where to ask and as whom."""

    access: Access
    certificate: tuple[str, str] | None = None
    """Files of the client's certificate and of its key."""
    trusting: bool = False
    """The server's certificate is not checked, because a kubeconfig says so."""

    def conversation(self, accept: str | None = None) -> Http:
        http = Http(self.access, Source.CHANGES, NAME, {"Accept": accept} if accept else None)
        http.session.cert = self.certificate
        if self.trusting:
            http.session.verify = False
        return http


@contextmanager
def way_of(config: KubernetesConfig) -> Generator[Way]:
    """The way, as long as it is held: certificates of a kubeconfig lie in a temporary folder meanwhile.

    Raises ToolError when it cannot be found out.
    """
    if config.kubeconfig is None:
        yield _from_pod(config) if config.in_cluster else Way(config)
        return
    with TemporaryDirectory(prefix="whydown-") as folder:
        yield _by_kubeconfig(config, config.kubeconfig, Path(folder))


def _from_pod(config: KubernetesConfig) -> Way:
    try:
        token = (POD_FILES / "token").read_text(encoding="utf-8").strip()
        access = Access(
            url=POD_URL,
            bearer_token=SecretStr(token),
            ca_file=POD_FILES / "ca.crt",
            timeout_seconds=config.timeout_seconds,
        )
    except (OSError, ValidationError) as error:
        why = f"{NAME} in_cluster: {POD_FILES} holds no token and ca.crt; does whydown run in a pod with a service account?"
        raise ToolError(Source.CHANGES, why) from error
    return Way(access)


def _by_kubeconfig(config: KubernetesConfig, path: Path, folder: Path) -> Way:
    cluster, user = read_kubeconfig(path, config.context)
    files = _Files(path, folder)
    user = _with_credentials(path, user, config.timeout_seconds)
    try:
        access = Access(
            url=cluster.server,
            bearer_token=_token(files, user),
            username=user.username,
            password=user.password,
            headers=config.headers,
            ca_file=files.named("ca", cluster.certificate_authority_data, cluster.certificate_authority),
            proxy=config.proxy or cluster.proxy_url,
            timeout_seconds=config.timeout_seconds,
        )
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise trouble(path, f"{where + ': ' if where else ''}{first['msg']}") from error
    return Way(access, _certificate(files, user), cluster.insecure_skip_tls_verify)


def _with_credentials(path: Path, user: User, seconds: float) -> User:
    """The user as the program that the kubeconfig names introduces it."""
    if user.exec is None:
        return user
    found = credentials_of(path, user.exec, seconds)
    told = {"token": found.token, "client_certificate_data": found.clientCertificateData}
    return user.model_copy(update={**told, "client_key_data": found.clientKeyData})


def _token(files: _Files, user: User) -> SecretStr | None:
    """As client-go has it, the file wins: it is renewed."""
    return user.token if user.tokenFile is None else SecretStr(files.text(user.tokenFile).strip())


def _certificate(files: _Files, user: User) -> tuple[str, str] | None:
    key_data = None if user.client_key_data is None else user.client_key_data.get_secret_value()
    certificate = files.named("client.crt", user.client_certificate_data, user.client_certificate)
    key = files.named("client.key", key_data, user.client_key)
    return None if certificate is None or key is None else (str(certificate), str(key))


class _Files:
    """Files that a kubeconfig names, or whose content it holds; `folder` is one that only this user can read."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        self._kubeconfig = kubeconfig
        self._folder = folder

    def named(self, name: str, data: str | None, file: str | None) -> Path | None:
        if data is None:
            return None if file is None else self._kubeconfig.parent / file
        try:
            content = b64decode(data, validate=True)
        except NotBase64 as error:
            raise trouble(self._kubeconfig, f"the data of {name} are no base64") from error
        (self._folder / name).write_bytes(content)
        return self._folder / name

    def text(self, file: str) -> str:
        try:
            return (self._kubeconfig.parent / file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise trouble(self._kubeconfig, f"names a file that cannot be read: {error}") from error
