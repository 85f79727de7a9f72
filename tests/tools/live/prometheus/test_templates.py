from __future__ import annotations

import pytest

from agent.analysis.metrics.naming import read_name
from agent.incident import GoldenSignal, Resource
from tools.live.prometheus.config import PrometheusConfig
from tools.live.prometheus.families import Family, Kind, Known
from tools.live.prometheus.identity import Identity
from tools.live.prometheus.promql import Matcher, checked
from tools.live.prometheus.templates import Derived, derive, terms
from tools.live.prometheus.vocabulary import unit_of

IDENTITY = Identity(PrometheusConfig(url="http://a"))
L, T, E, S = GoldenSignal.LATENCY, GoldenSignal.TRAFFIC, GoldenSignal.ERRORS, GoldenSignal.SATURATION
ODD = 'a"} or {b="'


def known(name: str, kind: Kind, *labels: dict[str, str], whole: bool = True, seconds: float = 15.0) -> Known:
    own = [{"service": "pay", "instance": "p-1", **one} for one in labels or ({},)]
    series = tuple((one, IDENTITY.owner(name, one)) for one in own)
    return Known(Family(name, kind, unit_of(name)), series, whole, seconds=seconds)


def asked(one: Known, stored: bool = True) -> dict[str, Derived]:
    return {derived.name: derived for derived in derive(one, IDENTITY, stored)}


def query(derived: Derived, step: float = 15.0, only: tuple[Matcher, ...] = ()) -> str:
    assert derived.query is not None
    return checked(derived.query(terms(derived.known, ["instance", "service"], only, step)))


def test_a_histogram_gives_quantiles_calls_and_errors() -> None:
    one = known("http_server_request_duration_seconds", "histogram", {"code": "200"}, {"code": "500"})
    found = asked(one)
    assert list(found) == [
        "http_server_request_duration_seconds p99",
        "http_server_request_duration_seconds p50",
        "http_server_request_duration_seconds mean",
        "http_server_request calls per second",
        "http_server_request 5xx per second",
        "http_server_request error share",
        "http_server_request 4xx per second",
    ]
    assert query(found["http_server_request_duration_seconds p99"]) == (
        "histogram_quantile(0.99, sum by (instance, le, service) "
        '(rate({__name__="http_server_request_duration_seconds_bucket"}[60s])))'
    )
    assert all(query(derived) for derived in found.values())


def test_a_histogram_of_one_series_needs_no_buckets() -> None:
    found = asked(known("rpc.server.duration_seconds", "native"))
    assert query(found["rpc.server.duration_seconds p99"]) == (
        'histogram_quantile(0.99, sum by (instance, service) (rate({__name__="rpc.server.duration_seconds"}[60s])))'
    )
    assert query(found["rpc.server calls per second"]).startswith("histogram_count(sum by")


def test_waiting_is_no_work() -> None:
    assert list(asked(known("db_pool_wait_duration_seconds", "histogram"))) == [
        "db_pool_wait_duration_seconds p99",
        "db_pool_wait_duration_seconds p50",
        "db_pool_wait_duration_seconds mean",
    ]


def test_a_rate_is_taken_over_four_samples_and_no_less_than_a_step() -> None:
    found = asked(known("http_requests_total", "counter", {"route": "/a"}, {"route": "/b"}, seconds=30))
    derived = found["http_requests_total per second"]
    assert "[120s]" in query(derived, step=30)
    assert "[600s]" in query(derived, step=600)


def test_a_counter_of_one_series_comes_as_it_is_stored() -> None:
    one = known("orders_total", "counter")
    assert [(d.name, d.query) for d in derive(one, IDENTITY, stored=True)] == [("orders_total", None)]
    over_days = asked(one, stored=False)["orders_total"]
    assert query(over_days, step=600) == 'avg by (instance, service) (last_over_time({__name__="orders_total"}[600s]))'


def test_errors_are_zero_where_there_is_traffic_and_none_of_them() -> None:
    found = asked(known("http_requests_total", "counter", {"code": "200"}, {"code": "404"}))
    failing = query(found["http_requests_total 5xx per second"])
    assert 'code=~"5[0-9][0-9]|5[xX][xX]"' in failing
    assert failing.endswith('or sum by (instance, service) (rate({__name__="http_requests_total"}[60s])) * 0)')
    assert found["http_requests_total error share"].per_service


