"""Whatever a server does, a question ends within its time, with an answer or with one clear line."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import enumerate as threads
from time import monotonic, sleep

import pytest
from pydantic import SecretStr

from tests.live.certificates import Authority, make_authority
from tests.live.faulty import Conversation, Faulty, Line, answer, faulty, head
from tools.evidence import Source, ToolError
from tools.live import http
from tools.live.access import Access
from tools.live.http import Http

pytestmark = [pytest.mark.live, pytest.mark.block_network(allowed_hosts=[r"127\.0\.0\.1"])]

PATIENCE = 2.0
"""Seconds that each question may take here."""
LATE = 1.0
"""Seconds by which a question may be late."""


def asking(url: str, seconds: float = PATIENCE, **access: object) -> Http:
    chosen = Access.model_validate({"url": url, "timeout_seconds": seconds} | access)
    return Http(chosen, Source.METRICS, "metrics")


def refusal(ask: Callable[[], object], seconds: float = PATIENCE) -> str:
    """The one line with which the question ends, in time."""
    begun = monotonic()
    with pytest.raises(ToolError) as refused:
        ask()
    assert monotonic() - begun < seconds + LATE
    line = refused.value.message
    assert line.startswith("metrics at http")
    assert line.isprintable()
    assert len(line) < 700
    return line


def refused_by(conversations: Sequence[Conversation] | Conversation, **access: object) -> tuple[str, Faulty]:
    script = [conversations] if callable(conversations) else conversations
    with faulty(script) as server:
        return refusal(lambda: asking(server.url, **access).get_json("/api")), server


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    line = refusal(lambda: asking(f"http://127.0.0.1:{port}").get_json("/api"))
    assert line.endswith("cannot be reached: [Errno 111] Connection refused (3 tries)")


def test_it_accepts_and_says_nothing() -> None:
    line, server = refused_by(Line.dawdle)
    assert line.endswith("gave no answer within 2 s")
    assert len(server.requests) == 1


def test_it_never_accepts() -> None:
    """A full queue of connections: the kernel answers nobody, as a firewall that drops."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        sleep(0.1)
        line = refusal(lambda: asking(f"http://127.0.0.1:{full.getsockname()[1]}").get_json("/api"))
        for each in waiting:
            each.close()
    assert line.endswith("gave no answer within 2 s")


def test_it_hangs_in_the_middle_of_the_body() -> None:
    def stuck(line: Line) -> None:
        line.say(head(Content_Length="100"), b'{"half": ')
        line.dawdle()

    line, _ = refused_by(stuck)
    assert line.endswith("was still sending after 2 s")


def test_it_drips_the_body() -> None:
    def drips(line: Line) -> None:
        line.say(head(Content_Length="100"))
        line.drip(b" " * 100, every=0.1)

    line, _ = refused_by(drips)
    assert line.endswith("was still sending after 2 s")


def test_it_drips_a_chunked_body() -> None:
    def drips(line: Line) -> None:
        line.say(head(Transfer_Encoding="chunked"), b"fff\r\n")
        line.drip(b" " * 0xFFF, every=0.1)

    line, _ = refused_by(drips)
    assert line.endswith("was still sending after 2 s")


