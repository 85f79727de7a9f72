"""Location and scale that a few wild samples cannot move.

Rows are series, columns samples in order of time. Everything here scales with its input and ignores a constant offset.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAD_TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation, for normal noise (Rousseeuw and Croux, JASA 1993)."""

TRIMMED = 0.02
"""Share of the largest deviations left out where more than half of a series is one constant and the MAD is 0."""

TEMPER = 3.0
"""How many noise scales a lone sample may stand out of its two neighbours before it is pulled back."""


def middle_of(values: Floats) -> float:
    """The median of a few finite values; a tenth of the time that `numpy.median` needs for them."""
    ordered = np.sort(values)
    half = len(ordered) // 2
    return float(ordered[half]) if len(ordered) % 2 else float((ordered[half - 1] + ordered[half]) / 2)


def middles_of(ordered: Floats) -> Floats:
    """The median of each row of sorted values."""
    count = ordered.shape[1]
    return (ordered[:, (count - 1) // 2] + ordered[:, count // 2]) / 2


def median_of_three(rows: Floats) -> Floats:
    """Each sample replaced by the median of itself and its neighbours; at both ends by that of the outer three.

    A lone outlier vanishes, steps and ramps stay where they are (Tukey, Exploratory Data Analysis, 1977).
    """
    smooth = rows.copy()
    if rows.shape[1] < 3:
        return smooth
    left, middle, right = rows[:, :-2], rows[:, 1:-1], rows[:, 2:]
    smooth[:, 1:-1] = np.maximum(np.minimum(left, middle), np.minimum(np.maximum(left, middle), right))
    smooth[:, 0] = middles_of(np.sort(rows[:, :3], axis=1))
    smooth[:, -1] = middles_of(np.sort(rows[:, -3:], axis=1))
    return smooth


def spread_of(deviations: Floats) -> Floats:
    """Robust standard deviation of rows of deviations from their centre: 1.4826 x MAD.

    Where the MAD is 0 because most samples are the same, the root mean square without the largest 2% instead; 0 when
    even that is constant.
    """
    ordered = np.sort(np.abs(deviations), axis=1)
    count = ordered.shape[1]
    mad = MAD_TO_SIGMA * middles_of(ordered)
    kept = ordered[:, : max(1, count - int(np.ceil(TRIMMED * count)))]
    trimmed = np.sqrt(np.mean(kept * kept, axis=1))
    return np.where(mad > 0, mad, trimmed)


def tempered(rows: Floats) -> Floats:
    """The rows with lone outliers pulled back to within three noise scales of their neighbours' median.

    The noise scale is that of the differences between neighbours, which a change of level hardly touches.
    """
    if rows.shape[1] < 3:
        return rows.copy()
    smooth = median_of_three(rows)
    reach = TEMPER * spread_of(np.diff(rows, axis=1))[:, None] / np.sqrt(2)
    return np.clip(rows, smooth - reach, smooth + reach)


def centre_and_spread(values: Floats) -> tuple[float, float]:
    """Median and robust standard deviation of one series (see `spread_of`); (0, 0) when it is empty."""
    if values.size == 0:
        return 0.0, 0.0
    centre = middle_of(values)
    return centre, float(spread_of((values - centre)[None, :])[0])