def test_modes_of_a_processor_are_told_apart_and_idling_is_nothing() -> None:
    one = known(
        "node_cpu_seconds_total", "counter", *({"cpu": c, "mode": m} for c in "01" for m in ("idle", "user", "iowait"))
    )
    found = asked(one)
    assert set(found) == {
        "node_cpu_seconds_total{mode=iowait} per second",
        "node_cpu_seconds_total{mode=user} per second",
    }
    assert {derived.unit for derived in found.values()} == {"cores"}


def test_few_things_under_one_name_are_told_apart() -> None:
    one = known("pool_connections", "gauge", {"state": "idle"}, {"state": "used"})
    found = asked(one)
    assert set(found) == {"pool_connections{state=idle}", "pool_connections{state=used}"}
    assert found["pool_connections{state=idle}"].fixed == (("state", "idle"),)
    over_days = asked(one, stored=False)["pool_connections{state=used}"]
    assert query(over_days, step=300) == (
        'avg by (instance, service) (avg_over_time({__name__="pool_connections",state="used"}[300s]))'
    )


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("topic_lag", [{"partition": str(n)} for n in range(3)], "topic_lag highest"),
        ("mounts_avail_bytes", [{"mountpoint": f"/d/{n}"} for n in range(9)], "mounts_avail_bytes lowest"),
    ],
)
def test_parts_of_a_whole_are_joined_to_what_is_felt(name: str, labels: list[dict[str, str]], expected: str) -> None:
    found = asked(known(name, "gauge", *labels))
    assert list(found) == [expected]
    assert "last_over_time" in query(found[expected]), "no line is drawn across a gap"


def test_of_too_many_series_nothing_is_taken_as_stored() -> None:
    assert list(asked(known("x", "gauge", whole=False))) == ["x highest"]
    assert list(asked(known("x_total", "counter", whole=False))) == ["x_total per second"]


def test_the_unit_of_a_series_is_its_labels_first() -> None:
    assert asked(known("x_ms", "gauge", {"unit": "furlong"}))["x_ms"].unit == "furlong"


@pytest.mark.parametrize("kind", ["counter", "gauge", "histogram", "native", "summary"])
@pytest.mark.parametrize("stored", [True, False])
def test_every_query_parses_whatever_the_names_and_labels_hold(kind: Kind, stored: bool) -> None:
    one = known(f"{ODD}_seconds", kind, {"state": ODD, "code": "200"}, {"state": "b\n", "code": "500"})
    for derived in derive(one, IDENTITY, stored):
        if derived.query is not None:
            query(derived, only=(Matcher("cluster", "=", ODD),))


@pytest.mark.parametrize(
    ("name", "unit", "golden", "resource", "harm"),
    [
        ("http_requests_total per second", "/s", T, None, "down"),
        ("http_requests_total 5xx per second", "/s", E, None, "up"),
        ("http_requests_total 4xx per second", "/s", E, None, "up"),
        ("http_requests_total errors per second", "/s", E, None, "up"),
        ("http_requests_total error share", "ratio", E, None, "up"),
        ("http_server_request_duration_seconds p99", "s", L, None, "up"),
        ("http_server_request_duration_seconds p50", "s", L, None, "up"),
        ("http_server_request_duration_seconds mean", "s", L, None, "up"),
        ("http_server_request calls per second", "/s", T, None, "down"),
        ("cache_misses_total per second", "/s", S, Resource.CACHE, "up"),
        ("pool_connections{state=used}", "", S, Resource.CONNECTIONS, "up"),
        ("topic_lag highest", "", S, Resource.QUEUE, "up"),
        ("node_filesystem_avail_bytes lowest", "B", S, Resource.DISK, "down"),
        ("node_cpu_seconds_total{mode=user} per second", "cores", S, Resource.CPU, "up"),
        ("kube_pod_container_status_restarts_total per second", "/s", E, None, "up"),
    ],
)
def test_the_analysis_understands_the_names(
    name: str, unit: str, golden: GoldenSignal, resource: Resource | None, harm: str
) -> None:
    meaning = read_name(name, unit)
    assert (meaning.golden, meaning.resource, meaning.harm) == (golden, resource, harm)
    assert meaning.unit == unit
    assert not meaning.counter, "a rate is not taken twice"