def test_it_drips_the_head() -> None:
    def drips(line: Line) -> None:
        line.say(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        line.drip(b"y" * 100, every=0.1)

    line, _ = refused_by(drips)
    assert line.endswith("gave no answer within 2 s")


def test_no_thread_stays_behind_with_a_body_that_drips() -> None:
    def drips(line: Line) -> None:
        line.say(head(Content_Length="1000"))
        line.drip(b" " * 1000, every=0.05)

    with faulty([drips]) as server:
        refusal(lambda: asking(server.url, seconds=0.5).get_json("/api"), 0.5)
        ended = monotonic() + 2
        while any(thread.name == "whydown-wait" for thread in threads()) and monotonic() < ended:
            sleep(0.02)
        assert not [thread for thread in threads() if thread.name == "whydown-wait"]


def test_429_with_a_short_wait_is_asked_again() -> None:
    with faulty([answer(b"slow down", "429 Too Many Requests", Retry_After="1"), answer(b'{"a": 1}')]) as server:
        begun = monotonic()
        assert asking(server.url, 5).get_json("/api") == {"a": 1}
        assert 1.0 <= monotonic() - begun < 2.5


def test_429_with_a_long_wait_is_given_up_at_once() -> None:
    begun = monotonic()
    line, server = refused_by(answer(b"quota used up", "429 Too Many Requests", Retry_After="120"))
    assert line.endswith("answered 429 Too Many Requests: quota used up (it asks to wait 120 s)")
    assert monotonic() - begun < 1
    assert len(server.requests) == 1


def test_500_and_then_an_answer() -> None:
    with faulty([answer(b"oops", "500 Internal Server Error"), answer(b"[1]")]) as server:
        assert asking(server.url).get_json("/api") == [1]
        assert len(server.requests) == 2


def test_503_three_times() -> None:
    line, server = refused_by(answer(b"shards\nare\tstarting", "503 Service Unavailable"))
    assert line.endswith("answered 503 Service Unavailable: shards are starting (3 tries)")
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "401 Unauthorized", "501 Not Implemented"])
def test_what_will_not_change_is_asked_once(status: str) -> None:
    line, server = refused_by(answer(b'{"error": "no"}', status))
    assert f"answered {status[:3]}" in line
    assert len(server.requests) == 1


def test_a_login_page_with_200() -> None:
    line, _ = refused_by(answer(b"<!doctype html><title>Sign in</title>", Content_Type="text/html"))
    assert line.endswith("answered with a web page; is this the address of the API?")


def test_a_login_page_with_302_is_not_followed() -> None:
    with faulty([answer(b"{}")]) as elsewhere:
        line, _ = refused_by(
            answer(status="302 Found", Location=f"{elsewhere.url}/login"), bearer_token=SecretStr("t0ken-t0ken")
        )
        assert elsewhere.requests == []
    assert f"redirects to {elsewhere.url}/login; is that a login page?" in line


def test_truncated_json() -> None:
    line, _ = refused_by(answer(b'{"status": "success", "data": ['))
    assert "answered with JSON that is damaged after 31 of 31 bytes" in line


def test_an_empty_page() -> None:
    line, _ = refused_by(answer(b""))
    assert line.endswith("answered with an empty page; is this the address of the API?")


def test_a_body_shorter_than_it_says() -> None:
    line, server = refused_by(answer(b'{"a": 1}', Content_Length="1000"))
    assert "broke off: IncompleteRead(8 bytes read, 992 more expected) (3 tries)" in line
    assert len(server.requests) == 3


def test_a_body_longer_than_it_says() -> None:
    line, _ = refused_by(answer(b'{"a": 1}', Content_Length="5"))
    assert "JSON that is damaged" in line


def test_a_length_that_is_none() -> None:
    with faulty([answer(b'{"a": 1}', Content_Length="many")]) as server:
        assert asking(server.url).get_json("/api") == {"a": 1}


def test_a_broken_chunk() -> None:
    line, _ = refused_by(lambda line: line.say(head(Transfer_Encoding="chunked"), b"zz\r\n{}\r\n"))
    assert "broke off:" in line


def test_the_line_is_cut_between_two_chunks() -> None:
    line, _ = refused_by(lambda line: line.say(head(Transfer_Encoding="chunked"), b'4\r\n{"a"\r\n'))
    assert "broke off:" in line


def test_binary_rubbish() -> None:
    line, _ = refused_by(lambda line: line.say(bytes(range(256)) * 4))
    assert "broke off:" in line


def test_binary_rubbish_in_a_proper_answer() -> None:
    line, _ = refused_by(answer(b"\x00\x01\x1b[31m\xff" * 20))
    assert line.endswith("answered with something that is no JSON; is this the address of the API?")


def test_what_claims_to_be_packed_and_is_not() -> None:
    line, _ = refused_by(answer(b'{"a": 1}', Content_Encoding="gzip"))
    assert "broke off:" in line


def test_a_head_without_end() -> None:
    def chatters(line: Line) -> None:
        line.say(b"HTTP/1.1 200 OK\r\n")
        for number in range(5000):
            line.say(f"X-{number}: y\r\n".encode())

    line, _ = refused_by(chatters)
    assert "broke off:" in line


