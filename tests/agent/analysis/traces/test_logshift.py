from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from agent.analysis.traces.logshift import LogShift, log_shift


def shift(before: list[float], after: list[float], floor: float = 0.1) -> LogShift:
    values = np.array([*before, *after])
    side = np.array([False] * len(before) + [True] * len(after))
    return log_shift(values, np.zeros(len(values), dtype=np.int64), side, 1, floor)


def test_ten_times_slower_is_seen_on_one_trace_a_side_and_believed_on_three() -> None:
    once, thrice = shift([10], [100]), shift([10, 11, 9], [100, 90, 120])
    assert thrice.p[0] < 0.001 < once.p[0] < 0.05
    assert once.ratio[0] == pytest.approx(10)


def test_twice_as_slow_on_one_trace_is_nothing() -> None:
    assert shift([10], [20]).p[0] > 0.2


def test_agreement_of_few_samples_proves_little() -> None:
    assert shift([10, 10], [12, 12]).p[0] > 0.2
    assert shift([10] * 200, [12] * 200).p[0] < 0.01


def test_a_few_wild_spans_do_not_decide() -> None:
    quiet, wild = [10.0] * 40, [10.0] * 35 + [5000.0] * 5
    assert shift(quiet, wild).p[0] > 0.5


def test_levels_are_medians_in_their_own_unit() -> None:
    found = shift([1, 2, 4], [8, 16, 32])
    assert (found.before[0], found.after[0]) == (pytest.approx(2), pytest.approx(16))
    assert (found.n_before[0], found.n_after[0]) == (3, 3)


def test_a_side_without_samples_tells_nothing() -> None:
    found = shift([], [5])
    assert found.p[0] == 1
    assert np.isnan(found.before[0])
    assert found.size[0] == 0
    assert shift([float("nan")], [5]).n_before[0] == 0


def test_below_the_floor_all_is_alike() -> None:
    assert shift([0.0] * 30, [0.09] * 30).p[0] == 1


def test_noise_is_rarely_taken_for_a_shift() -> None:
    rng = np.random.default_rng(8)
    groups = np.tile(np.arange(400), 24)
    values = rng.lognormal(2, 0.4, groups.size)
    found = log_shift(values, groups, rng.random(groups.size) < 0.5, 400, 0.1)
    assert (found.p < 0.01).mean() < 0.02


@given(
    before=st.lists(st.floats(0.2, 1e6), min_size=1, max_size=9),
    after=st.lists(st.floats(0.2, 1e6), min_size=1, max_size=9),
    scale=st.floats(1, 100),
)
def test_the_unit_does_not_matter(before: list[float], after: list[float], scale: float) -> None:
    found, scaled = shift(before, after), shift([x * scale for x in before], [x * scale for x in after])
    assert 0 <= found.p[0] <= 1
    assert scaled.p[0] == pytest.approx(found.p[0], abs=1e-6)
    assert scaled.size[0] == pytest.approx(found.size[0], abs=1e-6)
