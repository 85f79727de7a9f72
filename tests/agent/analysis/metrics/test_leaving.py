from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.metrics.leaving import leaves
from agent.analysis.metrics.onset import find_onset


def stairs(seed: int, flat: int = 50, climb: int = 90) -> np.ndarray:
    """A pool that loses a connection now and then: flat, then a stair-like climb."""
    rng = np.random.default_rng(seed)
    lost = np.cumsum(rng.random(climb) < 0.35).astype(float)
    return np.concatenate([np.zeros(flat), lost]) + 0.04 + 0.01 * rng.random(flat + climb)


@pytest.mark.parametrize("seed", range(10))
def test_a_slow_leak_is_dated_at_its_beginning(seed: int) -> None:
    found = leaves(stairs(seed))
    assert found is not None
    assert found.up
    assert 50 <= found.first <= 56


def test_it_is_part_of_the_search_for_onsets() -> None:
    values = stairs(3)
    times = np.datetime64("2026-01-01T00:00:00", "us") + np.arange(len(values)) * np.timedelta64(30, "s")
    onset = find_onset(times, values)
    assert onset is not None
    assert onset.direction == "up"
    assert 45 * 30 <= (np.datetime64(onset.at.replace(tzinfo=None)) - times[0]) / np.timedelta64(1, "s") <= 57 * 30


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(10, 200), kind=st.sampled_from(["normal", "laplace", "poisson"]))
def test_noise_leaves_nothing(seed: int, count: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    drawn = {"normal": rng.normal(10, 2, count), "laplace": rng.laplace(10, 2, count), "poisson": rng.poisson(4, count)}
    assert leaves(drawn[kind].astype(float)) is None


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), slope=st.floats(0.01, 5))
def test_a_straight_line_has_no_beginning_to_leave(seed: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    assert leaves(slope * np.arange(120) + rng.normal(0, 0.5 * slope, 120)) is None


def test_a_bump_that_recovered_was_not_left_for_good() -> None:
    values = np.full(100, 5.0)
    values[40:60] = 50.0
    assert leaves(values) is None


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), factor=st.floats(0.01, 1000))
def test_scale_does_not_matter(seed: int, factor: float) -> None:
    one, other = leaves(stairs(seed)), leaves(stairs(seed) * factor)
    assert (one and one.first) == (other and other.first)
