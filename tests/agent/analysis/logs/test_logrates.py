from __future__ import annotations

import numpy as np
import pytest

from agent.analysis.logs.linecounts import MINUTE, Grid, Tally
from agent.analysis.logs.logrates import Shifts, find_shifts

SPLIT = 60 * MINUTE
LENGTH = 90


def spread(rng: np.random.Generator, rate: float, since: float = 0, until: float = LENGTH) -> np.ndarray:
    lines = rng.poisson(rate * (until - since))
    return (rng.uniform(since, until, lines) * MINUTE).astype(np.int64)


def shifts_of(*templates: np.ndarray, control: np.ndarray | None = None) -> Shifts:
    """The shifts of the templates; two markers make the window the same every time."""
    markers = np.array([0, LENGTH * MINUTE - 1], dtype=np.int64)
    times = np.concatenate([markers, *templates])
    of_row = np.concatenate([[0, 0], *(np.full(len(t), i) for i, t in enumerate(templates, start=1))]).astype(np.int64)
    grid = Grid.over(times, SPLIT)
    seen = Tally.of(grid, times, of_row, len(templates) + 1)
    volume = np.zeros_like(seen.counts)
    if control is not None:
        volume[:] = np.bincount((control - grid.origin) // grid.width, minlength=grid.buckets)
    return find_shifts(seen, volume)


@pytest.mark.parametrize("clump", [1, 4])
def test_noise_gives_signals_well_below_one_in_a_hundred(clump: int) -> None:
    """Steady templates of 0.1 to 10 lines a minute, alone or (a retry) four at once."""
    rng = np.random.default_rng(17)
    rates = 10 ** np.linspace(-1, 1, 30) / clump
    found = looked = 0
    for _ in range(40):
        lines = [np.repeat(spread(rng, rate), clump) for rate in rates]
        shifts = shifts_of(*lines)
        found += int(shifts.real[1:].sum())
        looked += len(rates)
    assert found / looked < 0.002


def test_what_begins_is_new_since_its_first_line() -> None:
    rng = np.random.default_rng(1)
    planted = spread(rng, 2, 63.5)
    shifts = shifts_of(planted, spread(rng, 1))
    assert shifts.real.tolist() == [False, True, False]
    assert shifts.rises[1]
    assert shifts.complete[1]
    assert shifts.onset[1] == planted.min()
    assert shifts.before[1] == 0
    assert shifts.after[1] == pytest.approx(2, rel=0.5)
    assert shifts.uncertainty[1] < 2 * MINUTE


def test_what_rises_has_a_step_near_the_truth() -> None:
    rng = np.random.default_rng(2)
    shifts = shifts_of(np.concatenate([spread(rng, 2, 0, 50), spread(rng, 10, 50)]))
    assert shifts.real[1]
    assert shifts.rises[1]
    assert not shifts.complete[1]
    assert abs(shifts.onset[1] / MINUTE - 50) <= 2
    assert shifts.before[1] == pytest.approx(2, rel=0.3)
    assert shifts.after[1] == pytest.approx(10, rel=0.3)


def test_what_ends_is_gone_since_its_last_line() -> None:
    rng = np.random.default_rng(3)
    lines = spread(rng, 3, 0, 61)
    shifts = shifts_of(lines)
    assert shifts.real[1]
    assert not shifts.rises[1]
    assert shifts.complete[1]
    assert shifts.onset[1] == lines.max()
    assert shifts.after[1] == 0


def test_a_crescendo_began_with_its_first_line() -> None:
    rng = np.random.default_rng(4)
    growing = np.sort(np.concatenate([spread(rng, 0.5 * 2**k, 60 + 4 * k, 64 + 4 * k) for k in range(7)]))
    shifts = shifts_of(growing)
    assert shifts.real[1]
    assert shifts.onset[1] == growing.min()


def test_a_stray_line_long_before_does_not_move_the_onset() -> None:
    rng = np.random.default_rng(5)
    shifts = shifts_of(np.concatenate([[7 * MINUTE], spread(rng, 5, 62)]))
    assert shifts.real[1]
    assert abs(shifts.onset[1] / MINUTE - 62) <= 1


def test_a_change_of_the_whole_volume_is_no_change_of_a_template() -> None:
    """Traffic or sampling grows eightfold; a thin volume excuses as far as it is sure, a dense one is the measure."""
    rng = np.random.default_rng(6)
    lines = np.concatenate([spread(rng, 0.5, 0, 60), spread(rng, 4, 60)])
    thin = np.concatenate([spread(rng, 0.3, 0, 60), spread(rng, 2.4, 60)])
    dense = np.concatenate([spread(rng, 40, 0, 60), spread(rng, 320, 60)])
    alone = shifts_of(lines)
    assert alone.real[1]
    assert shifts_of(lines, control=thin).p[1] > 1_000 * alone.p[1]
    assert not shifts_of(lines, control=dense).real[1]


def test_what_only_the_volume_moves_is_not_told() -> None:
    rng = np.random.default_rng(7)
    control = np.concatenate([spread(rng, 200, 0, 60), spread(rng, 25, 60)])
    assert not shifts_of(spread(rng, 2), control=control).real[1]


def test_a_batch_in_one_moment_is_one_event() -> None:
    batch = 70 * MINUTE + np.arange(500, dtype=np.int64)
    assert not shifts_of(batch).real[1]


def test_a_single_line_is_nothing() -> None:
    shifts = shifts_of(np.array([70 * MINUTE], dtype=np.int64))
    assert not shifts.real.any()
    assert np.isfinite(shifts.size).all()
