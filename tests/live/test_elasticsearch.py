"""Elasticsearch 8 and 9 and OpenSearch as they run: what they answer, what they cost, and what they refuse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

from fixtures.servers.elasticsearch import V9, start_elasticsearch
from fixtures.servers.opensearch import start_opensearch
from fixtures.servers.process import Server
from tests.live.conftest import or_skip
from tests.live.log_push import make_stream, push_documents, push_logs
from tests.tools.live.elasticsearch_checks import CHECKS
from tests.tools.live.elasticsearch_data import BROKE, SINCE, WINDOW, fill, line
from tools.evidence import JsonObject, Source, ToolError
from tools.live.elasticsearch import Elasticsearch, ElasticsearchConfig, reader
from tools.live.elasticsearch.reader import Reader
from tools.live.http import Http, Reply
from tools.live.notebook import Notebook
from tools.recorded import read_recording

STARTS: dict[str, Callable[[], Server]] = {
    "elasticsearch 8": start_elasticsearch,
    "elasticsearch 9": lambda: start_elasticsearch(version=V9),
    "opensearch": start_opensearch,
}
MANY = 200_000
RECORDINGS = Path(__file__).parents[2] / "fixtures" / "recordings"


@pytest.fixture(scope="module", params=STARTS)
def filled(request: pytest.FixtureRequest) -> Iterator[Server]:
    with or_skip(STARTS[request.param]) as server:
        fill(server.url)
        yield server


def asking(url: str, **config: object) -> tuple[Elasticsearch, Notebook]:
    notes = Notebook()
    return Elasticsearch(ElasticsearchConfig.model_validate({"url": url, **config}), notes), notes


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_real_server(filled: Server, check: Callable[[Elasticsearch], None]) -> None:
    backend, notes = asking(filled.url)
    check(backend)
    assert list(notes) == []


def test_a_server_that_hangs_costs_its_time_and_no_more(filled: Server) -> None:
    backend, _ = asking(filled.url, timeout_seconds=2)
    filled.pause()
    try:
        began = time.monotonic()
        with pytest.raises(ToolError, match="no answer within"):
            backend.log_lines(WINDOW)
        assert time.monotonic() - began < 3
    finally:
        filled.resume()


@pytest.mark.parametrize("name", ["comments-missing", "front-page-slow"])
def test_a_recording_comes_back_as_it_is(filled: Server, name: str) -> None:
    recording = read_recording(RECORDINGS / name)
    assert recording.logs is not None
    push_logs(filled.url, f"logs-{name}", recording.logs)
    backend, notes = asking(filled.url, index=[f"logs-{name}"])
    pd.testing.assert_frame_equal(backend.log_lines(recording.window), recording.logs)
    assert list(notes) == []


def test_without_points_in_time_the_same_lines_are_read(filled: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = asking(filled.url)[0].log_lines(WINDOW)

    def refused(_: Reader) -> str:
        raise ToolError(Source.LOGS, "no permission for points in time")

    monkeypatch.setattr(Reader, "_opened", refused)
    monkeypatch.setattr(reader, "PAGE_LINES", 20)
    monkeypatch.setattr(reader, "FEWEST", 20)
    assert asking(filled.url)[0].log_lines(WINDOW).equals(expected)


def test_a_missing_shard_is_a_note_and_the_others_answer(filled: Server) -> None:
    make_stream(filled.url, "broken-fine")
    push_documents(filled.url, "broken-fine", (line(SINCE, "shop", "info", f"order {place}") for place in range(20)))
    nowhere = {"settings": {"index.routing.allocation.require.rack": "nowhere", "number_of_replicas": 0}}
    lost = f"{filled.url}/broken-lost"
    assert requests.put(f"{lost}?wait_for_active_shards=0", json=nowhere, timeout=30).ok
    try:
        for limit, lines in ((None, 20), (3, 3)):
            backend, notes = asking(filled.url, index=["broken-*"])
            assert len(backend.log_lines(WINDOW, limit=limit)) == lines
            assert len(notes) == 1
            assert "1 of 2 shards of Elasticsearch did not answer, lines are missing" in notes[0][1]
    finally:
        requests.delete(lost, timeout=30)


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of every answer so far, as they are when they are unpacked."""
    sizes: list[int] = []
    ask = Http.ask

    def counted(*arguments: Any, **named: Any) -> Reply:
        reply = ask(*arguments, **named)
        sizes.append(len(reply.body))
        return reply

    monkeypatch.setattr(Http, "ask", counted)
    return sizes


