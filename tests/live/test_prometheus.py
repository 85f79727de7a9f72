from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from fixtures.servers.process import Server
from fixtures.servers.prometheus import start_prometheus
from tests.live.conftest import or_skip
from tests.tools.live.prometheus_checks import CHECKS
from tests.tools.live.prometheus_data import SINCE, WINDOW, openmetrics
from tools.evidence import TimeWindow, ToolError
from tools.live.notebook import Notebook
from tools.live.prometheus import Prometheus, PrometheusConfig

MANY = 60_000


@pytest.fixture(scope="module")
def filled() -> Iterator[Server]:
    with or_skip(lambda: start_prometheus(backfill=openmetrics())) as server:
        yield server


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_real_server(filled: Server, check: Callable[[Prometheus], None]) -> None:
    notes = Notebook()
    check(Prometheus(PrometheusConfig(url=filled.url), notes))
    assert list(notes) == []


def test_a_server_that_hangs_costs_its_time_and_no_more(filled: Server) -> None:
    filled.pause()
    try:
        began = time.monotonic()
        with pytest.raises(ToolError, match="gave no answer within 1 s"):
            Prometheus(PrometheusConfig(url=filled.url, timeout_seconds=2), Notebook()).metric_range(WINDOW)
        assert time.monotonic() - began < 2
    finally:
        filled.resume()


def test_a_server_that_falls_silent_halfway_gives_what_it_gave(filled: Server) -> None:
    notes = Notebook()
    prometheus = Prometheus(PrometheusConfig(url=filled.url, timeout_seconds=2), notes)
    prometheus.look(WINDOW)
    filled.pause()
    try:
        began = time.monotonic()
        assert prometheus.metric_range(WINDOW).empty
        assert time.monotonic() - began < 3
    finally:
        filled.resume()
    assert "metrics could not be read" in str(list(notes))
    assert "were not asked" in str(list(notes))


def test_very_many_series_cost_a_note_and_stay_in_the_budget() -> None:
    lines = ["# TYPE http_requests counter"]
    for number in range(MANY):
        labels = f'service="s{number % 20}",instance="i{number % 400}",path="/p/{number}"'
        lines += [f"http_requests_total{{{labels}}} {at} {SINCE.timestamp() + 60 * at}" for at in (1, 2, 3)]
    with or_skip(lambda: start_prometheus(backfill="\n".join([*lines, "# EOF", ""]))) as server:
        notes = Notebook()
        prometheus = Prometheus(PrometheusConfig(url=server.url), notes)
        window = TimeWindow(since=SINCE, until=SINCE + timedelta(minutes=4))
        began = time.monotonic()
        frame = prometheus.metric_range(window)
        assert time.monotonic() - began < 20
    assert frame["service"].nunique() == 20
    assert frame["instance"].nunique() == 400
    assert len(frame) < 5_000
    assert "1 metric with very many series" in str(list(notes))


class Shop(BaseHTTPRequestHandler):
    """A target that tells types and exemplars, in the format of OpenMetrics."""

    calls = 0

    def do_GET(self) -> None:
        Shop.calls += 10
        body = "\n".join(
            [
                "# TYPE pay_seconds histogram",
                "# UNIT pay_seconds seconds",
                f'pay_seconds_bucket{{code="200",le="0.5"}} {Shop.calls} # {{trace_id="abc123"}} 0.43',
                f'pay_seconds_bucket{{code="200",le="+Inf"}} {Shop.calls}',
                f'pay_seconds_count{{code="200"}} {Shop.calls}',
                f'pay_seconds_sum{{code="200"}} {Shop.calls / 5}',
                "# TYPE ticks counter",
                f"ticks_total {Shop.calls}",
                "# TYPE level gauge",
                "level 4",
                "# EOF",
                "",
            ]
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


def test_a_scraped_target_tells_types_and_exemplars() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as target:
        Thread(target=target.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{target.server_address[1]}"
        scrape = [{"job_name": "shop", "static_configs": [{"targets": [address]}]}]
        with or_skip(lambda: start_prometheus(scrape_configs=scrape)) as server:
            time.sleep(8)
            now = datetime.now(UTC)
            window = TimeWindow(since=now - timedelta(minutes=5), until=now)
            prometheus = Prometheus(PrometheusConfig(url=server.url), Notebook())
            frame = prometheus.metric_range(window)
            sighting = prometheus.look(window)
            traces = prometheus.exemplars(window, "shop")
        target.shutdown()
    assert {"pay_seconds p99", "pay_seconds mean", "ticks_total", "level", "up"} <= set(frame["metric"])
    assert set(frame["service"]) == {"shop"}
    assert set(frame["instance"]) <= {address, ""}
    assert "a sample every 1 s" in sighting.facts
    assert not [trouble for trouble in sighting.troubles if "tells no types" in trouble]
    assert sighting.clock is not None
    assert sighting.newest is not None
    assert abs(sighting.newest - now) < timedelta(seconds=3)
    assert traces == ("abc123",)
