from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from agent.analysis.paths.shares import Usual, row_medians, two_sample, usual_shares


def usual(taken: list[float], totals: list[float], novelty: float = 0.0) -> Usual:
    return usual_shares(np.array([taken], dtype=float), np.array([totals], dtype=float), np.array([novelty]))


def test_what_is_rare_is_not_impossible() -> None:
    # The median over stretches of ten events is 0; the share is not.
    assert usual([0, 1, 0, 0, 1, 0, 0], [10] * 7).share[0] == pytest.approx(2 / 70)


def test_an_incident_in_a_stretch_is_left_out() -> None:
    found = usual([0, 0, 9, 10, 0, 0], [10] * 6)
    assert (found.share[0], found.events[0]) == (0, 40)


def test_where_hardly_a_stretch_is_like_another_the_median_stays() -> None:
    found = usual([0, 0, 0, 5, 10, 10, 10], [10] * 7)
    assert (found.share[0], found.events[0]) == (0.5, 70)


def test_without_a_full_stretch_all_is_added_up() -> None:
    found = usual([1, 0, 1], [2, 2, 2])
    assert (found.share[0], found.events[0]) == (pytest.approx(1 / 3), 6)


def test_paths_made_from_data_bring_new_ones_all_the_time() -> None:
    assert usual([0, 0, 0], [10] * 3, novelty=0.6).share[0] == pytest.approx(0.02)


def test_a_mix_that_swings_disperses() -> None:
    steady = usual([50, 51, 49, 50, 52, 48], [100] * 6).dispersion[0]
    swinging = usual([30, 70, 45, 60, 25, 66], [100] * 6).dispersion[0]
    assert steady < 1.5 < 3 < swinging


def test_no_stretch_at_all() -> None:
    found = usual_shares(np.zeros((2, 0)), np.zeros((2, 0)), np.zeros(2))
    assert found.events.tolist() == [0, 0]


def test_medians_leave_out_what_is_missing() -> None:
    values = np.array([[3.0, np.nan, 1.0], [np.nan] * 3, [4.0, 1.0, 2.0]])
    assert row_medians(values).tolist()[::2] == [2.0, 2.0]
    assert np.isnan(row_medians(values)[1])


@given(taken=st.integers(0, 50), more=st.integers(0, 50), too=st.integers(0, 50), more_too=st.integers(0, 50))
def test_the_ratio_is_never_negative_and_nothing_for_equal_shares(
    taken: int, more: int, too: int, more_too: int
) -> None:
    def ratio(a: int, m: int, b: int, n: int) -> float:
        return float(two_sample(*(np.array([float(x)]) for x in (a, m, b, n)))[0])

    assert ratio(taken, taken + more, too, too + more_too) >= -1e-9
    assert ratio(taken, taken + more, 3 * taken, 3 * (taken + more)) == pytest.approx(0, abs=1e-9)
    assert ratio(0, 30, 10, 20) == pytest.approx(ratio(10, 20, 0, 30))
