"""Elasticsearch 8 and 9 and OpenSearch as they run: what they answer, what they cost, and what they refuse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import requests

from fixtures.servers.elasticsearch import V9, start_elasticsearch
from fixtures.servers.opensearch import start_opensearch
from fixtures.servers.process import Server
from tests.live.conftest import or_skip
from tests.live.log_push import make_stream, push_documents
from tests.tools.live.elasticsearch_checks import CHECKS
from tests.tools.live.elasticsearch_data import BROKE, SINCE, WINDOW, fill, line
from tools.evidence import ToolError
from tools.live.elasticsearch import Elasticsearch, ElasticsearchConfig
from tools.live.notebook import Notebook

STARTS: dict[str, Callable[[], Server]] = {
    "elasticsearch 8": start_elasticsearch,
    "elasticsearch 9": lambda: start_elasticsearch(version=V9),
    "opensearch": start_opensearch,
}
MANY = 200_000


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


def test_many_lines_cost_a_bounded_transfer_and_keep_their_ratios(filled: Server) -> None:
    """Errors are all there, quiet services are whole, and what is thinned is thinned alike before and after."""
    stream = "logs-many"
    make_stream(filled.url, stream)
    seconds = (WINDOW.until - SINCE).total_seconds()
    step = timedelta(seconds=seconds / MANY)
    loud = (line(SINCE + place * step, "loud", "info", f"request {place} answered") for place in range(MANY))
    push_documents(filled.url, stream, loud)
    errors = (line(BROKE + timedelta(milliseconds=place), "loud", "error", f"lost {place}") for place in range(300))
    push_documents(filled.url, stream, errors)
    push_documents(filled.url, stream, (line(SINCE, "quiet", "info", f"said {place}") for place in range(50)))
    backend, notes = asking(filled.url, index=[stream], max_lines=20_000)
    began = time.monotonic()
    frame = backend.log_lines(WINDOW)
    assert time.monotonic() - began < 15
    assert len(frame) <= 21_000
    assert (frame["severity"] == "ERROR").sum() == 300
    assert (frame["service"] == "quiet").sum() == 50
    told = frame[(frame["service"] == "loud") & (frame["severity"] == "INFO")]
    share_after = (told["timestamp"] >= BROKE).mean()
    assert share_after == pytest.approx(8 / 20, abs=0.02)
    assert "of 200,350 lines: all errors and warnings, 1 in " in str(list(notes))
    assert frame.equals(backend.log_lines(WINDOW))


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


def test_who_may_not_read_is_told_so(secured: Server) -> None:
    given = {"ca_file": str(secured.ca_file)}  # type: ignore[attr-defined]
    with pytest.raises(ToolError, match="401"):
        asking(secured.url, username="elastic", password="wrong", **given)[0].log_lines(WINDOW)
    with pytest.raises(ToolError, match="certificate"):
        asking(secured.url, username="elastic", password="wrong")[0].log_lines(WINDOW)
