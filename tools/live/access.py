"""Where a backend answers, and how it is told who asks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from tools.evidence import Frozen

SHORTEST_SECRET = 4
"""A shorter one stands in every other word, and taking it out of a text would leave nothing of the text."""
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")


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
        if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable() or " " in url:
            raise ValueError("an address like https://metrics.example.net is needed")
        if parts.username is not None or parts.password is not None:
            raise ValueError("name user and password beside the address (username, password), not in it")
        if parts.query or parts.fragment:
            raise ValueError("the address ends before its ? or #")
        _ = parts.port  # raises ValueError for one that is none
        return url.rstrip("/")

    @field_validator("proxy")
    @classmethod
    def _plain_proxy(cls, proxy: str | None) -> str | None:
        if proxy is not None and (urlsplit(proxy).scheme not in ("http", "https") or not urlsplit(proxy).hostname):
            raise ValueError("an address like http://proxy.example.net:3128 is needed")
        return proxy

    @field_validator("bearer_token")
    @classmethod
    def _sendable_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not _HEADER_VALUE.fullmatch(token.get_secret_value()):
            raise ValueError("it is empty, or holds a line break, a blank at an end or a letter outside of ASCII")
        return token

    @field_validator("headers")
    @classmethod
    def _sendable_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a header")
            if not _HEADER_VALUE.fullmatch(value.get_secret_value()):
                raise ValueError(
                    f"{name} is empty, or holds a line break, a blank at an end or a letter outside of ASCII"
                )
        return headers

    @field_validator("username")
    @classmethod
    def _sendable_user(cls, username: str | None) -> str | None:
        if username is not None and ":" in username:
            raise ValueError("a user name holds no colon (RFC 7617)")
        return username

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


def secrets_of(access: Access) -> list[str]:
    """Every secret of it that is long enough to be looked for in a text, the longest first."""
    held = [access.bearer_token, access.password, *access.headers.values()]
    proxy = None if access.proxy is None else urlsplit(access.proxy).password
    texts = [secret.get_secret_value() for secret in held if secret is not None] + ([proxy] if proxy else [])
    return sorted((text for text in texts if len(text) >= SHORTEST_SECRET), key=len, reverse=True)
