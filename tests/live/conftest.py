"""The real servers as fixtures: started by the first test that asks, stopped at the end of the run.

A server that is not on this machine skips its tests and says why; with WHYDOWN_LIVE_REQUIRED=1 they fail instead.
The servers are shared: a test names its own series, indices, streams and services, and never empties a server.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.servers.alertmanager import start_alertmanager
from fixtures.servers.elasticsearch import V9, start_elasticsearch
from fixtures.servers.jaeger import start_jaeger
from fixtures.servers.kubernetes import start_kubernetes
from fixtures.servers.loki import start_loki
from fixtures.servers.opensearch import start_opensearch
from fixtures.servers.postgres import start_postgres
from fixtures.servers.process import NotFetched, Server
from fixtures.servers.prometheus import start_prometheus
from fixtures.servers.tempo import start_tempo
from fixtures.servers.unleash import start_unleash

HERE = Path(__file__).parent
LOOPBACK = pytest.mark.block_network(allowed_hosts=[r"127\.0\.0\.1", "localhost"])


@pytest.hookimpl(tryfirst=True)  # before the marks are weighed by `-m`
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("live")
            item.add_marker(LOOPBACK)


def or_skip(start: Callable[[], Server]) -> Server:
    """Start a server; one that was not fetched skips the test with the reason, or fails it where live is required."""
    try:
        return start()
    except NotFetched as reason:
        if os.environ.get("WHYDOWN_LIVE_REQUIRED") == "1":
            pytest.fail(str(reason), pytrace=False)
        pytest.skip(str(reason))


def shared(start: Callable[[], Server]) -> object:
    @pytest.fixture(scope="session")
    def server() -> Iterator[Server]:
        with or_skip(start) as running:
            yield running

    return server


prometheus = shared(lambda: start_prometheus(out_of_order="10y"))
alertmanager = shared(start_alertmanager)
postgres = shared(start_postgres)
elasticsearch = shared(start_elasticsearch)
elasticsearch9 = shared(lambda: start_elasticsearch(version=V9))
secured_elasticsearch = shared(lambda: start_elasticsearch(security=True))
opensearch = shared(start_opensearch)
jaeger = shared(start_jaeger)
tempo = shared(start_tempo)
loki = shared(start_loki)
unleash = shared(start_unleash)
kubernetes = shared(start_kubernetes)
