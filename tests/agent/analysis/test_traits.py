from __future__ import annotations

import pytest

from agent.analysis.traits import see_traits
from agent.incident import GoldenSignal
from tests.agent.analysis.scenes import at, incident, logged, moved
from tools.evidence import StatusEvent


def seen(*signals, **others) -> set[tuple[str, str]]:
    observations, _, _ = incident(signals=tuple(signals), **others)
    return {(t.trait, t.service) for t in see_traits(observations)}


@pytest.mark.parametrize(
    ("metric", "before", "after", "trait"),
    [
        ("db_pool_wait_seconds_p99", 0.01, 8, "pool_exhausted"),
        ("hikaricp.connections.pending.wait", 0, 9, "pool_exhausted"),
        ("cacheHitRatio", 0.97, 0.5, "cache_hit_down"),
        ("redis_evicted_keys_total", 0, 100, "evictions"),
        ("container_memory_working_set_bytes", 1e8, 9e8, "memory_growing"),
        ("node_filesystem_avail_bytes", 1e10, 1e6, "disk_filling"),
        ("http_client_outbound_requests_per_sec", 100, 900, "fan_out"),
        ("kafka_consumer_lag", 10, 9000, "queue_growing"),
        ("kube_deployment_status_replicas_ready", 6, 2, "replicas_down"),
        ("db_query_count_per_request", 3, 47, "query_count_up"),
        ("tls_cert_seconds_until_expiry", 300, -60, "certificate_expired"),
        ("tcp_retransmits_per_min", 10, 900, "network_loss"),
    ],
)
def test_metric_names_of_several_worlds(metric: str, before: float, after: float, trait: str) -> None:
    assert (trait, "web") in seen(moved("web", metric, before, after))


@pytest.mark.parametrize(
    ("line", "trait"),
    [
        ("panic: runtime error: invalid memory address or nil pointer dereference", "null_dereference"),
        ("TypeError: Cannot read properties of undefined (reading 'id')", "null_dereference"),
        ("java.lang.OutOfMemoryError: Java heap space", "out_of_memory"),
        ("write /data/wal: no space left on device", "disk_full"),
        ("x509: certificate has expired or is not yet valid", "certificate_expired"),
        ('pq: column "price_cents" does not exist', "schema_missing"),
        ("FATAL: sorry, too many clients already", "pool_exhausted"),
        ("dial tcp: lookup orders.svc on 10.0.0.2: no such host", "dns_failed"),
        ("password authentication failed for user app", "auth_failed"),
        ("deadlock detected", "lock_wait"),
        ("accept: too many open files", "descriptors_exhausted"),
        ("429 Too Many Requests", "rate_limited"),
        ("could not serialize access due to concurrent update", "race"),
    ],
)
def test_error_texts_of_several_worlds(line: str, trait: str) -> None:
    assert (trait, "web") in seen(logged("web", line))


def test_information_is_no_failure() -> None:
    assert not seen(logged("web", "connection timeout set to 5s, retry enabled", severity="INFO"))


def test_a_spike_that_healed_is_no_trait() -> None:
    assert not seen(moved("web", "queue_depth", 1, 90, shape="spike", golden=GoldenSignal.SATURATION))


def test_uncertain_signals_are_left_out() -> None:
    assert not seen(moved("web", "http_5xx_ratio", 0.01, 0.02, confidence=0.1))


def test_new_debug_lines_show() -> None:
    assert ("debug_lines", "agent") in seen(logged("agent", "processing record", severity="DEBUG"))


@pytest.mark.parametrize(("status", "declared"), [("degraded", True), ("operating-normally", False), ("outage", True)])
def test_only_trouble_is_declared(status: str, declared: bool) -> None:
    event = StatusEvent(id="s1", provider="cloud", service="Storage", status=status, title="x", started_at=at(-1))
    assert (("provider_declares", "Storage") in seen(status_events=(event,))) is declared


def test_the_clearest_signal_speaks_and_the_first_dates_it() -> None:
    observations, _, _ = incident(
        signals=(
            moved("web", "http_5xx_ratio", 0.01, 0.1, minutes=-3, confidence=0.6),
            moved("web", "grpc_error_ratio", 0.01, 0.9, minutes=2, confidence=0.99),
        )
    )
    (trait,) = [t for t in see_traits(observations) if t.trait == "error_rate_up"]
    assert "grpc_error_ratio" in trait.text
    assert trait.onset == at(-3)
