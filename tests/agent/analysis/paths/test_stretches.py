from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from agent.analysis.paths.stretches import MAX_STRETCHES, cut_stretches, find_blocks

SECOND = 1_000_000


def seconds(*values: float) -> np.ndarray:
    return np.round(np.array(values) * SECOND).astype(np.int64)


def test_a_block_ends_where_data_are_missing() -> None:
    times = np.concatenate([np.arange(0, 70), np.arange(200, 260)]) * SECOND
    blocks = find_blocks(times)
    assert (blocks.since.tolist(), blocks.until.tolist()) == ([0, 200 * SECOND], [69 * SECOND, 259 * SECOND])
    held = blocks.hold(seconds(5, 60, 190, 205, 205), seconds(9, 75, 210, 210, 300))
    assert held.tolist() == [True, False, False, True, False]


def test_little_traffic_is_not_missing_data() -> None:
    assert find_blocks(np.arange(0, 4000, 40) * SECOND).since.size == 1


def test_stretches_are_about_a_minute_and_stay_whole_across_splits() -> None:
    times = np.concatenate([np.arange(0, 90), np.arange(200, 260)]) * SECOND
    cut = cut_stretches(times, [30 * SECOND, 150 * SECOND, 180 * SECOND, 230 * SECOND])
    # Two moments of one gap are the same split.
    assert cut.splits.tolist() == [30 * SECOND, 200 * SECOND, 230 * SECOND]
    assert cut.piece[cut.segment(seconds(0, 29, 31, 44, 46, 89, 201, 259))].tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    assert cut.segment(seconds(29.9))[0] < cut.first_after(30 * SECOND) == cut.segment(seconds(30))[0]
    assert (cut.later // SECOND).tolist() == [[200, 230], [230, 245], [245, 252]]


def test_a_split_needs_data_on_both_sides() -> None:
    times = np.arange(10, 100) * SECOND
    assert cut_stretches(times, [0, 10 * SECOND, 100 * SECOND]).splits.size == 0


@given(count=st.integers(1, 3_000), step=st.integers(1, 400), seed=st.integers(0, 99))
def test_stretches_are_bounded_and_in_order(count: int, step: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(0, count * step, count)) * SECOND
    cut = cut_stretches(times, [int(times[count // 2]), int(times[0]) + 1])
    assert np.all(np.diff(cut.piece) >= 0)
    assert np.all(np.diff(cut.edges) > 0)
    assert cut.piece[-1] <= 2 * MAX_STRETCHES
    assert len(cut) == len(cut.piece)
