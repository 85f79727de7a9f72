from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from agent.analysis.metrics.trend import SAMPLES, steady_slopes
from tests.agent.analysis.metric_frames import noise


def _minutes(series: int, samples: int) -> np.ndarray:
    return np.tile(np.arange(samples, dtype=np.float64), (series, 1))


def test_slopes_and_significance_are_those_of_the_textbook() -> None:
    values = noise("gauss", 30, 50, seed=1) + np.linspace(0, 1.5, 50)
    values[5] = np.round(values[5])
    values[6] = np.repeat(np.arange(10.0), 5)
    found = steady_slopes(_minutes(30, 50), values)
    for row in range(30):
        if stats.kendalltau(np.arange(50), values[row]).pvalue <= 0.01:
            assert found[row] == pytest.approx(stats.theilslopes(values[row], np.arange(50)).slope)
        else:
            assert found[row] == 0.0
    assert 0 < np.count_nonzero(found) < 30


def test_noise_has_no_slope_in_ninety_nine_of_a_hundred() -> None:
    assert np.mean(steady_slopes(_minutes(600, 60), noise("gauss", 600, 60, seed=2)) != 0) < 0.02


def test_long_series_are_thinned_and_wild_samples_do_not_tilt_it() -> None:
    values = 3.0 * np.arange(400.0)[None, :] + noise("gauss", 1, 400, seed=3)
    values[0, [0, 399]] = [1e6, -1e6]
    assert steady_slopes(_minutes(1, 400), values)[0] == pytest.approx(3.0, abs=0.02)
    assert SAMPLES < 400


def test_few_samples_and_constants_have_none() -> None:
    assert steady_slopes(_minutes(1, 7), np.arange(7.0)[None, :])[0] == 0.0
    assert steady_slopes(_minutes(1, 30), np.full((1, 30), 4.0))[0] == 0.0