@pytest.mark.parametrize("chunked", [False, True])
def test_a_small_answer_that_unpacks_into_a_huge_one(monkeypatch: pytest.MonkeyPatch, chunked: bool) -> None:
    monkeypatch.setattr(http, "MAX_BYTES", 4 * 2**20)
    bomb = gzip.compress(b" " * (200 * 2**20), compresslevel=9)
    headers = {"Transfer_Encoding": "chunked"} if chunked else {"Content_Length": str(len(bomb))}
    body = f"{len(bomb):x}\r\n".encode() + bomb + b"\r\n0\r\n\r\n" if chunked else bomb
    with faulty([lambda line: line.say(head(Content_Encoding="gzip", **headers), body)]) as server:
        tracemalloc.start()
        line = refusal(lambda: asking(server.url, 20).get_json("/api"), 20)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert line.endswith("answered with more than 4 MB; ask for less at once")
    assert peak < 32 * 2**20


def test_an_endless_answer_without_a_length() -> None:
    def floods(line: Line) -> None:
        line.say(head())
        while not line.over.is_set():
            line.say(b" " * 2**20)

    line, _ = refused_by(floods, seconds=20)
    assert line.endswith("answered with more than 64 MB; ask for less at once")


def test_a_connection_that_was_closed_while_idle_is_opened_again() -> None:
    """The answer promises to keep the line open, and the server hangs up all the same."""

    def leaves(line: Line) -> None:
        line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")

    with faulty([leaves]) as server:
        http_client = asking(server.url)
        assert http_client.get_json("/api") == []
        sleep(0.1)
        assert http_client.get_json("/api") == []


def test_a_question_is_posted_again_whole() -> None:
    with faulty([answer(status="502 Bad Gateway"), answer(b"[]")]) as server:
        assert asking(server.url).post_json("/_search", {"size": 1}) == []
        assert len(server.requests) == 2


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def right_name(authority: Authority) -> ssl.SSLContext:
    return authority.vouch_for("IP:127.0.0.1")


def test_an_unknown_authority(right_name: ssl.SSLContext) -> None:
    with faulty([answer(b"[]")], right_name) as server:
        line = refusal(lambda: asking(server.url).get_json("/api"))
    assert "cannot be trusted; name its authority's ca_file" in line


def test_an_authority_that_is_named(right_name: ssl.SSLContext, authority: Authority) -> None:
    with faulty([answer(b"[]")], right_name) as server:
        assert asking(server.url, ca_file=authority.ca_file).get_json("/api") == []


def test_a_certificate_for_another_name(authority: Authority) -> None:
    with faulty([answer(b"[]")], authority.vouch_for("DNS:shop.example")) as server:
        line = refusal(lambda: asking(server.url, ca_file=authority.ca_file).get_json("/api"))
    assert "has a certificate for another name" in line


def test_an_expired_certificate(authority: Authority) -> None:
    with faulty([answer(b"[]")], authority.vouch_for("IP:127.0.0.1", days=-1)) as server:
        line = refusal(lambda: asking(server.url, ca_file=authority.ca_file).get_json("/api"))
    assert "has a certificate out of its time" in line


def test_a_file_of_authorities_that_holds_none(right_name: ssl.SSLContext, tmp_path: Path) -> None:
    rubbish = tmp_path / "ca.pem"
    rubbish.write_bytes(os.urandom(200))
    with faulty([answer(b"[]")], right_name) as server:
        line = refusal(lambda: asking(server.url, ca_file=rubbish).get_json("/api"))
    assert "cannot be judged: the ca_file holds no certificate (PEM)" in line


def test_https_spoken_to_plain_http() -> None:
    with faulty([answer(b"[]")]) as server:
        line = refusal(lambda: asking(server.url.replace("http", "https")).get_json("/api"))
    assert "is it http://" in line


def test_a_tls_handshake_that_hangs() -> None:
    with faulty([Line.dawdle]) as server:
        line = refusal(lambda: asking(server.url.replace("http", "https")).get_json("/api"))
    assert line.endswith("gave no answer within 2 s")


def test_a_secret_that_the_server_repeats_is_masked() -> None:
    """Neither a name nor a shape gives this one away; only that it is ours."""
    line, _ = refused_by(
        answer(b"unknown caller quietharbour", "403 Forbidden"), headers={"X-Caller": SecretStr("quietharbour")}
    )
    assert "quietharbour" not in line
    assert "unknown caller [masked:value]" in line
