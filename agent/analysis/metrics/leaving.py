"""A series that leaves a calm beginning for good: leaks, filling pools, queues that only grow.

The search (`search.py`) weighs a break against smooth growth and loses a long, stair-like climb to it. Here the
beginning is the judge: when it is flat and quiet and the series later goes far beyond all it ever showed, and stays
there, the climb began where it first left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.analysis.metrics.robust import middle_of

Floats = NDArray[np.float64]

FEWEST_SAMPLES = 24
BEGINNING = 0.25
"""Share of the samples that is taken for the beginning."""
BAND = 8.0
"""Noise of the beginning (from the differences of neighbours, so that a slope is not taken for noise) that may be left
behind by a lone sample."""
FLAT = 2.0
"""The halves of a flat beginning differ by at most so much noise."""
FAR = 4.0
"""The end lies beyond the beginning's whole range by at least so many of them."""
FOR_GOOD = 0.9
"""Share of the samples after leaving that stay outside on the same side."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where it left, in samples, and the levels before and at the end."""

    first: int
    up: bool
    before: float
    after: float
    size: float
    """The end's distance in noise of the beginning."""


def leaves(values: Floats) -> Leaving | None:
    """Where `values` (float64, in order of time) leave their beginning; None when they do not, or when it is not calm."""
    count = len(values)
    if count < FEWEST_SAMPLES:
        return None
    head = values[: int(count * BEGINNING)]
    centre, extent = middle_of(head), float(np.ptp(head))
    noise = 1.4826 * middle_of(np.abs(np.diff(head))) / np.sqrt(2.0)
    noise = max(noise, 0.005 * abs(centre), 1e-6 * float(np.ptp(values)))
    middle = len(head) // 2
    if abs(middle_of(head[:middle]) - middle_of(head[middle:])) > FLAT * noise:
        return None
    end = middle_of(values[-max(3, count // 8) :])
    if abs(end - centre) < max(FAR * extent, BAND * noise):
        return None
    up = end > centre
    outside = (values - centre > BAND * noise) if up else (centre - values > BAND * noise)
    staying = np.cumsum(outside[::-1])[::-1] / np.arange(count, 0, -1)
    starts = np.flatnonzero(outside[:-1] & outside[1:] & (staying[:-1] >= FOR_GOOD))
    if not len(starts) or int(starts[0]) < len(head):
        return None
    return Leaving(int(starts[0]), up, centre, end, float(abs(end - centre) / noise))
