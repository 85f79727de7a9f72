"""Numbers as a person reads them."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from agent.figures import counted, digits, duration, named_unit, quantity, roughly, times_as_much


@pytest.mark.parametrize(
    ("value", "unit", "metric", "shown"),
    [
        (4120, "ms", "", "4.12 s"),
        (82.04, "ms", "", "82 ms"),
        (0.0004, "s", "", "400 µs"),
        (0.9999, "s", "", "1 s"),
        (59.99, "s", "", "1 min"),
        (85, "%", "", "85 %"),
        (0.4387, "", "http_5xx_ratio", "43.9 %"),
        (4120, "", "http_server_duration_p99_ms", "4.12 s"),
        (120.8, "", "job_wait_seconds_p95", "2 min 1 s"),
        (528.8, "", "authorisations_per_sec", "529/s"),
        (3 * 2**30, "bytes", "", "3 GiB"),
        (0, "bytes", "", "0 B"),
        (12.1, "", "queries_per_request", "12.1"),
        (7, "connections", "", "7 connections"),
        (7, "1", "", "7"),
        (-0.5, "s", "", "-500 ms"),
        (math.nan, "ms", "", "no value"),
        (math.inf, "ms", "", "∞"),
    ],
)
def test_a_quantity_carries_its_unit_in_the_size_that_fits(value: float, unit: str, metric: str, shown: str) -> None:
    assert quantity(value, unit, metric) == shown


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        ("http_p99_ms", "ms"),
        ("process.memory.bytes", "bytes"),
        ("request_duration_seconds_p95", "seconds"),
        ("request_duration_seconds_count", ""),
        ("items", ""),
        ("programs", ""),
        ("", ""),
    ],
)
def test_the_unit_is_read_from_the_end_of_a_metrics_name_only(metric: str, unit: str) -> None:
    assert named_unit(metric) == unit


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (timedelta(), "0 s"),
        (timedelta(milliseconds=40), "40 ms"),
        (timedelta(seconds=4.123), "4.12 s"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(minutes=7, seconds=20), "7 min 20 s"),
        (timedelta(hours=2, minutes=5, seconds=59), "2 h 5 min"),
        (timedelta(days=3, seconds=12), "3 d"),
        (timedelta(minutes=-2), "-2 min"),
    ],
)
def test_a_duration_has_at_most_two_units(length: timedelta, shown: str) -> None:
    assert duration(length) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "40 ms"), (20, "20 s"), (59.7, "1 min"), (97, "1.6 min"), (7200, "2 h")],
)
def test_an_uncertainty_has_one_unit(seconds: float, shown: str) -> None:
    assert roughly(timedelta(seconds=seconds)) == shown


@given(st.floats(min_value=-1e11, max_value=1e11).filter(lambda v: v == 0 or abs(v) >= 1e-3))
def test_three_digits_are_within_half_a_per_cent_and_never_an_exponent(value: float) -> None:
    shown = digits(value)
    assert "e" not in shown
    assert float(shown.replace(",", "")) == pytest.approx(value, rel=0.0051)


def test_a_ratio_is_left_out_where_it_says_nothing() -> None:
    assert times_as_much(1, 12.1) == "×12"
    assert times_as_much(10, 3) == "×0.3"
    assert times_as_much(0, 41) == ""
    assert times_as_much(100, 102) == ""
    assert times_as_much(math.nan, 1) == ""


def test_words_are_counted_as_people_do() -> None:
    assert counted(1, "service") == "1 service"
    assert counted(2, "query") == "2 queries"
    assert counted(1200, "day") == "1,200 days"
