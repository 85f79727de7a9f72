"""How unusual a share is, against what it was over many stretches of which some may have been incidents themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MIN_IN_STRETCH = 3
"""Times a step must be taken in a stretch for the stretch to have a say; in one of two, a share is 0, ½ or 1."""
OUTLYING = 6.0
"""Nats by which a stretch must miss the usual share to count as an incident of its own: one in a thousand stretches."""
MOSTLY = 0.5
"""Share of the events that must remain once such stretches are left out; else the median stays the estimate."""
PRIOR_WEIGHT = 3.0
"""Stretches that the dispersion of all other steps is worth when the dispersion of one is estimated."""
MAX_DISPERSION = 6.0
"""Cap of a single step's dispersion: more is a share that jumps between two levels, not noise around one."""
MAX_TYPICAL = 10.0
"""Cap of what a single step adds to the dispersion that is typical of the system."""
MIXED = 0.02
"""Shares nearer to 0 or 1 than this tell nothing of how a mix disperses."""
MAD_TO_SD = 0.6745
"""Median absolute deviation of a standard normal variable."""
UNKNOWN_DISPERSION = 2.0
"""Dispersion of a mix where no step shows any."""


@dataclass(frozen=True)
class Usual:
    """The usual share of each row. NaN where there is none."""

    share: Floats
    events: Floats
    """Times the step was taken in the stretches that count."""
    dispersion: Floats
    """Variance of the counts over stretches relative to a binomial one, at least 1."""


def usual_shares(taken: Floats, totals: Floats, novelty: Floats) -> Usual:
    """Usual shares of rows × stretches: `taken` of `totals`.

    First the median over stretches; then stretches that miss it by far, earlier incidents, are left out and the rest is
    added up, because the median alone takes what is rare for impossible. A follower that was never seen counts as
    seen `novelty` times. Dispersion is that of the median deviation, shrunk towards what is typical of a mix.
    """
    shares = np.where(totals >= MIN_IN_STRETCH, taken / np.maximum(totals, 1), np.nan)
    told = ~np.isnan(shares)
    count = told.sum(axis=1)
    everything = totals.sum(axis=1)
    pooled = taken.sum(axis=1) / np.maximum(everything, 1)
    middle = np.where(count > 0, row_medians(shares), pooled)
    start = (middle * everything + 0.5) / (everything + 1)
    outlying = told & (_misses(taken, totals, start[:, None]) > OUTLYING)
    remaining = np.where(outlying, 0.0, totals).sum(axis=1)
    mostly = remaining >= MOSTLY * everything
    rest = np.where(outlying, 0.0, taken).sum(axis=1) / np.maximum(remaining, 1)
    share = np.where(mostly, rest, middle)
    events = np.where(mostly, remaining, everything)
    share = np.where((share * events < novelty) & (events > 0), novelty / np.maximum(events, 1), share)
    return Usual(share, events, _dispersion(shares, totals, share, everything, count))


def two_sample(taken: Floats, of: Floats, taken_too: Floats, of_too: Floats) -> Floats:
    """Log-likelihood ratio (nats) of two shares against one common share."""
    return (
        _log_likelihood(taken, of)
        + _log_likelihood(taken_too, of_too)
        - _log_likelihood(taken + taken_too, of + of_too)
    )


def row_medians(values: Floats) -> Floats:
    """Median of each row without its NaN; NaN for a row of NaN only."""
    ranked = np.sort(values, axis=1)
    count = np.isfinite(values).sum(axis=1)
    rows = np.arange(len(values))
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, np.maximum(count - 1, 0))
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    return (ranked[rows, low] + ranked[rows, high]) / 2.0


def _dispersion(shares: Floats, totals: Floats, share: Floats, events: Floats, count: NDArray[np.int64]) -> Floats:
    smooth = (share * events + 0.5) / (events + 1)
    spread = np.sqrt(np.maximum(smooth * (1 - smooth), 1e-12))
    deviation = np.abs(shares - share[:, None]) * np.sqrt(totals) / spread[:, None]
    freedom = np.maximum(count - 1, 0)
    own = np.where(freedom > 0, np.square(row_medians(deviation) / MAD_TO_SD), 1.0)
    mixed = (share > MIXED) & (share < 1 - MIXED) & (freedom > 0)
    typical = float(np.minimum(own[mixed], MAX_TYPICAL).mean()) if mixed.any() else UNKNOWN_DISPERSION
    expected = 1 + (max(typical, 1.0) - 1) * 4 * share * (1 - share)
    weighed = freedom * np.minimum(own, MAX_DISPERSION) + PRIOR_WEIGHT * expected
    return np.asarray(np.maximum(1.0, weighed / (freedom + PRIOR_WEIGHT)), dtype=np.float64)


def _misses(taken: Floats, totals: Floats, share: Floats) -> Floats:
    """Nats by which a known share misses what was counted."""
    known = special.xlogy(taken, share) + special.xlogy(totals - taken, 1 - share)
    return _log_likelihood(taken, totals) - known


def _log_likelihood(taken: Floats, of: Floats) -> Floats:
    """Log-likelihood of a binomial count at its own share."""
    found = special.xlogy(taken, taken) + special.xlogy(of - taken, of - taken) - special.xlogy(of, of)
    return np.asarray(found, dtype=np.float64)
