"""Shifts of positive quantities (times, call counts) between two sides, honest about one, two or a million samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from agent.analysis.counts import MAX_SIZE, Floats, group_medians

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

PRIOR_SD = 0.5
"""How much one operation's times vary, as a standard deviation of logarithms, before anything is known of it: two in
three samples lie within a factor of 1.65 of the median, as service times commonly do."""
PRIOR_SAMPLES = 3.0
"""How many samples that prior is worth: with one sample a side it decides, with thirty it is forgotten."""
EFFECTIVE = 50.0
"""Samples of a side that count as independent; spans of one minute share its weather."""
_NORMAL = 1.4826
"""Median absolute deviation to standard deviation, for normal noise."""


@dataclass(frozen=True)
class LogShift:
    """Before and after, group by group. Levels are medians in the quantity's own unit, NaN without a sample."""

    before: Floats
    after: Floats
    n_before: Ints
    n_after: Ints
    spread: Floats
    """Standard deviation of the logarithms, prior included."""
    p: Floats
    """Two-sided; 1 where a side has no sample."""

    @property
    def ratio(self) -> Floats:
        """After / before, NaN where a side has no sample."""
        return self.after / self.before

    @property
    def size(self) -> Floats:
        """Shift in standard deviations of the logarithms; 0 where a side has no sample."""
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = np.abs(np.log(self.ratio)) / self.spread
        return np.minimum(np.nan_to_num(shift, nan=0.0, posinf=MAX_SIZE), MAX_SIZE)


def log_shift(values: Floats, groups: Ints, after: Flags, count: int, floor: float) -> LogShift:
    """Compare the medians of the logarithms of `values` before and after, for each of `count` groups.

    A t statistic whose variance leans on a prior, so that it does not vanish where few samples happen to agree (the
    moderated t of Smyth 2004); medians and absolute deviations in place of means, so that a few wild spans do not
    decide. Values below `floor` (same unit) are the floor: what is smaller cannot be told from the clock's noise. NaN
    values are left out.
    """
    known = ~np.isnan(values)
    values, groups, after = values[known], groups[known], after[known]
    logs = np.log(np.maximum(values, floor))
    centre, size, squares = np.zeros((2, count)), np.zeros((2, count)), np.zeros(count)
    for side in (0, 1):
        mine = after == bool(side)
        middle = group_medians(logs[mine], groups[mine], count)
        away = group_medians(np.abs(logs[mine] - middle[groups[mine]]), groups[mine], count)
        size[side] = np.bincount(groups[mine], minlength=count)
        squares += np.maximum(size[side] - 1, 0) * np.nan_to_num(_NORMAL * away) ** 2
        centre[side] = middle
    freedom = np.maximum(size - 1, 0).sum(axis=0) + PRIOR_SAMPLES
    spread = np.sqrt((squares + PRIOR_SAMPLES * PRIOR_SD**2) / freedom)
    weight = np.minimum(np.maximum(size, 1.0), EFFECTIVE)
    # A median of many is less sharp than a mean (pi/2 times the variance); of one or two it is the mean.
    error = spread * np.sqrt((np.where(size > 2, np.pi / 2, 1.0) / weight).sum(axis=0))
    t = np.nan_to_num((centre[1] - centre[0]) / error)
    p = np.where(np.isnan(centre).any(axis=0), 1.0, 2.0 * stats.t.sf(np.abs(t), np.minimum(freedom, 2 * EFFECTIVE)))
    return LogShift(
        before=np.exp(centre[0]),
        after=np.exp(centre[1]),
        n_before=size[0].astype(np.int64),
        n_after=size[1].astype(np.int64),
        spread=spread,
        p=np.asarray(p, dtype=np.float64),
    )
