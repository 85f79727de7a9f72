from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agent.analysis.metrics.naming import is_trifling, read_name, words_of
from agent.incident import GoldenSignal, Resource

L, T, E, S = GoldenSignal.LATENCY, GoldenSignal.TRAFFIC, GoldenSignal.ERRORS, GoldenSignal.SATURATION

NAMES = [
    # name, golden signal, resource, harm, join, unit
    ("http_requests_total", T, None, "down", "sum", ""),
    ("http_request_duration_seconds_p99", L, None, "up", "max", "s"),
    ("http.server.request.duration", L, None, "up", "max", ""),
    ("http_server_duration_p99_ms", L, None, "up", "max", "ms"),
    ("http_5xx_ratio", E, None, "up", "mean", "ratio"),
    ("errors_per_min", E, None, "up", "sum", "/min"),
    ("PodSuccessRate(%)", E, None, "down", "mean", "%"),
    ("availability", E, None, "down", "mean", ""),
    ("fault_rate", E, None, "up", "mean", ""),
    ("container_cpu_usage_seconds_total", S, Resource.CPU, "up", "mean", "s"),
    ("CpuUsageRate(%)", S, Resource.CPU, "up", "mean", "%"),
    ("node_load1", S, Resource.CPU, "up", "mean", ""),
    ("container_memory_working_set_bytes", S, Resource.MEMORY, "up", "max", "B"),
    ("node_memory_MemAvailable_bytes", S, Resource.MEMORY, "down", "min", "B"),
    ("heap_used_mb", S, Resource.MEMORY, "up", "max", "MB"),
    ("gc_pause_p99_ms", S, Resource.MEMORY, "up", "max", "ms"),
    ("oom_kills_total", E, Resource.MEMORY, "up", "sum", ""),
    ("disk_used_pct", S, Resource.DISK, "up", "max", "%"),
    ("node_filesystem_avail_bytes", S, Resource.DISK, "down", "min", "B"),
    ("disk_read_mb_per_sec", S, Resource.DISK, "none", "sum", "MB/s"),
    ("fsync_latency_ms", S, Resource.DISK, "up", "max", "ms"),
    ("tcp_retransmits_per_min", E, Resource.NETWORK, "up", "sum", "/min"),
    ("rtt_p99_ms_a_b", L, Resource.NETWORK, "up", "max", "ms"),
    ("NodeNetworkReceiveBytes", T, Resource.NETWORK, "none", "sum", "B"),
    ("db_pool_in_use", S, Resource.CONNECTIONS, "up", "sum", ""),
    ("db_pool_wait_seconds_p99", S, Resource.CONNECTIONS, "up", "max", "s"),
    ("hikaricp.connections.pending", S, Resource.CONNECTIONS, "up", "sum", ""),
    ("connected_clients", S, Resource.CONNECTIONS, "any", "sum", ""),
    ("sessions_active", S, Resource.CONNECTIONS, "any", "sum", ""),
    ("queue_depth", S, Resource.QUEUE, "up", "sum", ""),
    ("consumer_lag_messages", S, Resource.QUEUE, "up", "sum", ""),
    ("lag_seconds", S, Resource.QUEUE, "up", "max", "s"),
    ("replication_lag_seconds", S, Resource.DATABASE, "up", "max", "s"),
    ("lock_waits_per_min", S, Resource.DATABASE, "up", "sum", "/min"),
    ("go_goroutines", S, Resource.THREADS, "up", "sum", ""),
    ("cache_hit_ratio", S, Resource.CACHE, "down", "mean", "ratio"),
    ("evicted_keys_per_min", S, Resource.CACHE, "up", "sum", "/min"),
    ("kube_deployment_status_replicas_available", S, Resource.REPLICAS, "down", "sum", ""),
    ("kube_pod_container_status_restarts_total", E, None, "up", "sum", ""),
    ("tls_cert_seconds_until_expiry", S, Resource.CERTIFICATE, "down", "min", "s"),
    ("uptime_seconds", E, None, "down", "min", "s"),
    ("requests_per_sec", T, None, "down", "sum", "/s"),
    ("orders_per_min", T, None, "down", "sum", "/min"),
    ("db_query_count_per_request", T, None, "up", "mean", ""),
    ("carts_lat_99", L, None, "up", "max", ""),
    ("p99_ms", L, None, "up", "max", "ms"),
]


