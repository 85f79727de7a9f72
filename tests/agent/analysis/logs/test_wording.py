from __future__ import annotations

import pytest

from agent.analysis.logs.wording import (
    golden_of,
    resource_of,
    speaks_of_cancellation,
    speaks_of_deadline,
    speaks_of_failure,
    speaks_of_lifecycle,
)
from agent.incident import GoldenSignal, Resource


@pytest.mark.parametrize(
    "text",
    [
        "request failed: upstream refused",
        "panic: runtime error: nil pointer dereference",
        "java.lang.NullPointerException at x",
        "dial tcp: connection refused",
        "read timed out",
        "no space left on device",
        "GET /cart <5xx> in <*>",
        "pool exhausted",
        "circuit open: ServiceUnavailable",
    ],
)
def test_failures_are_heard(text: str) -> None:
    assert speaks_of_failure(text)


@pytest.mark.parametrize(
    "text",
    [
        "request handled in <*> ms",
        "batch done, 0 errors",
        "finished without errors",
        "status=ok error=null failed=0",
        "error budget report sent",
        "posted <*> points",
    ],
)
def test_good_news_is_not_taken_for_failure(text: str) -> None:
    assert not speaks_of_failure(text)


@pytest.mark.parametrize(
    ("text", "severity", "golden"),
    [
        ("connection pool exhausted: context deadline exceeded", "ERROR", GoldenSignal.SATURATION),
        ("write wal: no space left on device", "ERROR", GoldenSignal.SATURATION),
        ("call to stock timed out after <*>", "ERROR", GoldenSignal.LATENCY),
        ("slow request took <*>", "WARN", GoldenSignal.LATENCY),
        ("nil pointer dereference", "ERROR", GoldenSignal.ERRORS),
        ("unexpected row", "WARN", None),
        ("connection pool of 24 ready", "INFO", None),
        ("checkout failed", "INFO", GoldenSignal.ERRORS),
    ],
)
def test_lines_are_told_by_what_runs_out_then_slowness_then_errors(
    text: str, severity: str, golden: GoldenSignal | None
) -> None:
    assert golden_of(text, severity) == golden


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        ("x509: certificate has expired", Resource.CERTIFICATE),
        ("timeout acquiring a connection from the pool", Resource.CONNECTIONS),
        ("worker pool saturated", Resource.THREADS),
        ("OOMKilled", Resource.MEMORY),
        ("invalid memory address or nil pointer dereference", None),
        ("consumer lag <*>", Resource.QUEUE),
        ("read tcp: connection reset by peer", Resource.NETWORK),
        ("statement timeout", Resource.DATABASE),
        ("refund-worker said hello", None),
    ],
)
def test_resources(text: str, resource: Resource | None) -> None:
    assert resource_of(text) == resource


def test_patience_and_lifecycle() -> None:
    assert speaks_of_deadline("rpc error: code = DeadlineExceeded")
    assert speaks_of_cancellation("context canceled")
    assert speaks_of_cancellation("client closed request")
    assert not speaks_of_cancellation("deadline exceeded")
    assert speaks_of_lifecycle("listening on :8080")
    assert not speaks_of_lifecycle("order placed")
