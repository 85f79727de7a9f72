from __future__ import annotations

import numpy as np
import pytest

from agent.analysis.metrics.breaks import LASTING, find_breaks
from agent.analysis.metrics.scan import Panel
from tests.agent.analysis.metric_frames import noise


def _panel(values: np.ndarray) -> Panel:
    times = np.tile(np.linspace(0, 1, values.shape[1]), (len(values), 1))
    values = values - np.median(values, axis=1, keepdims=True)
    return Panel(times, values / values.std(axis=1, keepdims=True), np.ones_like(values))


def test_a_step_beats_smooth_growth_and_is_placed() -> None:
    values = noise("gauss", 20, 120, seed=5)
    values[:, 90:] += 8.0
    breaks = find_breaks(_panel(values))
    assert np.all(breaks.score > 10)
    assert np.all(np.abs(breaks.start - 89) <= 1)
    assert not breaks.bump.any()


@pytest.mark.parametrize("kind", ["gauss", "laplace", "ar", "counts"])
def test_steps_and_ramps_of_noise_do_not_beat_smooth_growth(kind: str) -> None:
    breaks = find_breaks(_panel(noise(kind, 300, 120, seed=6)), LASTING)
    assert np.mean(breaks.score > 9) <= 0.01


@pytest.mark.parametrize("shape", ["line", "parabola", "wave"])
def test_what_is_smooth_is_no_break(shape: str) -> None:
    time = np.linspace(0, 1, 120)
    course = {"line": 30 * time, "parabola": 40 * time**2, "wave": 15 * np.sin(2 * np.pi * (time / 0.7 + 0.1))}[shape]
    breaks = find_breaks(_panel(noise("gauss", 100, 120, seed=7) + course))
    assert np.mean(breaks.score > 9) <= 0.01


def test_a_step_on_a_slope_stands_on_a_line() -> None:
    values = noise("gauss", 20, 120, seed=8) + np.linspace(0, 40, 120)
    values[:, 80:] += 15.0
    breaks = find_breaks(_panel(values))
    assert np.all(breaks.score > 10)
    assert breaks.trended.all()
    assert np.all(np.abs(breaks.start - 79) <= 1)


def test_two_changes_spoil_the_score_but_not_the_loose_one() -> None:
    values = noise("ar", 20, 120, seed=9)
    values[:, 30:40] += 40.0
    values[:, 100:] += 30.0
    breaks = find_breaks(_panel(values))
    assert np.mean(breaks.loose_score > 10) > 0.9
    assert np.all(breaks.loose_score >= breaks.score)
