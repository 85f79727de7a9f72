"""What needs no socket; faults at a real one are in tests/live/test_http_faults.py."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from tools.evidence import Source, ToolError
from tools.live import http
from tools.live.access import Access
from tools.live.http import ATTEMPTS, Http

Scripted = tuple[int, bytes, Mapping[str, str]] | Exception


@dataclass
class Script(BaseAdapter):
    """Answers with what was written down, the last entry for ever, and keeps what it was asked."""

    entries: list[Scripted]
    asked: list[requests.PreparedRequest] = field(default_factory=list)
    settings: list[dict[str, Any]] = field(default_factory=list)

    def send(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:  # type: ignore[override]
        self.asked.append(request)
        self.settings.append(settings)
        entry = self.entries.pop(0) if len(self.entries) > 1 else self.entries[0]
        if isinstance(entry, Exception):
            raise entry
        status, body, headers = entry
        response = requests.Response()
        response.status_code, response.reason, response.request = status, "", request
        response.headers.update(headers)
        response.raw = HTTPResponse(io.BytesIO(body), headers=headers, status=status, preload_content=False)
        response.url = request.url or ""
        return response

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(http, "sleep", slept.append)
    return slept


def scripted(*entries: Scripted, ours: Mapping[str, str] | None = None, **access: object) -> tuple[Http, Script]:
    script = Script(list(entries))
    asking = Http(Access.model_validate({"url": "http://logs.example/es"} | access), Source.LOGS, "logs", ours)
    asking.session.mount("http://", script)
    return asking, script


def ok(body: bytes = b"[]", **headers: str) -> Scripted:
    return 200, body, {name.replace("_", "-"): value for name, value in headers.items()}


def refusal(*entries: Scripted, **access: object) -> str:
    asking, _ = scripted(*entries, **access)
    with pytest.raises(ToolError) as refused:
        asking.get_json("/_search")
    assert refused.value.source is Source.LOGS
    return refused.value.message


def test_the_path_comes_behind_the_address_and_values_are_escaped() -> None:
    asking, script = scripted(ok())
    asking.get_json("/api/v1/series", {"match[]": ['{job="a&b"}', "up"], "start": 1.5})
    assert script.asked[0].url == (
        "http://logs.example/es/api/v1/series?match%5B%5D=%7Bjob%3D%22a%26b%22%7D&match%5B%5D=up&start=1.5"
    )


def test_a_posted_question_is_json() -> None:
    asking, script = scripted(ok(b'{"hits": 0}'))
    assert asking.post_json("/_search", {"query": {"term": {"service": 'a"b'}}}) == {"hits": 0}
    assert script.asked[0].body == b'{"query":{"term":{"service":"a\\"b"}}}'
    assert script.asked[0].headers["Content-Type"] == "application/json"


def test_text_that_is_no_utf8_is_replaced() -> None:
    asking, _ = scripted(ok(b"caf\xe9"))
    assert asking.get_text("/version") == "caf\ufffd"


def test_the_whole_reply() -> None:
    asking, _ = scripted(ok(b"x", Date="Mon, 02 Nov 2026 15:00:00 GMT", X_Total="3"))
    reply = asking.ask("GET", "/")
    assert (reply.status, reply.body, reply.headers["x-total"]) == (200, b"x", "3")
    assert reply.clock == datetime(2026, 11, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 02 Nov 2026 15:00:00 -0000", "Mon, 99 Nov 2026 15:00:00 GMT"])
def test_a_clock_that_cannot_be_read_is_none(date: str) -> None:
    asking, _ = scripted(ok(Date=date))
    assert asking.ask("GET", "/").clock is None


def test_who_asks_is_told_in_the_headers() -> None:
    asking, script = scripted(
        ok(), ours={"Accept": "text/csv"}, bearer_token="t0ken", headers={"X-Scope-OrgID": SecretStr("t")}
    )
    asking.get_json("/")
    sent = script.asked[0].headers
    assert (sent["Authorization"], sent["X-Scope-OrgID"]) == ("Bearer t0ken", "t")
    assert (sent["User-Agent"], sent["Accept"]) == ("whydown", "text/csv")


def test_user_and_password_are_utf8() -> None:
    asking, script = scripted(ok(), username="zoë", password="pässwort")
    asking.get_json("/")
    kind, packed = str(script.asked[0].headers["Authorization"]).split()
    assert (kind, base64.b64decode(packed).decode()) == ("Basic", "zoë:pässwort")


def test_the_environment_does_not_say_who_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://elsewhere.example:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    asking, script = scripted(ok())
    asking.get_json("/")
    assert not script.settings[0]["proxies"]
    assert script.settings[0]["verify"] is True


def test_a_proxy_that_is_named_is_used() -> None:
    asking, script = scripted(ok(), proxy="http://proxy.example:3128")
    asking.get_json("/")
    assert script.settings[0]["proxies"]["http"] == "http://proxy.example:3128"


def test_waits_grow_and_are_not_the_same_for_everybody(waits: list[float]) -> None:
    asking, script = scripted((503, b"", {}))
    for _ in range(20):
        with pytest.raises(ToolError, match=r"answered 503 \(3 tries\)"):
            asking.get_json("/")
    assert len(script.asked) == 20 * ATTEMPTS
    first, second = waits[::2], waits[1::2]
    assert all(0.15 <= wait <= 0.3 for wait in first)
    assert all(0.3 <= wait <= 0.6 for wait in second)
    assert len(set(first)) > 10


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "2"}, 2.0),
        ({"Retry-After": "Mon, 02 Nov 2026 15:00:05 GMT", "Date": "Mon, 02 Nov 2026 15:00:00 GMT"}, 5.0),
        ({"Retry-After": "Mon, 02 Nov 2026 14:00:00 GMT", "Date": "Mon, 02 Nov 2026 15:00:00 GMT"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "soon"}, None),
    ],
)
def test_the_wait_that_a_server_names(headers: Mapping[str, str], waited: float | None, waits: list[float]) -> None:
    asking, _ = scripted((429, b"", headers), ok(b"[1]"))
    assert asking.get_json("/") == [1]
    assert waits[0] == waited if waited is not None else waits[0] <= 0.3


@pytest.mark.parametrize("named", ["86400", "9" * 400])
def test_a_wait_longer_than_the_time_left_is_not_begun(named: str, waits: list[float]) -> None:
    line = refusal((429, b"", {"Retry-After": named}))
    assert "it asks to wait" in line
    assert waits == []


def test_a_web_page_says_nothing_in_a_message() -> None:
    assert refusal((404, b"<html><body>" + b"x" * 9999, {})) == "logs at http://logs.example/es answered 404"


def test_a_server_s_words_are_short_and_masked() -> None:
    line = refusal((400, b'{"error": "bad query", "token": "s3cr3t-t0ken-9"} ' + b"y" * 5000, {}))
    assert "bad query" in line
    assert "s3cr3t-t0ken-9" not in line
    assert len(line) < 400


@pytest.mark.parametrize(
    ("error", "words", "tries"),
    [
        (requests.ConnectTimeout(), "cannot be reached within 5 s (3 tries)", 3),
        (requests.ConnectionError(ProtocolError("Connection aborted.")), "broke off: Connection aborted. (3 tries)", 3),
        (requests.exceptions.ChunkedEncodingError("cut"), "broke off: cut (3 tries)", 3),
        (requests.exceptions.InvalidURL("no host"), "cannot be asked: no host", 1),
        (OSError("Could not find a suitable TLS CA certificate bundle"), "cannot be asked: Could not find", 1),
    ],
)
def test_what_the_library_raises(error: Exception, words: str, tries: int) -> None:
    asking, script = scripted(error)
    with pytest.raises(ToolError) as refused:
        asking.get_json("/")
    assert words in refused.value.message
    assert len(script.asked) == tries


def test_our_own_secrets_are_taken_out_of_every_message() -> None:
    line = refusal(requests.exceptions.InvalidHeader("value: 'quietharbour'"), bearer_token="quietharbour")
    assert line.endswith("cannot be asked: value: '[masked:value]'")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty page"),
        (b"  \n<!DOCTYPE html>", "a web page"),
        (b'{"a": 1', "JSON that is damaged after 7 of 7 bytes"),
        (b"Prometheus is starting", "something that is no JSON: Prometheus is starting; is this"),
        (b"[" * 5000, "JSON that is damaged"),
        (b'{"a": NaN}', "JSON that is damaged after 6 of 10 bytes"),
    ],
)
def test_what_is_no_json(body: bytes, words: str) -> None:
    assert words in refusal(ok(body))


def test_several_questions_share_one_deadline() -> None:
    asking, script = scripted(ok())
    deadline = asking.deadline()
    asking.get_json("/", deadline=deadline)
    with pytest.raises(ToolError, match="gave no answer within 20 s"):
        asking.get_json("/", deadline=deadline - 20)
    assert len(script.asked) == 1
