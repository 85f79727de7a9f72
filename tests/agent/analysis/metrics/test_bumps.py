from __future__ import annotations

import numpy as np
import pytest

from agent.analysis.metrics.bumps import passing_bumps
from agent.analysis.metrics.departure import Stretch
from tests.agent.analysis.metric_frames import Floats, noise


def _stretch(values: Floats) -> Stretch:
    return Stretch(np.arange(len(values)) * 60.0, values, np.ones(len(values), dtype=bool))


def _quiet(samples: int = 100, seed: int = 1) -> Floats:
    return noise("gauss", 1, samples, seed)[0]


def test_a_spike_before_a_ramp_is_found_and_the_ramp_is_not() -> None:
    values = _quiet()
    values[20:30] += 60
    values += 8.0 * np.clip(np.arange(100) - 59, 0, None)
    found = passing_bumps(_stretch(values))
    assert [(bump.first, bump.last, bump.recovered) for bump in found] == [(20, 29, True)]
    assert found[0].before == pytest.approx(0, abs=1.5)
    assert found[0].after == pytest.approx(60, abs=3)


def test_a_dip_is_a_bump_downwards() -> None:
    values = 100 + _quiet()
    values[40:46] -= 50
    assert [bump.up for bump in passing_bumps(_stretch(values))] == [False]


def test_what_leads_to_another_level_did_not_pass() -> None:
    values = 0.1 * _quiet()
    values[60:] += 20 + 3 * _quiet(seed=2)[60:]
    values[60:66] += 8
    assert passing_bumps(_stretch(values)) == []


@pytest.mark.parametrize("kind", ["gauss", "laplace", "ar", "counts"])
def test_noise_has_no_bumps(kind: str) -> None:
    assert sum(bool(passing_bumps(_stretch(row))) for row in noise(kind, 300, 120, seed=3)) <= 1


def test_a_short_series_is_not_judged() -> None:
    assert passing_bumps(_stretch(np.array([0.0, 0, 0, 9, 9, 0, 0, 0]))) == []
