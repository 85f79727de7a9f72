"""The way to the API server: its address and who asks, as written down or as a kubeconfig and a pod have it.

The official client (package `kubernetes`) is asked for addresses and credentials only, with their certificates, exec
plug-ins and tokens that change. Its typed calls are not used: 126 MB of generated classes that take 1.8 s to import
and 77 MB of memory for what is a dozen lists, where `Http` is bounded in time, size and retries.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import requests
from pydantic import ValidationError
from requests.auth import AuthBase

from tools.evidence import Source, ToolError
from tools.live.access import Access
from tools.live.http import Http
from tools.live.kubernetes.config import KubernetesConfig
from tools.live.one_line import one_line

NAME = "Kubernetes"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Asks for a list without specs and data (https://kubernetes.io/docs/reference/using-api/api-concepts/). There is no
second choice behind it: a server that cannot leave out the data of secrets is not to send them."""


class _Configuration(Protocol):
    """What is used of the official client's Configuration."""

    host: str
    ssl_ca_cert: str | None
    cert_file: str | None
    key_file: str | None
    verify_ssl: bool

    def get_api_key_with_prefix(self, identifier: str, alias: str | None = None) -> str | None: ...


def access_of(config: KubernetesConfig) -> tuple[Access, Callable[[requests.Session], None]]:
    """Where to ask, and how a session is told who asks. Raises ToolError when it cannot be found out."""
    if config.url:
        return config, lambda session: None
    found = _configuration(config)
    try:
        access = Access(
            url=found.host.rstrip("/"),
            ca_file=Path(found.ssl_ca_cert) if found.ssl_ca_cert else None,
            proxy=config.proxy,
            headers=config.headers,
            timeout_seconds=config.timeout_seconds,
        )
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise ToolError(Source.CHANGES, f"{_place(config)}: {first['loc'][-1]}: {first['msg']}") from error

    def introduce(session: requests.Session) -> None:
        if found.cert_file:
            session.cert = (found.cert_file, found.key_file) if found.key_file else found.cert_file
        if not found.verify_ssl:
            session.verify = False
        session.auth = _Token(found)

    return access, introduce


def conversation(access: Access, introduce: Callable[[requests.Session], None], accept: str | None = None) -> Http:
    http = Http(access, Source.CHANGES, NAME, {"Accept": accept} if accept else None)
    introduce(http.session)
    return http


class _Token(AuthBase):
    """The token of the moment: those of pods and of exec plug-ins are short-lived and read anew."""

    def __init__(self, configuration: _Configuration) -> None:
        self._configuration = configuration

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        token = self._configuration.get_api_key_with_prefix("BearerToken", "authorization")
        if token:
            request.headers["Authorization"] = token
        return request


def _configuration(config: KubernetesConfig) -> _Configuration:
    """The official client's own reading of a kubeconfig or of a pod's service account."""
    try:
        loading: Any = import_module("kubernetes.config")
        configuration: _Configuration = import_module("kubernetes.client.configuration").Configuration()
    except ModuleNotFoundError as error:
        raise ToolError(
            Source.CHANGES, f"{_place(config)}: the package kubernetes is missing: pip install whydown[kubernetes]"
        ) from error
    try:
        if config.kubeconfig is None:
            loading.load_incluster_config(client_configuration=configuration)
        else:
            loading.load_kube_config(
                config_file=str(config.kubeconfig),
                context=config.context,
                client_configuration=configuration,
                persist_config=False,
            )
    except (loading.ConfigException, OSError, ValueError, TypeError) as error:
        raise ToolError(Source.CHANGES, f"{_place(config)}: {one_line(str(error), 300)}") from error
    return configuration


def _place(config: KubernetesConfig) -> str:
    return f"Kubernetes by kubeconfig {config.kubeconfig}" if config.kubeconfig else "Kubernetes in this cluster"