@pytest.mark.parametrize(("name", "golden", "resource", "harm", "join", "unit"), NAMES, ids=[n[0] for n in NAMES])
def test_what_a_name_means(
    name: str, golden: GoldenSignal | None, resource: Resource | None, harm: str, join: str, unit: str
) -> None:
    meaning = read_name(name)
    assert (meaning.golden, meaning.resource, meaning.harm) == (golden, resource, harm)
    assert (meaning.join, meaning.unit) == (join, unit)


@pytest.mark.parametrize(
    "name", ["db_pool_max_conns", "memory_limit_bytes", "queue_capacity", "process_max_fds", "connect_timeout_ms"]
)
def test_a_setting_hurts_nobody_by_itself(name: str) -> None:
    meaning = read_name(name)
    assert (meaning.golden, meaning.harm, meaning.known) == (None, "none", True)
    assert not meaning.hurts("up")
    assert not meaning.hurts("down")


@pytest.mark.parametrize(
    ("name", "counter"),
    [("http_requests_total", True), ("gc_pause_seconds_count", True), ("queue_depth", False), ("error_ratio", False)],
)
def test_a_counter_by_its_name(name: str, counter: bool) -> None:
    assert read_name(name).counter is counter


@pytest.mark.parametrize("name", ["feature_flag_enabled", "zorp", "", "___", "42"])
def test_a_name_that_does_not_tell_is_not_known(name: str) -> None:
    meaning = read_name(name)
    assert (meaning.golden, meaning.resource, meaning.harm, meaning.known) == (None, None, "none", False)


def test_the_unit_of_the_source_wins() -> None:
    assert read_name("request_duration", "ms").unit == "ms"
    assert read_name("queue_time_seconds", "ms").unit == "ms"


def test_a_move_either_way_may_hurt() -> None:
    assert read_name("connected_clients").hurts("up")
    assert read_name("connected_clients").hurts("down")
    assert read_name("cache_hit_ratio").hurts("down")
    assert not read_name("cache_hit_ratio").hurts("up")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("http.server.requestDuration", "http_server_request_duration"),
        ("HTTPRequests/s", "http_requests_per_s"),
        ("CpuUsageRate(%)", "cpu_usage_rate_pct"),
        ("db-pool-in-use", "db_pool_in_use"),
    ],
)
def test_words_are_split_on_case_and_signs(name: str, words: str) -> None:
    assert words_of(name) == words


@given(st.text(max_size=60))
def test_any_name_can_be_read(name: str) -> None:
    assert read_name(name) == read_name(name)


@given(st.sampled_from([n[0] for n in NAMES]).filter(str.islower), st.sampled_from([".", "-", "__", " "]))
def test_the_sign_between_words_does_not_matter(name: str, sign: str) -> None:
    assert read_name(name.replace("_", sign)) == read_name(name)


@pytest.mark.parametrize(
    ("metric", "unit", "value", "trifling"),
    [
        ("db_pool_wait_seconds_total", "s", 0.024, True),
        ("db_pool_wait_seconds_total", "s", 5.0, False),
        ("wait_milliseconds_total", "ms", 24.0, True),
        ("http_request_duration_seconds", "s", 0.024, False),
        ("http_requests_total", "", 0.02, False),
    ],
)
def test_time_that_adds_up_to_next_to_nothing(metric: str, unit: str, value: float, trifling: bool) -> None:
    assert is_trifling(metric, unit, value) is trifling


@pytest.mark.parametrize(
    ("metric", "golden"),
    [
        ("http_server_active_requests", GoldenSignal.SATURATION),
        ("http_server_requests_total", GoldenSignal.TRAFFIC),
        ("log_lines_total", None),
        ("python_gc_collections_total", None),
        ("process_virtual_memory_bytes", None),
        ("process_resident_memory_bytes", GoldenSignal.SATURATION),
    ],
)
def test_what_only_describes_is_no_golden_signal(metric: str, golden: GoldenSignal | None) -> None:
    assert read_name(metric).golden is golden
