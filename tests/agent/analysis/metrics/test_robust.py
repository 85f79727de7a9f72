from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from agent.analysis.metrics.robust import centre_and_spread, median_of_three, spread_of, tempered
from tests.agent.analysis.metric_frames import noise


def test_the_spread_of_normal_noise_is_its_standard_deviation() -> None:
    assert spread_of(noise("gauss", 50, 400, seed=1)).mean() == pytest.approx(1.0, abs=0.03)


def test_wild_samples_hardly_move_the_spread() -> None:
    rows = noise("gauss", 1, 200, seed=2)
    wild = rows.copy()
    wild[0, ::20] = 1e6
    assert spread_of(wild)[0] < 1.3 * spread_of(rows)[0]


def test_mostly_one_value_still_has_the_spread_of_the_rest() -> None:
    rare = np.zeros((1, 100))
    rare[0, ::10] = 1.0
    assert 0.2 < spread_of(rare)[0] < 0.4
    lone = np.zeros((1, 100))
    lone[0, 50] = 7.0
    assert spread_of(lone)[0] == 0.0


def test_a_lone_outlier_vanishes_and_a_step_stays() -> None:
    row = np.array([[0.0, 0, 9, 0, 0, 5, 5, 5]])
    assert median_of_three(row).tolist() == [[0.0, 0, 0, 0, 0, 5, 5, 5]]


def test_the_last_sample_alone_is_an_outlier_and_two_are_not() -> None:
    assert median_of_three(np.array([[0.0, 0, 0, 0, 9]]))[0, -1] == 0.0
    assert median_of_three(np.array([[0.0, 0, 0, 9, 9]]))[0, -1] == 9.0


def test_tempering_pulls_back_an_outlier_only() -> None:
    rows = noise("gauss", 1, 100, seed=3)
    wild = rows.copy()
    wild[0, 40] = 80.0
    calm = tempered(wild)
    assert calm[0, 40] < 6.0
    assert np.mean(calm != wild) < 0.03


def test_nothing_has_no_spread() -> None:
    assert centre_and_spread(np.zeros(0)) == (0.0, 0.0)
    assert tempered(np.array([[1.0, 2.0]])).tolist() == [[1.0, 2.0]]


@given(
    values=st.lists(st.integers(-1000, 1000), min_size=3, max_size=40),
    factor=st.sampled_from([0.25, 2.0, 1024.0]),
    offset=st.integers(-10_000, 10_000),
)
def test_scale_follows_a_factor_and_ignores_an_offset(values: list[int], factor: float, offset: int) -> None:
    row = np.array(values, dtype=np.float64)
    centre, spread = centre_and_spread(row)
    moved, same = centre_and_spread(row * factor + offset)
    assert moved == pytest.approx(centre * factor + offset)
    assert same == pytest.approx(spread * factor)
