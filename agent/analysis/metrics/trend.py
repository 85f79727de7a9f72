"""Slopes that a few wild samples cannot tilt, for many series at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from agent.analysis.metrics.robust import Floats

SAMPLES = 60
"""The slope is taken from all pairs of samples; so many, evenly taken, are enough and keep it fast."""

FEWEST = 8
"""Kendall's test below so many samples says nothing at one percent."""

SIGNIFICANT = 0.01

ROWS = 256
"""Series whose pairs are held at a time (1,770 pairs of 60 samples)."""


def steady_slopes(minutes: Floats, values: Floats) -> Floats:
    """Theil-Sen slope of each row per minute (Sen, JASA 1968); 0 where Kendall's tau is not significant at 1%.

    Both arrays are float64 of shape (series, samples), times rising. Ties are corrected for, so a staircase counts by
    its steps.
    """
    series, samples = values.shape
    slopes = np.zeros(series)
    if samples < FEWEST:
        return slopes
    pick = np.unique(np.linspace(0, samples - 1, min(samples, SAMPLES)).round().astype(np.intp))
    later, earlier = np.tril_indices(len(pick), -1)
    for begin in range(0, series, ROWS):
        part = slice(begin, begin + ROWS)
        times, chosen = minutes[part][:, pick], values[part][:, pick]
        rise = chosen[:, later] - chosen[:, earlier]
        run = times[:, later] - times[:, earlier]
        significant = _kendall_p(chosen, np.sum(np.sign(rise), axis=1)) <= SIGNIFICANT
        each = rise[significant] / run[significant]
        slopes[np.flatnonzero(significant) + begin] = np.median(each, axis=1) if each.size else 0.0
    return slopes


def _kendall_p(values: Floats, concordance: Floats) -> Floats:
    """Two-sided p of Kendall's tau against time by its normal approximation, with continuity and ties (Kendall, 1948)."""
    count = values.shape[1]
    ties = _tie_sum(np.sort(values, axis=1))
    variance = (count * (count - 1) * (2 * count + 5) - ties) / 18.0
    score = np.maximum(np.abs(concordance) - 1.0, 0.0)
    z = np.where(variance > 0, score / np.sqrt(np.where(variance > 0, variance, 1.0)), 0.0)
    return 2.0 * ndtr(-z)


def _tie_sum(ordered: Floats) -> Floats:
    """Sum of t (t - 1) (2 t + 5) over the groups of equal values of each row."""
    new: NDArray[np.bool_] = np.ones(ordered.shape, dtype=bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    group = np.cumsum(new, axis=1) - 1 + np.arange(len(ordered))[:, None] * ordered.shape[1]
    size = np.bincount(group.ravel(), minlength=ordered.size).reshape(ordered.shape).astype(np.float64)
    return np.sum(size * (size - 1) * (2 * size + 5), axis=1)
