from __future__ import annotations

from collections.abc import Callable

import pytest

from fixtures.servers.prometheus import start_prometheus
from tests.tools.live.conftest import Recorded
from tests.tools.live.prometheus_checks import CHECKS, POINTS
from tests.tools.live.prometheus_data import WINDOW, openmetrics
from tools.live import errands
from tools.live.notebook import Notebook
from tools.live.prometheus import Prometheus, PrometheusConfig


@pytest.fixture(scope="module")
def url(recorded: Recorded) -> str:
    return recorded(lambda: start_prometheus(backfill=openmetrics()))


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "AT_ONCE", 1)


@pytest.mark.vcr
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_recorded_server(url: str, check: Callable[[Prometheus], None]) -> None:
    notes = Notebook()
    check(Prometheus(PrometheusConfig(url=url), notes))
    assert list(notes) == []


@pytest.mark.vcr
def test_only_series_with_the_labels_of_the_configuration(url: str) -> None:
    config = PrometheusConfig(url=url, only={"instance": "c-1:80"})
    frame = Prometheus(config, Notebook()).metric_range(WINDOW)
    assert set(frame["service"]) == {"checkout"}
    assert set(frame["instance"]) == {"c-1:80", ""}


@pytest.mark.vcr
def test_large_metrics_lose_their_instances_and_small_ones_do_not(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = PrometheusConfig(url=url).model_copy(update={"max_series_per_metric": 1})
    notes = Notebook()
    prometheus = Prometheus(config, notes)
    traffic = prometheus.metric_range(WINDOW, "checkout", "http_requests_total per second")
    assert set(traffic["instance"]) == {""}
    assert len(traffic) == POINTS
    assert traffic["value"].iloc[-1] == pytest.approx(25.0)
    assert "with very many series" in str(list(notes))
    assert set(prometheus.metric_range(WINDOW, "mailer", "queue_depth")["instance"]) == {"m-1:80"}