def test_many_lines_cost_a_bounded_transfer_and_show_what_is_new(filled: Server, received: list[int]) -> None:
    """Errors are all there, quiet services are whole, and what is thinned is thinned alike before and after."""
    stream = "logs-many"
    make_stream(filled.url, stream)
    push_documents(filled.url, stream, loud_lines())
    backend, notes = asking(filled.url, index=[stream], max_lines=20_000)
    began = time.monotonic()
    frame = backend.log_lines(WINDOW)
    assert time.monotonic() - began < 15
    assert sum(received) < 5_000_000
    assert len(received) < 25
    assert len(frame) <= 21_000
    assert (frame["severity"] == "ERROR").sum() == 300
    assert (frame["service"] == "quiet").sum() == 50
    told = frame[frame["body"].str.startswith("request ")]
    assert (told["timestamp"] >= BROKE).mean() == pytest.approx(8 / 20, abs=0.02)
    assert frame["body"].str.startswith("switched to fallback").sum() == 12
    assert frame["body"].str.contains("could not be").sum() == 9
    assert not frame.duplicated(["timestamp", "body"]).any()
    assert "of 200,371 lines: all errors and warnings, 1 in " in str(list(notes))
    assert "thinned lines that are worded like no common one were read as well" in str(list(notes))
    assert frame.equals(backend.log_lines(WINDOW))


def loud_lines() -> Iterator[JsonObject]:
    """Common lines of one loud service; errors, something new, and something worded almost like before; a quiet one."""
    step = (WINDOW.until - SINCE) / MANY
    for place in range(MANY):
        said = f"request {place} answered" if place % 2 else f"order {place} paid by customer k{place % 90}"
        yield line(SINCE + place * step, "loud", "info", said)
    yield from (line(BROKE + timedelta(milliseconds=at), "loud", "error", f"lost {at}") for at in range(300))
    for at in range(12):
        yield line(BROKE + timedelta(seconds=at), "loud", "info", f"switched to fallback {at}")
    for at in range(9):
        yield line(BROKE + timedelta(seconds=at), "loud", "info", f"order {at} could not be paid by customer k{at}")
    yield from (line(SINCE, "quiet", "info", f"said {place}") for place in range(50))


@pytest.fixture(scope="module")
def secured() -> Iterator[Server]:
    with or_skip(lambda: start_elasticsearch(security=True)) as server:
        yield server


def test_a_password_or_an_api_key_and_an_authority_of_ones_own(secured: Server) -> None:
    user, password = secured.username, secured.password  # type: ignore[attr-defined]
    session = requests.Session()
    session.trust_env = False  # or a bundle of this machine's environment would win over the file
    session.auth, session.verify = (user, password), str(secured.ca_file)  # type: ignore[attr-defined]
    fill(secured.url, session)
    given = {"ca_file": str(secured.ca_file)}  # type: ignore[attr-defined]
    by_password, _ = asking(secured.url, username=user, password=password, **given)
    expected = by_password.log_lines(WINDOW)
    assert len(expected) > 100
    made = session.post(f"{secured.url}/_security/api_key", json={"name": "whydown"}, timeout=30).json()
    by_key, _ = asking(secured.url, api_key=f"{made['id']}:{made['api_key']}", **given)
    assert by_key.log_lines(WINDOW).equals(expected)
    by_encoded_key, _ = asking(secured.url, api_key=made["encoded"], **given)
    assert by_encoded_key.log_lines(WINDOW).equals(expected)


def test_a_key_that_may_only_read_is_enough(secured: Server) -> None:
    session = requests.Session()
    session.trust_env = False
    session.auth, session.verify = (secured.username, secured.password), str(secured.ca_file)  # type: ignore[attr-defined]
    reads = {"reader": {"indices": [{"names": ["filebeat-*", "logs-shop-*"], "privileges": ["read"]}]}}
    asked = {"name": "reader", "role_descriptors": reads}
    key = session.post(f"{secured.url}/_security/api_key", json=asked, timeout=30).json()["encoded"]
    ca_file = str(secured.ca_file)  # type: ignore[attr-defined]
    for check in CHECKS[:-1]:
        backend, notes = asking(secured.url, api_key=key, ca_file=ca_file)
        check(backend)
        assert list(notes) == []
    seen = asking(secured.url, api_key=key, ca_file=ca_file)[0].look(WINDOW)
    assert "checkout" in seen.services
    assert seen.clock is None


def test_who_may_not_read_is_told_so(secured: Server) -> None:
    given = {"ca_file": str(secured.ca_file)}  # type: ignore[attr-defined]
    with pytest.raises(ToolError, match="401"):
        asking(secured.url, username="elastic", password="wrong", **given)[0].log_lines(WINDOW)
    with pytest.raises(ToolError, match="certificate"):
        asking(secured.url, username="elastic", password="wrong")[0].log_lines(WINDOW)
