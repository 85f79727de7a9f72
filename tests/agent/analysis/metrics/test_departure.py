from __future__ import annotations

import numpy as np
import pytest

from agent.analysis.metrics.departure import LARGEST_SIZE, Stretch, after_constant, depart
from tests.agent.analysis.metric_frames import Floats, noise


def _stretch(values: Floats, masked: slice | None = None) -> Stretch:
    counts = np.ones(len(values), dtype=bool)
    if masked is not None:
        counts[masked] = False
    return Stretch(np.arange(len(values)) * 60.0, np.asarray(values, dtype=np.float64), counts)


def _step(size: float, at: int = 80, samples: int = 100, seed: int = 1) -> Floats:
    values = noise("gauss", 1, samples, seed)[0]
    values[at:] += size
    return values


def test_a_step_is_measured_from_its_normal_part() -> None:
    found = depart(_stretch(100 + 5 * _step(10)), start=79, stop=80)
    assert found is not None
    assert (found.first, found.up, found.recovered, found.normal) == (80, True, False, 80)
    assert found.before == pytest.approx(100, abs=2)
    assert found.after == pytest.approx(150, abs=4)
    assert 7 < found.size < 14


def test_a_rough_break_in_the_middle_of_a_rise_is_walked_back_to_its_start() -> None:
    values = noise("gauss", 1, 100, seed=2)[0] + 4.0 * np.clip(np.arange(100) - 59, 0, 20)
    found = depart(_stretch(values), start=70, stop=71)
    assert found is not None
    assert 59 <= found.first <= 62
    assert found.rough == 71


def test_a_shift_within_the_noise_is_none() -> None:
    assert depart(_stretch(_step(1.0)), start=79, stop=80) is None


def test_two_samples_convince_when_they_are_far_only() -> None:
    assert depart(_stretch(_step(12, at=98)), start=97, stop=98) is not None
    near = _step(0.0, at=98)
    near[98:] = np.sort(near)[-4]
    assert depart(_stretch(near), start=97, stop=98) is None


def test_after_a_constant_every_lasting_difference_is_infinitely_far() -> None:
    values = np.full(40, 6.0)
    values[37:] = 5.0
    found = after_constant(_stretch(values))
    assert found is not None
    assert (found.first, found.up, found.size) == (37, False, LARGEST_SIZE)


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 30 + [1.0] + [0.0] * 10 + [1.0] + [0.0] * 8 + [1.0, 0.0],
        [0.0] * 6 + [3.0] * 6,
        [7.0] * 20,
    ],
    ids=["sparse counts", "too short a constant", "nothing else"],
)
def test_what_did_not_leave_a_constant_for_good_is_none(values: list[float]) -> None:
    assert after_constant(_stretch(np.array(values))) is None


def test_a_constant_that_grows_departs_at_its_first_growth() -> None:
    values = np.concatenate([np.full(50, 3.0), 3.0 + np.arange(1, 41) ** 1.3])
    found = after_constant(_stretch(values))
    assert found is not None
    assert found.first == 50


def test_masked_samples_belong_neither_to_the_normal_part_nor_to_the_change() -> None:
    values = _step(10, at=80)
    values[30:40] += 50
    found = depart(_stretch(values, masked=slice(30, 40)), start=79, stop=80)
    assert found is not None
    assert (found.first, found.normal) == (80, 70)
    late = depart(_stretch(values, masked=slice(70, 80)), start=75, stop=76)
    assert late is not None
    assert late.first == 80


def test_a_bump_is_taken_to_its_shoulders() -> None:
    values = noise("gauss", 1, 100, seed=3)[0]
    values[50:60] += 12 * np.array([0.5, 0.8, 1, 1, 1, 1, 1, 0.9, 0.7, 0.4])
    found = depart(_stretch(values), start=51, stop=57, bump=True)
    assert found is not None
    assert (found.first, found.last, found.recovered) == (50, 59, True)
    assert found.before == pytest.approx(0, abs=0.5)


def test_two_counts_among_zeros_are_no_bump() -> None:
    values = np.zeros(100)
    values[[10, 40, 41, 80]] = 1.0
    assert depart(_stretch(values), start=39, stop=41, bump=True) is None


def test_a_change_on_a_slope_is_measured_from_the_slope() -> None:
    values = noise("gauss", 1, 100, seed=4)[0] + 0.5 * np.arange(100)
    values[80:] += 20
    found = depart(_stretch(values), start=79, stop=80, trended=True)
    assert found is not None
    assert found.first == 80
    assert found.after - found.before == pytest.approx(20, abs=3)
