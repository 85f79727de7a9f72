"""Waiting and failures of all requests together, beyond what is usual."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.metrics.excess import LONGEST, NOISE_SHARE, ONE_FAILURE, USUAL_STRETCHES, excesses
from agent.analysis.metrics.series import clean_series
from agent.analysis.observed import Excess
from agent.incident import GoldenSignal
from tests.agent.analysis.metric_frames import metric_frame, noise
from tests.agent.analysis.telemetry import at
from tools.evidence import Query

SPLIT, ALERT = at(60), at(65)
BEFORE, AFTER = 60, 10
ALL = BEFORE + AFTER
"""Samples, one a minute."""

Named = tuple[str, str, Sequence[float]]


def step(before: float, after: float, *, first: int = BEFORE, samples: int = ALL) -> list[float]:
    return [before] * first + [after] * (samples - first)


def found(*series: Named, split: datetime = SPLIT, fired_at: datetime = ALERT, unit: str = "") -> tuple[Excess, ...]:
    return excesses(clean_series(metric_frame(*series, unit=unit)), split, fired_at)


def only(*series: Named, split: datetime = SPLIT, fired_at: datetime = ALERT, unit: str = "") -> Excess:
    (excess,) = found(*series, split=split, fired_at=fired_at, unit=unit)
    return excess


REQUESTS: Named = ("shop", "requests", step(100, 100))
SLOW: Named = ("shop", "latency_average", step(0.1, 0.3))
FAILING: Named = ("shop", "availability", step(1, 0.9))


def test_waiting_is_latency_times_requests() -> None:
    excess = only(REQUESTS, SLOW)
    assert (excess.service, excess.golden, excess.new) == ("shop", GoldenSignal.LATENCY, False)
    assert excess.amount == pytest.approx(AFTER * 100 * 0.2)
    assert excess.usual == pytest.approx(AFTER * 100 * 0.1)
    assert excess.noise == pytest.approx(NOISE_SHARE * excess.usual)
    assert excess.since == SPLIT
    assert excess.query == Query(tool="metric_range", arguments={"service": "shop", "metric": "latency_average"})


def test_failures_are_counted_in_requests() -> None:
    excess = only(REQUESTS, FAILING)
    assert excess.golden is GoldenSignal.ERRORS
    assert excess.amount == pytest.approx(AFTER * 100 * 0.1)
    assert excess.usual == AFTER * 100
    assert excess.noise == ONE_FAILURE


def test_a_little_slower_for_many_is_more_than_much_slower_for_few() -> None:
    few, many = found(
        ("a", "requests", step(1, 1)),
        ("a", "latency_average", step(0.1, 5)),
        ("b", "requests", step(1000, 1000)),
        ("b", "latency_average", step(0.1, 0.15)),
    )
    assert few.amount < many.amount


@pytest.mark.parametrize(
    ("metric", "scale"),
    [
        ("request_duration_mean_ms", 1e3),
        ("request_duration_mean_us", 1e6),
        ("request_duration_mean_seconds", 1),
        ("request_duration_mean", 1),
    ],
)
def test_waiting_is_in_seconds_whatever_the_unit(metric: str, scale: float) -> None:
    assert only(REQUESTS, ("shop", metric, step(0.1 * scale, 0.3 * scale))).amount == pytest.approx(200)


@pytest.mark.parametrize(
    ("metric", "before", "after"),
    [
        ("availability", 1, 0.9),
        ("availability", 100, 90),
        ("availability_pct", 100, 90),
        ("error_ratio", 0, 0.1),
        ("error_rate_percent", 0, 10),
        ("error_rate_percent", 0.5, 10.5),
    ],
)
def test_failures_from_shares_of_success_and_of_errors(metric: str, before: float, after: float) -> None:
    assert only(REQUESTS, ("shop", metric, step(before, after))).amount == pytest.approx(100)


def test_without_requests_nothing_is_weighed() -> None:
    assert found(SLOW, FAILING) == ()
    # Neither packets nor the requests of another service are requests to this one.
    assert found(SLOW, ("shop", "network_receive_packets", step(5, 5)), ("web", "requests", step(5, 5))) == ()


def test_nothing_is_measured_but_requests() -> None:
    assert found(REQUESTS) == ()
    assert excesses([], SPLIT, ALERT) == ()


@pytest.mark.parametrize(
    ("metric", "unit"), [("latency_p99", ""), ("latency_p95_ms", ""), ("latency", ""), ("latency_average", "%")]
)
def test_what_only_the_slowest_waited_tells_nothing_of_all(metric: str, unit: str) -> None:
    requests = metric_frame(REQUESTS)
    slow = metric_frame(("shop", metric, step(1, 3)), unit=unit)
    assert excesses(clean_series(pd.concat([requests, slow])), SPLIT, ALERT) == ()


def test_a_count_of_errors_is_no_share() -> None:
    assert found(REQUESTS, ("shop", "errors_per_sec", step(0, 50))) == ()


def metric_of(*names: str) -> object:
    measured = [("shop", name, step(0.1, 0.3)) for name in names]
    return only(REQUESTS, *measured).query.arguments["metric"]


def test_the_plainest_series_is_taken() -> None:
    assert metric_of("latency_p50", "latency_average") == "latency_average"
    assert metric_of("latency_p50", "latency_p25", "latency_p99") == "latency_p25"
    assert metric_of("error_ratio", "availability") == "availability"
    assert metric_of("latency_mean", "latency_avg") == "latency_avg"


def test_requests_are_preferred_to_other_traffic() -> None:
    assert only(SLOW, REQUESTS, ("shop", "messages", step(7, 7))).amount == pytest.approx(200)
    assert only(SLOW, ("shop", "messages", step(7, 7))).amount == pytest.approx(14)


def test_quicker_is_less_than_nothing() -> None:
    excess = only(REQUESTS, ("shop", "latency_average", step(0.3, 0.1)))
    assert excess.amount == pytest.approx(-200)
    assert excess.since == SPLIT


def test_it_began_when_it_was_first_more_than_usual() -> None:
    assert only(REQUESTS, ("shop", "latency_average", step(0.1, 0.3, first=63))).since == at(63)


def test_a_service_that_nobody_called_before_is_new() -> None:
    silent: Named = ("shop", "requests", step(0, 100))
    excess = only(silent, SLOW)
    assert excess.new
    assert excess.usual == pytest.approx(AFTER * 100 * 0.1)
    assert not only(REQUESTS, SLOW).new


def test_a_service_without_any_sample_before_is_new_and_all_its_waiting_is_more() -> None:
    frame = metric_frame(("shop", "requests", [100] * AFTER), ("shop", "latency_average", [0.3] * AFTER))
    frame["timestamp"] += timedelta(minutes=BEFORE)
    (excess,) = excesses(clean_series(frame), SPLIT, ALERT)
    assert excess.new
    assert (excess.amount, excess.usual, excess.noise) == (pytest.approx(300), 0, 0)


def test_a_service_that_nobody_calls_any_more_does_not_wait() -> None:
    assert found(("shop", "requests", step(100, 0)), SLOW) == ()


def test_a_series_that_ended_before_says_nothing() -> None:
    assert found(("shop", "requests", [100] * BEFORE), ("shop", "latency_average", [0.1] * BEFORE)) == ()


def test_only_moments_of_both_series_count() -> None:
    half = metric_frame(("shop", "requests", step(100, 100)))
    half = half[half["timestamp"].dt.minute % 2 == 0]
    slow = metric_frame(SLOW)
    (excess,) = excesses(clean_series(pd.concat([half, slow])), SPLIT, ALERT)
    assert excess.amount == pytest.approx(AFTER / 2 * 100 * 0.2)


def test_of_a_long_incident_the_last_half_hour_before_the_alert_counts() -> None:
    samples, fired_at = 200, at(190)
    series = (("shop", "requests", [100.0] * samples), ("shop", "latency_average", step(0.1, 0.3, samples=samples)))
    began = fired_at - LONGEST
    excess = only(*series, split=at(150), fired_at=fired_at)
    assert excess.since == began
    assert only(*series, split=began, fired_at=fired_at) == excess
    later = only(*series, split=at(180), fired_at=fired_at)
    assert (later.since, later.amount) == (at(180), pytest.approx(excess.amount * 20 / 40, abs=1e-6))


def uneven(seed: int, spread: float, samples: int = ALL) -> list[float]:
    return list(0.1 + spread * np.abs(noise("gauss", 1, samples, seed)[0]))


def beyond_floor(excess: Excess) -> float:
    return excess.noise / (NOISE_SHARE * excess.usual)


def test_what_varies_every_day_is_noise() -> None:
    steady, uneasy, restless = (only(REQUESTS, ("shop", "latency_average", uneven(1, x))) for x in (0, 0.05, 0.5))
    assert beyond_floor(steady) == pytest.approx(1)
    assert 1.2 < beyond_floor(uneasy) < beyond_floor(restless)


def test_a_short_history_guesses_how_much_the_sum_varies() -> None:
    def excess_after(before: int) -> Excess:
        samples = before + AFTER
        latency = ("shop", "latency_average", uneven(2, 0.05, samples))
        return only(("shop", "requests", [100.0] * samples), latency, split=at(before), fired_at=at(before + 5))

    short, long = excess_after(AFTER + USUAL_STRETCHES - 1), excess_after(200)
    assert beyond_floor(short) > 1.5
    assert 0.2 * long.noise < short.noise < 5 * long.noise


def test_of_a_single_sample_before_only_the_floor_is_known() -> None:
    series = (("shop", "requests", [100.0] * 5), ("shop", "availability", step(1, 0.9, first=1, samples=5)))
    assert only(*series, split=at(1), fired_at=at(2)).noise == ONE_FAILURE


def test_services_come_in_order_of_names_with_latency_first() -> None:
    both = [(service, metric, values) for service in "ba" for _, metric, values in (REQUESTS, SLOW, FAILING)]
    assert [(x.service, x.golden) for x in found(*both)] == [
        (service, golden) for service in "ab" for golden in (GoldenSignal.LATENCY, GoldenSignal.ERRORS)
    ]


LATENCIES = st.lists(st.integers(1, 1000).map(lambda ms: ms / 1024), min_size=20, max_size=20)
COUNTS = st.lists(st.integers(0, 50).map(float), min_size=20, max_size=20)


@settings(max_examples=20, deadline=None)
@given(counts=COUNTS, latencies=LATENCIES, power=st.integers(-8, 8))
def test_the_excess_grows_with_the_latencies(counts: list[float], latencies: list[float], power: int) -> None:
    def waiting(factor: float) -> tuple[Excess, ...]:
        slow = [factor * value for value in latencies]
        return found(("a", "requests", counts), ("a", "latency_mean", slow), split=at(15), fired_at=at(16))

    factor = 2.0**power
    for one, scaled in zip(waiting(1), waiting(factor), strict=True):
        assert scaled.amount == pytest.approx(factor * one.amount)
        assert scaled.noise == pytest.approx(factor * one.noise)
        assert scaled.usual == pytest.approx(factor * one.usual)
        assert (scaled.new, scaled.since) == (one.new, one.since)


@settings(max_examples=20, deadline=None)
@given(counts=COUNTS, latencies=LATENCIES, seed=st.integers(0, 1000))
def test_neither_order_nor_another_service_matters(counts: list[float], latencies: list[float], seed: int) -> None:
    own = [("a", "requests", counts), ("a", "latency_mean", latencies)]
    others = [("b", "requests", latencies), ("b", "latency_mean", counts), ("b", "availability", step(1, 0, first=9))]
    series = clean_series(metric_frame(*own, *others))
    random.Random(seed).shuffle(series)
    together = excesses(series, at(15), at(16))
    alone = excesses(clean_series(metric_frame(*own)), at(15), at(16))
    assert tuple(x for x in together if x.service == "a") == alone
