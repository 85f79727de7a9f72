"""What a Prometheus that holds `prometheus_data` has to answer, asked of a cassette and of a real server alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.tools.live.prometheus_data import BROKE, GAP, ODD_SERVICE, PODS, RESTARTED, SINCE, WINDOW
from tools.backend import METRIC_COLUMNS
from tools.evidence import TimeWindow, ToolError
from tools.live.prometheus import Prometheus
from tools.words import clean_name

POINTS = 80
"""Twenty minutes at one sample every fifteen seconds."""
DURATION = "http_server_request_duration_seconds"


def rows(frame: pd.DataFrame, service: str, metric: str) -> pd.DataFrame:
    return frame[(frame["service"] == service) & (frame["metric"] == metric)]


def everything_is_a_frame_of_the_contract(prometheus: Prometheus) -> None:
    frame = prometheus.metric_range(WINDOW)
    assert tuple(frame.columns) == METRIC_COLUMNS
    assert str(frame["timestamp"].dtype) == "datetime64[us, UTC]"
    assert all(str(frame[name].dtype) == "str" for name in ("service", "instance", "metric", "unit"))
    assert frame["timestamp"].is_monotonic_increasing
    assert all(WINDOW.contains(moment) for moment in frame["timestamp"].iloc[[0, -1]])
    assert np.isfinite(frame["value"]).all()
    assert not frame.duplicated(["timestamp", "service", "instance", "metric"]).any()
    _tells_errors(frame)
    _tells_latency(frame)
    _tells_resources(frame)
    _keeps_samples_as_they_are(frame)


def _tells_errors(frame: pd.DataFrame) -> None:
    share = rows(frame, "checkout", "http_requests_total error share")
    before = share[share["timestamp"] < BROKE]["value"]
    assert len(share) == POINTS
    assert set(share["unit"]) == {"ratio"}
    assert (before == 0).all()
    assert share["value"].iloc[-1] == pytest.approx(5 / 25)
    assert (rows(frame, "web", "http_requests_total error share")["value"] == 0).all()
    failing = rows(frame, "checkout", "http_requests_total 5xx per second")
    assert failing.groupby("instance")["value"].last().to_dict() == pytest.approx({"c-1:80": 5.0, "c-2:80": 0.0})
    traffic = rows(frame, "checkout", "http_requests_total per second")
    restarted = traffic[traffic["instance"] == "c-2:80"]
    assert restarted["value"].min() > 0, "a restart is no negative rate"
    assert restarted["value"].max() == pytest.approx(10.0)
    assert restarted[restarted["timestamp"] < RESTARTED]["value"].min() == pytest.approx(10.0)


def _tells_latency(frame: pd.DataFrame) -> None:
    for metric, before, after in (
        (f"{DURATION} p99", 0.05, 0.5),
        (f"{DURATION} p50", 0.03, 0.375),
        (f"{DURATION} mean", 0.04, 0.4),
    ):
        slow = rows(frame, "checkout", metric)
        assert set(slow["unit"]) == {"s"}
        assert slow["value"].iloc[0] == pytest.approx(before, rel=0.02)
        assert slow["value"].iloc[-1] == pytest.approx(after, rel=0.02)
    calls = rows(frame, "web", "http_server_request calls per second")
    assert calls["value"].to_numpy() == pytest.approx(10.0)
    assert rows(frame, "ledger", "rpc_duration_seconds p99")["value"].to_numpy() == pytest.approx(0.3)
    assert rows(frame, "ledger", "rpc_duration_seconds mean")["value"].to_numpy() == pytest.approx(0.025)


def _tells_resources(frame: pd.DataFrame) -> None:
    user = rows(frame, "10.0.0.7", "node_cpu_seconds_total{mode=user} per second")
    assert user["value"].to_numpy() == pytest.approx(0.5), "two processors"
    assert set(user["unit"]) == {"cores"}
    memory = rows(frame, "checkout", "container_memory_working_set_bytes")
    assert set(memory["instance"]) == set(PODS[:2])
    assert set(memory["value"]) == {1e6, 2e6}, "a pod's own total is not counted with its containers"
    assert set(rows(frame, "web", "container_memory_working_set_bytes")["instance"]) == {PODS[2]}
    assert set(rows(frame, "mailer", "topic_lag highest")["value"]) == {11.0}
    assert set(rows(frame, "checkout", "pool_connections{state=used}")["value"]) == {2.0}


def _keeps_samples_as_they_are(frame: pd.DataFrame) -> None:
    queue = rows(frame, "mailer", "queue_depth")
    assert set(queue["timestamp"].dt.second % 15) == {3}, "as they were scraped, not as they were asked for"
    inside = (queue["timestamp"] >= GAP.since) & (queue["timestamp"] < GAP.until)
    assert not inside.any()
    assert len(queue) == POINTS - 24
    assert len(rows(frame, "kitchen", "oven_temperature")) == POINTS / 2, "neither NaN nor infinite"
    orders = rows(frame, "checkout", "orders_total")["value"]
    assert orders.is_monotonic_increasing
    assert orders.iloc[0] == pytest.approx(4_000)


def a_name_gives_the_same_rows_again(prometheus: Prometheus) -> None:
    frame = prometheus.metric_range(WINDOW, "checkout")
    assert frame["metric"].nunique() > 12
    for metric in sorted(set(frame["metric"])):
        again = prometheus.metric_range(WINDOW, "checkout", metric)
        pd.testing.assert_frame_equal(again, rows(frame, "checkout", metric).reset_index(drop=True))


def an_odd_name_is_found_and_hurts_nobody(prometheus: Prometheus) -> None:
    frame = prometheus.metric_range(WINDOW, clean_name(ODD_SERVICE), "odd_things")
    assert set(frame["service"]) == {clean_name(ODD_SERVICE)}
    assert len(frame) == POINTS


def the_expression_of_an_alert_is_its_signal(prometheus: Prometheus) -> None:
    rule = 'sum by (service) (rate(http_requests_total{code="500"}[1m])) > 0.5'
    frame = prometheus.metric_range(WINDOW, "checkout", rule)
    assert set(frame["metric"]) == {rule}
    assert set(frame["service"]) == {"checkout"}
    assert len(frame) == POINTS
    assert frame["value"].iloc[0] == 0, "also where the rule does not fire"
    assert frame["value"].iloc[-1] == pytest.approx(5.0)
    by_instance = prometheus.metric_range(WINDOW, "checkout", "rate(http_requests_total[1m])")
    assert by_instance["instance"].nunique() > 1
    nameless = f"histogram_quantile(0.9, sum by (le) (rate({DURATION}_bucket[1m])))"
    assert set(prometheus.metric_range(WINDOW, "edge", nameless)["service"]) == {"edge"}


def the_servers_own_name_of_a_metric_is_its_most_telling_part(prometheus: Prometheus) -> None:
    slow = prometheus.metric_range(WINDOW, "checkout", DURATION)
    assert set(slow["metric"]) == {DURATION}
    assert slow["value"].iloc[-1] == pytest.approx(0.5, rel=0.02)


def what_is_not_there_is_said(prometheus: Prometheus) -> None:
    for service, metric, said in (
        ("chekout", None, "did you mean 'checkout'?"),
        ("checkout", "queue_dept", "no metrics of checkout metric 'queue_dept'"),
        ("web", "orders_total", "no metrics of web metric 'orders_total'"),
        ("checkout", "rate(", "no metrics of checkout metric 'rate('"),
        ("checkout", '{__name__=~".+"}', "an expression has to name a metric"),
        ("checkout", "sort_by_label(queue_depth)", "sort_by_label"),
    ):
        with pytest.raises(ToolError) as raised:
            prometheus.metric_range(WINDOW, service, metric)
        assert said in raised.value.message
        assert "\n" not in raised.value.message


def a_look_tells_what_there_is(prometheus: Prometheus) -> None:
    sighting = prometheus.look(WINDOW)
    assert sighting.name.startswith("Prometheus 2.")
    assert "11 metrics in the window" in sighting.facts[0]
    assert "a sample every 15 s" in sighting.facts
    assert {"checkout", "web", "mailer", "ledger", "10.0.0.7"} <= set(sighting.services)
    assert sighting.newest is not None
    assert (WINDOW.until - sighting.newest).total_seconds() < 15
    assert sighting.clock is not None
    assert [trouble for trouble in sighting.troubles if "tells no types" in trouble]


def an_empty_window_is_no_error_of_the_look(prometheus: Prometheus) -> None:
    empty = TimeWindow(since=SINCE.replace(year=2020), until=WINDOW.until.replace(year=2020))
    sighting = prometheus.look(empty)
    assert sighting.newest is None
    assert "no series of this window" in sighting.troubles[0]
    with pytest.raises(ToolError, match="no metrics of any service"):
        prometheus.metric_range(empty)


CHECKS = (
    everything_is_a_frame_of_the_contract,
    a_name_gives_the_same_rows_again,
    an_odd_name_is_found_and_hurts_nobody,
    the_expression_of_an_alert_is_its_signal,
    the_servers_own_name_of_a_metric_is_its_most_telling_part,
    what_is_not_there_is_said,
    a_look_tells_what_there_is,
    an_empty_window_is_no_error_of_the_look,
)
