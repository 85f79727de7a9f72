from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from agent.analysis.counts import (
    MAX_CONFIDENCE,
    adjusted,
    confidence_of,
    fall_p,
    group_medians,
    p_of_score,
    rate_score,
    ratio_bounds,
    rise_p,
    score_of_p,
    share_score,
    wilson_bounds,
)

COUNTS = st.integers(0, 500)
SHARES = st.floats(0.01, 0.99)


@given(k=COUNTS, more=COUNTS)
def test_wilson_bounds_hold_the_share_between_nought_and_one(k: int, more: int) -> None:
    low, high = wilson_bounds(k, k + more)
    assert 0 <= low <= high <= 1
    if k + more:
        assert low - 1e-12 <= k / (k + more) <= high + 1e-12
    else:
        assert (low, high) == (0, 1)


def test_wilson_bounds_are_those_of_the_textbook() -> None:
    expected = stats.binomtest(3, 20).proportion_ci(method="wilson")
    low, high = wilson_bounds(3, 20)
    assert (low, high) == (pytest.approx(expected.low, abs=1e-3), pytest.approx(expected.high, abs=1e-3))


@given(before=st.integers(0, 60), after=st.integers(1, 60), share=SHARES)
def test_rise_p_is_the_exact_binomial_tail(before: int, after: int, share: float) -> None:
    assert rise_p(before, after, share) == pytest.approx(stats.binom.sf(after - 1, before + after, share), rel=1e-6)
    assert fall_p(after, before, 1 - share) == pytest.approx(rise_p(before, after, share), rel=1e-6)


def test_nothing_seen_proves_nothing() -> None:
    assert rise_p(5, 0, 0.5) == 1
    assert fall_p(0, 5, 0.5) == 1
    assert rate_score(0, 0, 0.3) == 0
    assert share_score(0, 0, 3, 3) == 0


@given(before=COUNTS, after=COUNTS, share=SHARES)
def test_rate_score_has_the_sign_of_the_change(before: int, after: int, share: float) -> None:
    score = float(rate_score(before, after, share))
    expected = after - (before + after) * share
    assert np.isfinite(score)
    assert score * expected >= 0
    low, high = ratio_bounds(before, after, share)
    assert 0 <= low <= high


def test_the_score_agrees_with_the_exact_test_for_large_counts() -> None:
    assert p_of_score(rate_score(400, 500, 0.5)) / 2 == pytest.approx(float(rise_p(400, 500, 0.5)), rel=0.15)


def test_share_score_grows_with_the_evidence() -> None:
    few, many = share_score(0, 10, 2, 10), share_score(0, 100, 20, 100)
    assert 0 < few < many
    assert share_score(2, 10, 0, 10) == pytest.approx(-float(few))


@given(p=st.floats(0, 1))
def test_confidence_is_bounded_and_finite(p: float) -> None:
    assert 0 <= float(confidence_of(p)) <= MAX_CONFIDENCE
    assert np.isfinite(score_of_p(p))


def test_three_sigma_is_half_believed() -> None:
    assert confidence_of(p_of_score(3.0)) == pytest.approx(0.5)
    assert confidence_of(p_of_score(8.0)) > confidence_of(p_of_score(4.0)) > 0.5


def test_more_looks_cost_more() -> None:
    alone = adjusted(np.array([0.01]))
    among = adjusted(np.array([0.01, *[0.9] * 99]))
    assert alone[0] == pytest.approx(0.01)
    assert among[0] == pytest.approx(0.9)
    assert adjusted(np.array([])).size == 0


@given(
    rows=st.lists(st.tuples(st.integers(0, 4), st.floats(-1e6, 1e6) | st.just(float("nan"))), min_size=1, max_size=50)
)
def test_group_medians_are_the_medians_of_the_groups(rows: list[tuple[int, float]]) -> None:
    groups = np.array([group for group, _ in rows], dtype=np.int64)
    values = np.array([value for _, value in rows])
    found = group_medians(values, groups, 5)
    for group in range(5):
        mine = values[(groups == group) & ~np.isnan(values)]
        if mine.size:
            assert found[group] == pytest.approx(np.median(mine))
        else:
            assert np.isnan(found[group])
