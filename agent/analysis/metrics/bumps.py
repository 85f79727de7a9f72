"""Deviations that came and went, for series in which they hide what else there is.

A running median over a third of the series follows levels, steps and ramps exactly, but not what is shorter than half
its width (Tukey, Exploratory Data Analysis, 1977). What stands out of it and returned is masked, so that a harmless
spike in the morning does not disturb the search for the incident.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.ndimage import median_filter

from agent.analysis.metrics.departure import ALONE, Departure, Stretch, depart
from agent.analysis.metrics.robust import Floats, median_of_three, spread_of

WIDTH = 1 / 3
"""Of the series: bumps up to a sixth of it are seen here; longer ones compete with steps and ramps."""

FEWEST_SAMPLES = 24
"""Below, a third of the series is no wider than a bump."""

CLEAR = 8.0
"""Spreads; the search for breaks goes on without these samples, so only what is beyond doubt is masked."""

AROUND = 12
"""A bump is compared with so many samples on each side, or twice its own length: noise may change along a series."""

RETURNED = 0.25
"""What came back to another level by more than this share of its height did not pass: it is part of a change."""


def passing_bumps(stretch: Stretch) -> list[Departure]:
    """Deviations of at least two samples that recovered, in order of time."""
    place = np.flatnonzero(stretch.counts)
    if len(place) < FEWEST_SAMPLES:
        return []
    values = stretch.values[place]
    width = 2 * int(WIDTH * len(values) / 2) + 1
    course = np.asarray(median_filter(values, size=width, mode="nearest"), dtype=np.float64)
    rest = np.zeros(len(stretch.values))
    rest[place] = values - course
    found: list[Departure] = []
    for start, stop in _runs(values - course):
        reach = max(AROUND, 2 * (stop - start + 1))
        near = np.zeros(len(rest), dtype=bool)
        near[place[max(0, start - reach) : stop + 1 + reach]] = True
        around = Stretch(stretch.seconds, rest, near)
        bump = depart(around, int(place[start]) - 1, int(place[stop]), bump=True)
        if bump is None or not _stands_alone(around, bump) or bump.last >= place[-1] - 1:
            continue
        begun, over = np.searchsorted(place, (bump.first, bump.last + 1))
        level = course[max(0, begun - 1)]
        moved = abs(course[over] - level) > RETURNED * abs(bump.after)
        if moved or (found and bump.first <= found[-1].last):
            continue
        found.append(replace(bump, before=bump.before + level, after=bump.after + level))
    return found


def _stands_alone(around: Stretch, bump: Departure) -> bool:
    inside = np.zeros(len(around.values), dtype=bool)
    inside[bump.first : bump.last + 1] = True
    sign = 1.0 if bump.up else -1.0
    highest = float(np.max(sign * around.values[around.counts & ~inside], initial=0.0))
    return abs(bump.after) >= ALONE * highest and bump.size >= CLEAR


def _runs(rest: Floats) -> list[tuple[int, int]]:
    """First and last index of each run of one sign that stands clear of the noise."""
    smooth = median_of_three(rest[None, :])[0]
    clear = np.sign(smooth) * (np.abs(smooth) > CLEAR * spread_of(rest[None, :])[0])
    edges = np.flatnonzero(np.diff(clear, prepend=0.0, append=0.0) != 0)
    runs = [(int(a), int(b) - 1) for a, b in pairwise(edges) if clear[a] != 0]
    return [(a, b) for a, b in runs if b > a > 0]
