from __future__ import annotations

import numpy as np
import pytest

from agent.analysis.metrics.scan import Family, Panel, Scan, best_of, column_of, unit, without
from tests.agent.analysis.metric_frames import noise


def _panel(values: np.ndarray, weights: np.ndarray | None = None) -> Panel:
    times = np.tile(np.linspace(0, 1, values.shape[1]), (len(values), 1))
    return Panel(times, values, np.ones_like(values) if weights is None else weights)


def _ground(panel: Panel, line: bool) -> np.ndarray:
    level = unit(panel.weights)
    return np.stack([level, unit(without(panel.times * panel.weights, level[None]))] if line else [level])


def _rss_by_lstsq(panel: Panel, row: int, ground: np.ndarray, start: int, stop: int, bump: bool) -> float:
    part = panel[np.array([row])]
    column = column_of(part, np.array([start]), np.array([stop]), np.array([bump]))[0]
    matrix = np.stack([*ground[:, row], column], axis=1)
    values = part.values[0] * part.weights[0]
    fitted = matrix @ np.linalg.lstsq(matrix, values, rcond=None)[0]
    return float(np.sum((values - fitted) ** 2))


@pytest.mark.parametrize("line", [False, True])
@pytest.mark.parametrize("family", ["step", "ramp", "bump"])
def test_the_closed_form_agrees_with_least_squares(family: Family, line: bool) -> None:
    weights = np.ones((4, 40))
    weights[1, 10:15] = 0.0
    weights[2, :8] = 0.0
    panel = _panel(noise("gauss", 4, 40, seed=4), weights)
    ground = _ground(panel, line)
    fit = best_of(Scan(panel, ground), family)
    for row in range(4):
        expected = _rss_by_lstsq(panel, row, ground, int(fit.start[row]), int(fit.stop[row]), family == "bump")
        assert fit.rss[row] == pytest.approx(expected, rel=1e-6)


def test_each_family_finds_its_own_shape() -> None:
    step, ramp, bump = np.zeros((3, 60))
    step[40:] = 1.0
    ramp[20:] = np.minimum(1.0, np.arange(1, 41) / 17)
    bump[30:37] = 1.0
    panel = _panel(np.stack([step, ramp, bump]) - 0.3)
    scan = Scan(panel, _ground(panel, line=False))
    assert (best_of(scan, "step").start[0], best_of(scan, "step").rss[0]) == (39, pytest.approx(0, abs=1e-9))
    fit = best_of(scan, "ramp")
    assert (fit.start[1], fit.stop[1], fit.rss[1]) == (19, 36, pytest.approx(0, abs=1e-9))
    fit = best_of(scan, "bump")
    assert (fit.start[2], fit.stop[2], fit.rss[2]) == (29, 36, pytest.approx(0, abs=1e-9))


def test_masked_samples_and_padding_do_not_count() -> None:
    values = np.zeros((1, 50))
    values[0, 35:] = 1.0
    values[0, :10] = 99.0
    weights = np.ones((1, 50))
    weights[0, :10] = 0.0
    panel = _panel(values, weights)
    fit = best_of(Scan(panel, _ground(panel, line=False)), "step")
    assert fit.start[0] == 34
    assert panel.count[0] == 40
