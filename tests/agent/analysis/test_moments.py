from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, strategies as st

from agent.analysis.moments import AROUND_THE_ALERT, candidate_moments
from tests.agent.analysis.scenes import NOON, at

MOMENTS = st.integers(-7200, 7200).map(lambda seconds: NOON + timedelta(seconds=seconds))


def test_the_symptoms_own_moment_and_those_around_the_alert_are_tried() -> None:
    assert candidate_moments(at(-30), NOON) == (at(-30), at(-2), at(-1), NOON, at(1))


def test_a_moment_that_is_one_of_those_is_tried_once() -> None:
    assert candidate_moments(at(-1), NOON) == (at(-2), at(-1), NOON, at(1))


@given(split=MOMENTS, fired_at=MOMENTS)
def test_they_are_in_order_and_the_alert_is_among_them(split: datetime, fired_at: datetime) -> None:
    moments = candidate_moments(split, fired_at)
    assert list(moments) == sorted(set(moments))
    assert {split, fired_at} <= set(moments)
    assert len(moments) <= 1 + len(AROUND_THE_ALERT)


@given(split=MOMENTS, fired_at=MOMENTS, shift=st.integers(-(10**6), 10**6))
def test_moving_both_moves_all(split: datetime, fired_at: datetime, shift: int) -> None:
    by = timedelta(seconds=shift)
    assert candidate_moments(split + by, fired_at + by) == tuple(m + by for m in candidate_moments(split, fired_at))
