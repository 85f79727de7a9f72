"""Questions over HTTP: bounded in time, size and retries, and every failure one line that says who failed and how."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic, sleep
from typing import Literal

import orjson
import requests
from pydantic import JsonValue
from urllib3.exceptions import HTTPError, ProtocolError

from tools.evidence import Source, ToolError
from tools.live.access import Access, secrets_of
from tools.live.one_line import one_line
from tools.live.patience import within
from tools.redaction import masked_text

ATTEMPTS = 3
"""Tries of one question: a restart or a lost packet is over by the third, an outage is not."""
FIRST_WAIT_SECONDS = 0.3
"""Wait before the second try, doubled before the third; up to half of it is random, so that ten investigations of one
outage do not knock all at once (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/)."""
MAX_BYTES = 64 * 2**20
"""An answer larger than this would not fit beside the analysis into a small machine."""
CONNECT_SECONDS = 5.0
SLACK_SECONDS = 1.0
"""How much later than ours the time limit of a single read is, so that it is always the whole that is timed out."""
CHUNK = 2**16
SHOWN = 160
"""Characters of a server's own words in a message."""
LINE = 400
"""Characters of a message."""
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

    def deadline(self) -> float:
        """When a call has to be over that begins now and asks more than one question, in monotonic seconds."""
        return monotonic() + self._access.timeout_seconds

    def get_json(self, path: str, params: Params | None = None, deadline: float | None = None) -> JsonValue:
        """The JSON that the path answers with. Raises ToolError."""
        return self._json(self.ask("GET", path, params=params, deadline=deadline))

    def post_json(self, path: str, body: JsonValue, deadline: float | None = None) -> JsonValue:
        """The JSON answered to a posted question; only for questions, because it may be asked twice. Raises ToolError."""
        return self._json(self.ask("POST", path, body=body, deadline=deadline))

    def get_text(self, path: str, params: Params | None = None, deadline: float | None = None) -> str:
        """The text that the path answers with; what is no UTF-8 is replaced. Raises ToolError."""
        return self.ask("GET", path, params=params, deadline=deadline).body.decode(errors="replace")

    def ask(
        self,
        method: Literal["GET", "POST"],
        path: str,
        params: Params | None = None,
        body: JsonValue = None,
        deadline: float | None = None,
    ) -> Reply:
        """The answer with a status below 300, after as many tries as fit into the time. Raises ToolError.

        `deadline` is that of several questions (`self.deadline()`); without it, each has the whole time.
        """
        deadline = self.deadline() if deadline is None else deadline
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(method, path, params, body, deadline)
            except _Transient as trouble:
                wait = _wait_before(attempt, trouble.wait)
                if attempt == ATTEMPTS or monotonic() + wait >= deadline:
                    raise self.error(f"{trouble}{_tried(attempt, trouble.wait)}") from trouble
                sleep(wait)
        raise AssertionError("the last attempt raises")

    def error(self, why: str) -> ToolError:
        """A ToolError of one line that names this backend and none of its secrets."""
        return ToolError(
            self._source, f"{self._name} at {self._access.url} {one_line(self._without_secrets(why), LINE)}"
        )

    def _without_secrets(self, text: str) -> str:
        """A server may repeat what it was sent, as may the library that refuses to send it."""
        for secret in secrets_of(self._access):
            text = text.replace(secret, "[masked:value]")
        return masked_text(text)

    def _once(self, method: str, path: str, params: Params | None, body: JsonValue, deadline: float) -> Reply:
        """One try. It works in a thread, because a server that drips never breaks the time limit of a single read."""
        left = deadline - monotonic()
        begun: list[requests.Response] = []
        try:
            if left <= 0:
                raise TimeoutError
            return within(left, lambda: self._converse(method, path, params, body, left, begun))
        except TimeoutError as error:
            for response in begun:
                _hang_up(response)
            late = "was still sending after" if begun else "gave no answer within"
            raise self.error(f"{late} {self._access.timeout_seconds:g} s") from error

    def _converse(
        self,
        method: str,
        path: str,
        params: Params | None,
        body: JsonValue,
        left: float,
        begun: list[requests.Response],
    ) -> Reply:
        """Ask and listen; the response goes into `begun` when its head is there. Raises ToolError and _Transient."""
        data = None if body is None else orjson.dumps(body)
        try:
            with self.session.request(
                method,
                self._access.url + path,
                params=None if params is None else dict(params),
                data=data,
                headers=None if data is None else {"Content-Type": "application/json"},
                timeout=(min(CONNECT_SECONDS, left + SLACK_SECONDS), left + SLACK_SECONDS),
                stream=True,
                allow_redirects=False,
            ) as response:
                begun.append(response)
                return self._judged(response, self._read(response))
        except requests.RequestException as error:
            raise self._explained(error) from error
        except (HTTPError, OSError, ValueError) as error:  # what the library does not translate, as a lost ca_file
            raise self.error(f"cannot be asked: {_innermost(error)}") from error

    def _explained(self, error: requests.RequestException) -> ToolError | _Transient:
        reason = _innermost(error)
        if isinstance(error, requests.exceptions.SSLError):
            return self.error(f"{_distrust(reason)}: {reason}")
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return _Transient(f"cannot be reached within {CONNECT_SECONDS:g} s")
        if isinstance(error, ValueError):  # an address or a header that cannot be sent: the same the next time
            return self.error(f"cannot be asked: {reason}")
        if isinstance(error, requests.ConnectionError) and not isinstance(_cause(error), ProtocolError):
            return _Transient(f"cannot be reached: {reason}")
        return _Transient(f"broke off: {reason}")

    def _read(self, response: requests.Response) -> bytes:
        """The body, unpacked; cut off where it is too large."""
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(CHUNK):
            size += len(part)
            if size > MAX_BYTES:
                raise self.error(f"answered with more than {MAX_BYTES // 2**20} MB; ask for less at once")
            parts.append(part)
        return b"".join(parts)

    def _judged(self, response: requests.Response, body: bytes) -> Reply:
        status = response.status_code
        said = f"answered {status} {response.reason}".strip()
        if status in TRANSIENT:
            raise _Transient(f"{said}{_words(body)}", _retry_after(response))
        if status in (401, 403):
            raise self.error(f"answered {status}: the credentials are missing or may not read this{_words(body)}")
        if 300 <= status < 400:
            target = response.headers.get("Location", "nowhere")
            raise self.error(f"redirects to {target}; is that a login page? give the address of the API itself")
        if status >= 400:
            raise self.error(f"{said}{_words(body)}")
        return Reply(status, body, response.headers, _clock(response))

    def _json(self, reply: Reply) -> JsonValue:
        try:
            return orjson.loads(reply.body)
        except orjson.JSONDecodeError as error:
            raise self.error(f"answered with {_what_instead(reply.body, error)}") from error


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


