"""Statistics of small counts: is this more than chance, and how much is it worth.

Everything takes and returns arrays, so that ten thousand series cost one pass.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

Floats = NDArray[np.float64]

HALF_BELIEVED_Z = 3.0
"""The standard score at which a deviation is worth a confidence of one half: the three sigma of control charts."""
MAX_CONFIDENCE = 0.97
"""No count proves anything alone."""
MAX_SIZE = 1000.0
"""`Signal.size` is capped here."""


def wilson_bounds(successes: ArrayLike, trials: ArrayLike, z: float = 1.96) -> tuple[Floats, Floats]:
    """Lower and upper bound of a proportion (Wilson 1927), honest for small counts; (0, 1) without a trial."""
    k, n = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    safe = np.maximum(n, 1e-12)
    share = k / safe
    middle = (share + z * z / (2 * safe)) / (1 + z * z / safe)
    half = z / (1 + z * z / safe) * np.sqrt(share * (1 - share) / safe + z * z / (4 * safe * safe))
    low = np.where(n > 0, np.clip(middle - half, 0, 1), 0.0)
    high = np.where(n > 0, np.clip(middle + half, 0, 1), 1.0)
    return low, high


def rise_p(before: ArrayLike, after: ArrayLike, share_after: ArrayLike) -> Floats:
    """One-sided p of seeing at least `after` events where `share_after` of the exposure lies after.

    Given their sum, two Poisson counts are binomial (Przyborowski and Wilenski 1940); the incomplete beta function
    lets the counts be fractions, which is how overdispersion enters.
    """
    n1, n2 = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    share = np.clip(np.asarray(share_after, dtype=np.float64), 1e-12, 1 - 1e-12)
    tail = special.betainc(np.maximum(n2, 1e-12), n1 + 1.0, share)
    return np.where(n2 > 0, tail, 1.0)


def fall_p(before: ArrayLike, after: ArrayLike, share_after: ArrayLike) -> Floats:
    """One-sided p of seeing at most `after` events; see `rise_p`."""
    return rise_p(after, before, 1.0 - np.asarray(share_after, dtype=np.float64))


def rate_score(before: ArrayLike, after: ArrayLike, share_after: ArrayLike) -> Floats:
    """Signed root of the likelihood ratio of two Poisson rates: positive when it rose, near normal under chance."""
    n1, n2 = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    share = np.clip(np.asarray(share_after, dtype=np.float64), 1e-12, 1 - 1e-12)
    total = n1 + n2
    expected = total * share
    ratio = special.xlogy(n1, np.maximum(n1, 1e-300)) + special.xlogy(n2, np.maximum(n2, 1e-300))
    ratio -= special.xlogy(n1, np.maximum(total - expected, 1e-300)) + special.xlogy(n2, np.maximum(expected, 1e-300))
    return np.asarray(np.sign(n2 - expected) * np.sqrt(np.maximum(2.0 * ratio, 0.0)), dtype=np.float64)


def ratio_bounds(before: ArrayLike, after: ArrayLike, share_after: ArrayLike) -> tuple[Floats, Floats]:
    """Bounds (95%) of rate after / rate before, from Wilson bounds of the conditional proportion."""
    n1, n2 = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    share = np.clip(np.asarray(share_after, dtype=np.float64), 1e-12, 1 - 1e-12)
    low, high = wilson_bounds(n2, n1 + n2)
    exposure = (1 - share) / share
    return low / np.maximum(1 - low, 1e-12) * exposure, high / np.maximum(1 - high, 1e-12) * exposure


def share_score(k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike) -> Floats:
    """Signed root of the likelihood ratio of two proportions k1/n1 and k2/n2; 0 where a side has no trial."""
    a, m = np.asarray(k1, dtype=np.float64), np.asarray(n1, dtype=np.float64)
    b, n = np.asarray(k2, dtype=np.float64), np.asarray(n2, dtype=np.float64)
    pooled = (a + b) / np.maximum(m + n, 1e-12)
    ratio = _log_likelihood(a, m, a / np.maximum(m, 1e-12)) - _log_likelihood(a, m, pooled)
    ratio += _log_likelihood(b, n, b / np.maximum(n, 1e-12)) - _log_likelihood(b, n, pooled)
    sign = np.sign(b * m - a * n)
    return np.asarray(sign * np.sqrt(np.maximum(2.0 * ratio, 0.0)), dtype=np.float64)


def _log_likelihood(k: Floats, n: Floats, share: Floats) -> Floats:
    found = special.xlogy(k, np.maximum(share, 1e-300)) + special.xlogy(n - k, np.maximum(1 - share, 1e-300))
    return np.asarray(found, dtype=np.float64)


def p_of_score(score: ArrayLike) -> Floats:
    """Two-sided p of a standard score."""
    return np.asarray(2.0 * stats.norm.sf(np.abs(np.asarray(score, dtype=np.float64))), dtype=np.float64)


def score_of_p(p: ArrayLike) -> Floats:
    """The standard score whose two-sided p this is; finite also for a p that underflowed."""
    return np.asarray(stats.norm.isf(np.clip(np.asarray(p, dtype=np.float64), 1e-300, 1.0) / 2.0), dtype=np.float64)


def confidence_of(p: ArrayLike) -> Floats:
    """Confidence 0..MAX_CONFIDENCE of a deviation with this p: one half at HALF_BELIEVED_Z, slow to rise beyond."""
    squared = np.square(score_of_p(p))
    return np.asarray(np.minimum(squared / (squared + HALF_BELIEVED_Z**2), MAX_CONFIDENCE), dtype=np.float64)


def adjusted(p: Floats) -> Floats:
    """p-values adjusted for how many were looked at, by false discovery rate (Benjamini and Hochberg 1995)."""
    if not p.size:
        return p
    return np.asarray(stats.false_discovery_control(np.clip(p, 0.0, 1.0), method="bh"), dtype=np.float64)


def group_medians(values: Floats, groups: NDArray[np.int64], count: int) -> Floats:
    """Median of each of `count` groups in one sort; NaN for a group without a value. NaN values are left out."""
    keep = ~np.isnan(values)
    values, groups = values[keep], groups[keep]
    order = np.lexsort((values, groups))
    ranked = values[order]
    sizes = np.bincount(groups, minlength=count)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    result = np.full(count, np.nan)
    some = sizes > 0
    lower, upper = (starts + (sizes - 1) // 2)[some], (starts + sizes // 2)[some]
    result[some] = (ranked[lower] + ranked[upper]) / 2.0
    return result
