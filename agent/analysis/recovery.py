"""Did the alert's own signal come back? Pure: two frames of one metric in, a reading out."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pandas as pd

from agent.incident import Direction
from tools.evidence import Frozen

SAMPLES_BACK = 2
"""Consecutive samples inside the band that count as recovered: one can be chance, or a scrape of a restart."""

BAND_WIDTH = 3.0
"""Half-width of the band in robust standard deviations of the baseline (Shewhart's three-sigma limits)."""

SHIFT_TOLERATED = 0.1
"""The band reaches at least a tenth of the way to the bad level: a flat baseline has no noise of its own, and nine
tenths of the shift undone is back for everybody who felt it."""

MAD_TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation, for a normal distribution."""


class RecoveryReading(Frozen):
    """What the signal did after a mitigation."""

    recovered: bool
    limit: float
    """The edge of the baseline's band on the side that hurts."""
    last: float | None
    """The latest level after the mitigation; None without a sample."""
    samples: int
    """Samples seen after the mitigation."""


def read_recovery(
    before: pd.DataFrame, after: pd.DataFrame, direction: Direction, bad_level: float, acted_at: datetime
) -> RecoveryReading | None:
    """Whether the last samples after `acted_at` lie inside the band of the baseline; None without a baseline.

    `before` and `after` are metric frames (see tools.backend) of one service and metric; `before` holds the baseline
    only. Instances are joined by the worst one at each time: an incident is over when nobody is hurt any more.
    `direction` is where the signal moved when the incident began, `bad_level` the level it moved to.
    """
    baseline = _worst(before, direction).to_numpy(dtype=float)
    if baseline.size == 0:
        return None
    middle = float(np.median(baseline))
    sigma = MAD_TO_SIGMA * float(np.median(np.abs(baseline - middle)))
    shift = abs(bad_level - middle)
    width = max(BAND_WIDTH * sigma, SHIFT_TOLERATED * shift if math.isfinite(shift) else 0.0)
    sign = 1.0 if direction == "up" else -1.0
    levels = _worst(after[after["timestamp"] > acted_at], direction).to_numpy(dtype=float)
    inside = sign * (levels - middle) <= width
    return RecoveryReading(
        recovered=levels.size >= SAMPLES_BACK and bool(inside[-SAMPLES_BACK:].all()),
        limit=middle + sign * width,
        last=float(levels[-1]) if levels.size else None,
        samples=int(levels.size),
    )


def _worst(frame: pd.DataFrame, direction: Direction) -> pd.Series:
    by_time = frame.groupby("timestamp", sort=True)["value"]
    return by_time.max() if direction == "up" else by_time.min()
