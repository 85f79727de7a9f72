"""Figures with units, as people write them in code and settings."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from agent.analysis.diff.quantities import Quantity, is_duration_pair, is_unit, read_quantity, unit_of_name, words_of


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("5*time.Second", "", Quantity(5, "s")),
        ("300 * time.Millisecond", "", Quantity(0.3, "s")),
        ("time.Minute", "", Quantity(60, "s")),
        ("2*time.Minute + 30*time.Second", "", Quantity(150, "s")),
        ("Duration.ofSeconds(5)", "", Quantity(5, "s")),
        ("Duration.of(5, ChronoUnit.SECONDS)", "", Quantity(5, "s")),
        ("5000, TimeUnit.MILLISECONDS", "", Quantity(5, "s")),
        ("Duration::from_secs(8)", "", Quantity(8, "s")),
        ("Duration::from_millis(250)", "", Quantity(0.25, "s")),
        ("Duration::new(5, 0)", "", Quantity(5, "s")),
        ("TimeSpan.FromSeconds(5)", "", Quantity(5, "s")),
        ("timedelta(minutes=25)", "", Quantity(1500, "s")),
        ("std::chrono::seconds(5)", "", Quantity(5, "s")),
        ("chrono::milliseconds{5}", "", Quantity(0.005, "s")),
        ("5.seconds", "", Quantity(5, "s")),
        ("30.minutes()", "", Quantity(1800, "s")),
        ("30s", "", Quantity(30, "s")),
        ("1500ms", "", Quantity(1.5, "s")),
        ('"10s"', "", Quantity(10, "s")),
        ("12 hours", "", Quantity(43200, "s")),
        ("1h30m", "", Quantity(5400, "s")),
        ("PT5S", "", Quantity(5, "s")),
        ("P1DT2H", "", Quantity(93600, "s")),
        ("5m", "", Quantity(300, "s")),
        ("512m", "mem_limit", Quantity(512e6, "bytes")),
        ("500m", "resources.limits.cpu", Quantity(0.5)),
        ("512Mi", "memory", Quantity(512 * 1024**2, "bytes")),
        ("8MB", "", Quantity(8e6, "bytes")),
        ("64k", "", Quantity(64e3, "bytes")),
        ("2gb", "maxmemory", Quantity(2e9, "bytes")),
        ("1<<20", "", Quantity(1048576)),
        ("64 * 1024", "max_bytes", Quantity(65536, "bytes")),
        ("80%", "", Quantity(0.8, "ratio")),
        ("8_000", "", Quantity(8000)),
        ("0x10", "", Quantity(16)),
        ("10L", "", Quantity(10)),
        ("10000u64", "", Quantity(10000)),
        ("-1", "", Quantity(-1)),
        ("${POOL_SIZE:10}", "", Quantity(10)),
        ("${TIMEOUT:-30s}", "", Quantity(30, "s")),
        ("8_000", "timeoutMs", Quantity(8, "s")),
        ("30", "CHART_TTL_SECONDS", Quantity(30, "s")),
        ("604800000", "retention.ms", Quantity(604800, "s")),
        ("5 * 60 * 1000", "timeout_ms", Quantity(300, "s")),
        ("5", "maxItems", Quantity(5)),
        ("2", "pool.min", Quantity(2)),
        ("100", "requests_per_second", Quantity(100)),
    ],
)
def test_quantity(text: str, name: str, expected: Quantity) -> None:
    found = read_quantity(text, name)
    assert found is not None
    assert found.unit == expected.unit
    assert found.value == pytest.approx(expected.value)


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "info",
        "defaultMaxConns",
        "v1.2",
        "days",
        "f(5)",
        "a + 1",
        "1 << 999999999",
        "1e400",
        "5 / 0",
        "",
        "5 +",
        "(5",
        "x" * 300,
    ],
)
def test_no_quantity(text: str) -> None:
    assert read_quantity(text) is None


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str, name: str) -> None:
    found = read_quantity(text, name)
    assert found is None or math.isfinite(found.value)


@given(st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "h"]))
def test_two_spellings_of_one_duration(amount: int, unit: str) -> None:
    go = {"ms": "Millisecond", "s": "Second", "m": "Minute", "h": "Hour"}[unit]
    short, long = read_quantity(f"{amount}{unit}", "timeout"), read_quantity(f"{amount} * time.{go}")
    assert short is not None
    assert long is not None
    assert short.value == pytest.approx(long.value)


def test_words_and_units_of_names() -> None:
    assert words_of("maxIdleTimeMs") == words_of("max_idle.time-ms") == ["max", "idle", "time", "ms"]
    assert words_of("HTTPServerURL") == ["http", "server", "url"]
    assert unit_of_name("params") is None
    assert unit_of_name("idle-timeout-seconds") == (1.0, "s")
    assert is_unit("Duration.ofSeconds")
    assert not is_unit("client.get")
    assert is_duration_pair("5, TimeUnit.SECONDS")
    assert not is_duration_pair("5, SomeClass.FIELD")
