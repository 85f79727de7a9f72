"""Where a backend answers, and how it is told who asks."""

from __future__ import annotations

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from tools.evidence import Frozen


class Access(Frozen):
    """Address and credentials of one backend. Secrets never show in a message, a log or a dump."""

    url: str
    """`https://metrics.example.net` or with a path in front of the API; no user name or password in it."""
    bearer_token: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    """Further headers, such as a tenant (`X-Scope-OrgID`)."""
    ca_file: Path | None = None
    """Certificates (PEM) of the authority that signed the backend's; the system's authorities without it."""
    proxy: str | None = None
    """Address of the HTTP proxy that leads there; variables such as HTTPS_PROXY are not read."""
    timeout_seconds: float = Field(default=20.0, gt=0, le=300)
    """How long one question may take, all its retries included."""

    @field_validator("url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address like https://metrics.example.net is needed")
        if parts.username is not None or parts.password is not None:
            raise ValueError("name user and password beside the address (username, password), not in it")
        if parts.query or parts.fragment:
            raise ValueError("the address ends before its ? or #")
        return url.rstrip("/")

    @field_validator("ca_file")
    @classmethod
    def _readable(cls, file: Path | None) -> Path | None:
        if file is not None and not file.is_file():
            raise ValueError("there is no such file")
        return file

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        if self.bearer_token is not None and self.username is not None:
            raise ValueError("give either bearer_token or username and password")
        return self
