"""The same questions as in tests/tools/live/test_tempo.py, asked of a server that runs, and of one that hangs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from fixtures.servers.process import Server
from tests.live.conftest import or_skip
from tests.tools.live.test_tempo import filled
from tests.tools.live.trace_checks import CHECKS, Tracing
from tests.tools.live.trace_data import WINDOW
from tools.evidence import ToolError
from tools.live.notebook import Notebook
from tools.live.tempo import Tempo, TempoConfig


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with or_skip(filled) as running:
        yield running


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_real_server(server: Server, check: Callable[[Tracing], None]) -> None:
    notes = Notebook()
    check(Tempo(TempoConfig(url=server.url), notes))
    assert list(notes) == []


def test_a_server_that_hangs_costs_its_time_and_no_more(server: Server) -> None:
    server.pause()
    try:
        began = time.monotonic()
        with pytest.raises(ToolError, match="no answer within"):
            Tempo(TempoConfig(url=server.url, timeout_seconds=2), Notebook()).spans(WINDOW)
        assert time.monotonic() - began < 4
    finally:
        server.resume()
