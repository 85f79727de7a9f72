from __future__ import annotations

import numpy as np

from agent.analysis.metrics.departure import Departure, Stretch
from agent.analysis.metrics.robust import tempered
from agent.analysis.metrics.scan import Panel
from agent.analysis.metrics.search import search
from tests.agent.analysis.metric_frames import Floats, noise


def _search(values: Floats) -> Departure | None:
    rows = values[None, :] - np.median(values)
    calm = tempered(rows)
    panel = Panel(np.linspace(0, 1, len(values))[None, :], calm / calm.std(), np.ones_like(calm))
    return search(panel, [Stretch(np.arange(len(values)) * 60.0, values, np.ones(len(values), dtype=bool))])[0]


def _quiet(seed: int = 1) -> Floats:
    return noise("gauss", 1, 120, seed)[0]


def test_an_earlier_stage_of_the_same_change_is_its_start() -> None:
    values = _quiet()
    values[50:] += 12
    values[100:] += 60
    found = _search(values)
    assert found is not None
    assert found.first == 50
    assert abs(found.after - found.before - 72) < 3


def test_an_earlier_move_that_is_tiny_beside_the_change_is_another_story() -> None:
    values = _quiet()
    values[50:] += 12
    values[100:] += 3_000
    found = _search(values)
    assert found is not None
    assert found.first == 100


def test_a_spike_that_recovered_does_not_hide_what_lasts() -> None:
    values = _quiet()
    values[30:38] += 60
    values[100:] += 25
    found = _search(values)
    assert found is not None
    assert (found.first, found.recovered) == (100, False)


def test_a_plateau_that_breaks_off_below_normal_is_one_episode() -> None:
    values = 100 + _quiet()
    values[70:95] += 400
    values[95:] = 0.0
    found = _search(values)
    assert found is not None
    assert (found.first, found.up, found.recovered) == (70, True, False)
    assert abs(found.after - 500) < 5


def test_of_bumps_alone_the_loudest_counts() -> None:
    values = _quiet()
    values[20:26] += 15
    values[70:76] += 40
    found = _search(values)
    assert found is not None
    assert (found.first, found.recovered) == (70, True)


def test_a_spike_and_a_ramp_that_spoil_each_other_are_told_apart() -> None:
    values = 3 * _quiet()
    values[15:27] += 200 * np.sin(np.linspace(0.2, np.pi - 0.2, 12))
    values += 9.0 * np.clip(np.arange(120) - 69, 0, None)
    found = _search(values)
    assert found is not None
    assert abs(found.first - 70) <= 2
    assert not found.recovered
