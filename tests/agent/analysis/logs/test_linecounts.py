from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from agent.analysis.logs.linecounts import CROWDED, MAX_BUCKETS, MINUTE, Grid, Tally

TIMES = st.lists(st.integers(0, 120 * MINUTE), min_size=1, max_size=40).map(lambda t: np.array(t, dtype=np.int64))


@given(times=TIMES, split=st.integers(-60 * MINUTE, 200 * MINUTE))
def test_every_line_falls_into_one_bucket_and_the_split_is_an_edge(times: np.ndarray, split: int) -> None:
    grid = Grid.over(times, split)
    tally = Tally.of(grid, times, np.zeros(len(times), dtype=np.int64), 1)
    assert tally.counts.sum() == len(times)
    assert (split - grid.origin) % grid.width == 0
    assert tally.before[0] == (times < split).sum()
    assert 1 <= tally.events.sum() <= len(times)
    assert (tally.first[0], tally.last[0]) == (times.min(), times.max())
    assert grid.total == pytest.approx((times.max() + 1 - times.min()) / MINUTE)
    assert grid.minutes_before + grid.minutes_after == pytest.approx(grid.total)


def test_long_windows_get_wider_buckets() -> None:
    grid = Grid.over(np.array([0, 7 * 24 * 60 * MINUTE], dtype=np.int64), 24 * 60 * MINUTE)
    assert grid.buckets <= MAX_BUCKETS + 1


def test_a_minute_without_a_line_is_a_hole_only_where_lines_abound() -> None:
    minutes = [m for m in range(30) if m not in {10, 11, 12}]
    crowd = np.array([m * MINUTE + i for m in minutes for i in range(CROWDED)], dtype=np.int64)
    thin = np.array([m * MINUTE for m in minutes], dtype=np.int64)
    assert Grid.over(crowd, 15 * MINUTE).minutes[10:13].tolist() == [0, 0, 0]
    assert (Grid.over(thin, 15 * MINUTE).minutes[:-1] == 1).all()


def test_lines_of_one_moment_are_one_event() -> None:
    times = np.array([0, 1, 2, 10_000_000, 10_000_001, MINUTE], dtype=np.int64)
    tally = Tally.of(Grid.over(times, 0), times, np.zeros(6, dtype=np.int64), 1)
    assert tally.counts.tolist() == [[5, 1]]
    assert tally.events.tolist() == [[2, 1]]


@given(moment=st.integers(0, 10 * MINUTE))
def test_the_part_of_a_bucket_that_has_passed(moment: int) -> None:
    grid = Grid.over(np.array([0, 10 * MINUTE - 1], dtype=np.int64), 5 * MINUTE)
    at = np.array([moment], dtype=np.int64)
    assert grid.bucket(at)[0] + grid.part_passed(at)[0] == pytest.approx(moment / MINUTE)
