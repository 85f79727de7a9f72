"""Questions over HTTP: bounded in time, size and retries, and every failure one line that says who failed and how."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic, sleep
from typing import Literal

import orjson
import requests
from pydantic import JsonValue

from tools.evidence import Source, ToolError
from tools.live.access import Access
from tools.redaction import masked_text
from tools.words import clean_text

ATTEMPTS = 3
"""Tries of one question: a restart or a lost packet is over by the third, an outage is not."""
FIRST_WAIT_SECONDS = 0.3
"""Wait before the second try, doubled before the third; up to half of it is random, so that ten investigations of one
outage do not knock all at once (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/)."""
MAX_BYTES = 64 * 2**20
"""An answer larger than this would not fit beside the analysis into a small machine."""
CONNECT_SECONDS = 5.0
CHUNK = 2**16
SHOWN = 160
"""Characters of a server's own words in a message."""
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Status codes after which the same question may be asked again (RFC 9110, RFC 6585, RFC 8470)."""

Params = Mapping[str, str | int | float | Sequence[str]]


@dataclass(frozen=True)
class Reply:
    """A whole answer. `clock` is the server's own time, where it sent one."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    clock: datetime | None


class _Transient(Exception):
    """Worth another try, after `wait` seconds where the server named them."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Http:
    """Asks one backend. Redirects are not followed: they would carry the credentials to whoever they name."""

    def __init__(self, access: Access, source: Source, name: str, headers: Mapping[str, str] | None = None) -> None:
        self._access = access
        self._source = source
        self._name = name
        self.session = _session(access, headers or {})

    def get_json(self, path: str, params: Params | None = None) -> JsonValue:
        """The JSON that the path answers with. Raises ToolError."""
        return self._json(self.ask("GET", path, params=params))

    def post_json(self, path: str, body: JsonValue) -> JsonValue:
        """The JSON answered to a posted question; only for questions, because it may be asked twice. Raises ToolError."""
        return self._json(self.ask("POST", path, body=body))

    def get_text(self, path: str, params: Params | None = None) -> str:
        """The text that the path answers with; what is no UTF-8 is replaced. Raises ToolError."""
        return self.ask("GET", path, params=params).body.decode(errors="replace")

    def ask(
        self,
        method: Literal["GET", "POST"],
        path: str,
        params: Params | None = None,
        body: JsonValue = None,
    ) -> Reply:
        """The answer with a status below 300, after as many tries as fit into the time. Raises ToolError."""
        deadline = monotonic() + self._access.timeout_seconds
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(method, path, params, body, deadline)
            except _Transient as trouble:
                wait = _wait_before(attempt, trouble.wait)
                if attempt == ATTEMPTS or monotonic() + wait >= deadline:
                    tries = f" ({attempt} tries)" if attempt > 1 else ""
                    raise self.error(f"{trouble}{tries}") from trouble
                sleep(wait)
        raise AssertionError("the last attempt raises")

    def error(self, why: str) -> ToolError:
        """A ToolError that names this backend."""
        return ToolError(self._source, f"{self._name} at {self._access.url} {clean_text(masked_text(why), 400)}")

    def _once(self, method: str, path: str, params: Params | None, body: JsonValue, deadline: float) -> Reply:
        left = deadline - monotonic()
        if left <= 0:
            raise self.error(f"gave no answer within {self._access.timeout_seconds:g} s")
        data = None if body is None else orjson.dumps(body)
        try:
            with self.session.request(
                method,
                self._access.url + path,
                params=None if params is None else dict(params),
                data=data,
                headers=None if data is None else {"Content-Type": "application/json"},
                timeout=(min(CONNECT_SECONDS, left), left),
                stream=True,
                allow_redirects=False,
            ) as response:
                return self._judged(response, self._read(response, deadline))
        except requests.exceptions.SSLError as error:
            raise self.error(f"cannot be trusted: {_innermost(error)}; name its authority's ca_file") from error
        except requests.exceptions.ConnectTimeout as error:
            raise _Transient(f"cannot be reached within {min(CONNECT_SECONDS, left):g} s") from error
        except requests.exceptions.Timeout as error:
            raise self.error(f"gave no answer within {self._access.timeout_seconds:g} s") from error
        except requests.exceptions.ConnectionError as error:
            raise _Transient(f"cannot be reached: {_innermost(error)}") from error
        except requests.exceptions.RequestException as error:
            raise _Transient(f"broke off: {_innermost(error)}") from error

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        """The body, unpacked; cut off where it is too large or drips past the deadline."""
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(CHUNK):
            size += len(part)
            if size > MAX_BYTES:
                raise self.error(f"answered with more than {MAX_BYTES // 2**20} MB; ask for less at once")
            if monotonic() > deadline:
                raise self.error(f"was still sending after {self._access.timeout_seconds:g} s")
            parts.append(part)
        return b"".join(parts)

    def _judged(self, response: requests.Response, body: bytes) -> Reply:
        status = response.status_code
        if status in TRANSIENT:
            raise _Transient(f"answered {status} {response.reason}{_words(body)}", _retry_after(response))
        if status in (401, 403):
            raise self.error(f"answered {status}: the credentials are missing or may not read this{_words(body)}")
        if 300 <= status < 400:
            target = response.headers.get("Location", "nowhere")
            raise self.error(f"redirects to {target}; is that a login page? give the address of the API itself")
        if status >= 400:
            raise self.error(f"answered {status} {response.reason}{_words(body)}")
        return Reply(status, body, response.headers, _clock(response))

    def _json(self, reply: Reply) -> JsonValue:
        try:
            return orjson.loads(reply.body)
        except orjson.JSONDecodeError as error:
            what = "a web page" if reply.body.lstrip()[:1] == b"<" else "something that is no JSON"
            raise self.error(f"answered with {what}{_words(reply.body)}; is this the address of the API?") from error


def _session(access: Access, headers: Mapping[str, str]) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a .netrc or proxy variable of this machine would change who is asked, and as whom
    session.headers.update({"User-Agent": "whydown", "Accept": "application/json", **headers})
    session.headers.update({name: value.get_secret_value() for name, value in access.headers.items()})
    if access.ca_file is not None:
        session.verify = str(access.ca_file)
    if access.bearer_token is not None:
        session.headers["Authorization"] = f"Bearer {access.bearer_token.get_secret_value()}"
    if access.username is not None and access.password is not None:
        session.auth = (_as_sent(access.username), _as_sent(access.password.get_secret_value()))
    if access.proxy is not None:
        session.proxies = {"http": access.proxy, "https": access.proxy}
    return session


def _as_sent(text: str) -> str:
    """UTF-8 (RFC 7617), through a library that writes Latin-1."""
    return text.encode().decode("latin-1")


def _wait_before(attempt: int, named: float | None) -> float:
    usual = FIRST_WAIT_SECONDS * 2 ** (attempt - 1)
    return max(named or 0.0, usual * (0.5 + random.random() / 2))


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait, from seconds or a date (RFC 9110, 10.2.3)."""
    named = response.headers.get("Retry-After", "")
    if named.isdecimal():
        return float(named)
    moment = _http_date(named)
    return None if moment is None else max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _clock(response: requests.Response) -> datetime | None:
    return _http_date(response.headers.get("Date", ""))


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else None


def _words(body: bytes) -> str:
    """The beginning of what a server said, for a message; a page of HTML says nothing."""
    text = body[: 4 * SHOWN].decode(errors="replace").strip()
    if not text or text.startswith("<"):
        return ""
    return f": {clean_text(masked_text(text), SHOWN)}"


def _innermost(error: BaseException) -> str:
    """The reason at the bottom of a chain of exceptions, which names no addresses of objects."""
    reason: BaseException = error
    while (inner := reason.__cause__ or reason.__context__) is not None:
        reason = inner
    return str(reason) or type(reason).__name__
