"""Nats against noise: nothing below usual counts, and more never counts less."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agent.analysis.faults.fault import beyond_noise

AMOUNTS = st.floats(-1e6, 1e6)
NOISES = st.floats(1e-3, 1e6)


@given(amount=st.floats(-1e6, 0), noise=NOISES)
def test_what_is_not_above_usual_weighs_nothing(amount: float, noise: float) -> None:
    assert beyond_noise(amount, noise) == 0.0


@given(amounts=st.tuples(AMOUNTS, AMOUNTS), noise=NOISES)
def test_more_never_weighs_less(amounts: tuple[float, float], noise: float) -> None:
    assert beyond_noise(min(amounts), noise) <= beyond_noise(max(amounts), noise)


@given(amount=st.floats(0, 1e6), noises=st.tuples(NOISES, NOISES))
def test_the_same_in_more_noise_never_weighs_more(amount: float, noises: tuple[float, float]) -> None:
    assert beyond_noise(amount, max(noises)) <= beyond_noise(amount, min(noises))


@given(amount=st.floats(0, 1e4), noise=st.floats(0.01, 1e4), factor=st.floats(1e-3, 1e3))
def test_the_unit_does_not_matter(amount: float, noise: float, factor: float) -> None:
    assert beyond_noise(factor * amount, factor * noise) == pytest.approx(beyond_noise(amount, noise))


def test_it_grows_with_the_logarithm_only() -> None:
    assert beyond_noise(1000, 1) - beyond_noise(100, 1) < 1.1 * (beyond_noise(10_000, 1) - beyond_noise(1000, 1))
    assert beyond_noise(1_000_000, 1) < 2.1 * beyond_noise(1000, 1)
