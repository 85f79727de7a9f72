"""Recovered means: the last two samples after the mitigation are back inside the baseline's band."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from hypothesis import given, strategies as st

from agent.analysis.recovery import read_recovery
from agent.incident import Direction

ACTED = datetime(2026, 6, 18, 15, 30, tzinfo=UTC)


def frame(values: Sequence[float], since: datetime, instance: str = "") -> pd.DataFrame:
    times = pd.date_range(since, periods=len(values), freq="30s", unit="us")
    return pd.DataFrame(
        {"timestamp": times, "service": "s", "instance": instance, "metric": "m", "value": list(values), "unit": ""}
    )


def baseline(level: float, noise: float = 0.0, seed: int = 7) -> pd.DataFrame:
    values = level + noise * np.random.default_rng(seed).standard_normal(60)
    return frame(values.tolist(), ACTED - timedelta(hours=2))


def recovered(before: pd.DataFrame, after: Sequence[float], direction: Direction, bad: float) -> bool:
    reading = read_recovery(before, frame(after, ACTED + timedelta(seconds=10)), direction, bad, ACTED)
    assert reading is not None
    return reading.recovered


def test_back_inside_for_two_samples() -> None:
    assert recovered(baseline(100, 3), [900, 850, 104, 101], "up", 900)


def test_one_sample_is_not_enough() -> None:
    assert not recovered(baseline(100, 3), [900, 850, 840, 101], "up", 900)
    assert not recovered(baseline(100, 3), [101], "up", 900)


def test_back_and_away_again_is_not_recovered() -> None:
    assert not recovered(baseline(100, 3), [101, 100, 500], "up", 900)


def test_half_way_back_is_not_recovered() -> None:
    assert not recovered(baseline(100, 3), [450, 450], "up", 900)


def test_a_flat_baseline_tolerates_a_tenth_of_the_shift() -> None:
    assert recovered(baseline(0.0), [0.05, 0.04], "up", 0.8)
    assert not recovered(baseline(0.0), [0.2, 0.2], "up", 0.8)


def test_a_fall_must_rise_again() -> None:
    assert recovered(baseline(100, 3), [3, 95, 98], "down", 2)
    assert not recovered(baseline(100, 3), [3, 4, 5], "down", 2)


def test_better_than_before_is_recovered_too() -> None:
    assert recovered(baseline(100, 3), [20, 20], "up", 900)


def test_the_worst_instance_counts() -> None:
    after = pd.concat(
        [
            frame([100, 100], ACTED + timedelta(seconds=10), "a"),
            frame([100, 900], ACTED + timedelta(seconds=10), "b"),
        ]
    )
    reading = read_recovery(baseline(100, 3), after, "up", 900, ACTED)
    assert reading is not None
    assert not reading.recovered
    assert reading.last == 900


def test_samples_before_the_mitigation_do_not_count() -> None:
    reading = read_recovery(baseline(100), frame([100, 100], ACTED - timedelta(minutes=5)), "up", 900, ACTED)
    assert reading is not None
    assert (reading.recovered, reading.samples, reading.last) == (False, 0, None)


def test_without_a_baseline_nothing_can_be_said() -> None:
    assert read_recovery(baseline(1).iloc[:0], frame([1, 1], ACTED), "up", 9, ACTED) is None


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30),
    st.lists(st.floats(-1e9, 1e9), max_size=10),
    st.floats(allow_nan=False),
    st.sampled_from(["up", "down"]),
)
def test_staying_at_the_bad_level_is_never_recovery(
    before: list[float], after: list[float], bad: float, direction: Direction
) -> None:
    reading = read_recovery(
        frame(before, ACTED - timedelta(hours=1)), frame(after, ACTED + timedelta(seconds=1)), direction, bad, ACTED
    )
    assert reading is not None
    if reading.recovered and reading.last is not None:
        assert reading.last <= reading.limit if direction == "up" else reading.last >= reading.limit
    if len(after) < 2:
        assert not reading.recovered
