"""Against what a real Jaeger answered; tests/live/test_jaeger.py asks one that runs."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from fixtures.servers.jaeger import Jaeger as Server, start_jaeger
from tests.live.otlp_push import push_spans
from tests.tools.live.conftest import Recorded
from tests.tools.live.trace_checks import CHECKS, Tracing
from tests.tools.live.trace_data import WINDOW, spans
from tools.live import errands
from tools.live.jaeger import Jaeger, JaegerConfig
from tools.live.notebook import Notebook


def filled() -> Server:
    """A server that holds the spans of `trace_data` and can find them."""
    server = start_jaeger()
    push_spans(server.otlp_url, spans())
    for _ in range(100):
        if len(Jaeger(JaegerConfig(url=server.url), Notebook()).spans(WINDOW)) == len(spans()):
            return server
        time.sleep(0.2)
    raise AssertionError("the spans did not arrive")


@pytest.fixture(scope="module")
def url(recorded: Recorded) -> str:
    return recorded(filled)


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "AT_ONCE", 1)


@pytest.mark.vcr
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_recorded_server(url: str, check: Callable[[Tracing], None]) -> None:
    notes = Notebook()
    check(Jaeger(JaegerConfig(url=url), notes))
    assert list(notes) == []