def _tried(attempts: int, named: float | None) -> str:
    told = [f"{attempts} tries"] if attempts > 1 else []
    told += [f"it asks to wait {named:g} s"] if named else []
    return f" ({', '.join(told)})" if told else ""


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait, from seconds or from a date by the server's own clock (RFC 9110, 10.2.3)."""
    named = response.headers.get("Retry-After", "")
    if named.isdecimal():
        return float(named)
    moment = _http_date(named)
    return None if moment is None else max(0.0, (moment - (_clock(response) or datetime.now(UTC))).total_seconds())


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
    return f": {one_line(masked_text(text), SHOWN)}"


def _what_instead(body: bytes, error: orjson.JSONDecodeError) -> str:
    """What stands where JSON was due, and what to do about it."""
    start = body.lstrip()[:1]
    if not start:
        return "an empty page; is this the address of the API?"
    if start == b"<":
        return "a web page; is this the address of the API?"
    if start in b"[{":
        return f"JSON that is damaged after {error.pos} of {len(body)} bytes: {error.msg}"
    shown = _words(body) if start.isascii() and b"\0" not in body[:SHOWN] else ""
    return f"something that is no JSON{shown}; is this the address of the API?"


def _distrust(reason: str) -> str:
    """What to do about a failed TLS handshake, by OpenSSL's words for it."""
    if "ostname mismatch" in reason or "IP address mismatch" in reason or "doesn't match" in reason:
        return "has a certificate for another name; give the address that the certificate names"
    if "expired" in reason or "not yet valid" in reason:
        return "has a certificate out of its time; renew it, or set the clock of this machine"
    if "NO_CERTIFICATE_OR_CRL" in reason:
        return "cannot be judged: the ca_file holds no certificate (PEM)"
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return "cannot be trusted; name its authority's ca_file"
    return "speaks no TLS that we understand; is it http:// or another port?"


def _hang_up(response: requests.Response) -> None:
    """End the reading of a body in the thread that was left behind with it."""
    with suppress(AttributeError, OSError, RuntimeError, ValueError):  # over by itself, or a replayed response
        response.raw.shutdown()


def _innermost(error: BaseException) -> str:
    """The reason at the bottom of a chain of exceptions, which names no addresses of objects."""
    reason = _chain(error)[-1]
    return str(reason) or type(reason).__name__


def _cause(error: requests.RequestException) -> object:
    """What the library below raised."""
    return error.args[0] if error.args else None


def _chain(error: BaseException) -> list[BaseException]:
    found = [error]
    while (inner := found[-1].__cause__ or found[-1].__context__) is not None and inner not in found:
        found.append(inner)
    return found
