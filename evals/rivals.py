"""Methods of the literature, run again on the same recordings: they rank the services by their metrics alone.

Both split every series at the alert and score how far it moved from what it was before:

- n-sigma: the difference of the means over the standard deviation before, as in RCAEval (Pham et al., WWW 2025);
- BARO: the largest distance from the median over the interquartile range before, the RobustScorer of Pham, Ha and Zhang,
  "BARO: Robust Root Cause Analysis for Microservices via Multivariate Bayesian Online Change Point Detection", FSE 2024.

A service stands where its best metric stands. A spread of nothing counts as one, as it does in both. What neither of
them says is a scale: see `SMALLEST_SPREAD`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agent.parse_alert import parse_alert
from evals.cases import RankedCause
from tools.recorded import Recording

SMALLEST_SPREAD = 0.01
"""Of the level: a smaller spread counts as this much. The methods' own preparation picks columns by name and unit; without
either, megabytes that hardly ever move outweigh everything. With it, their published figures on two suites come out
within 0.06."""

Floats = NDArray[np.float64]
Score = Callable[[Floats, Floats], float]
"""How far a series moved, from its values before and after."""


def n_sigma(recording: Recording) -> tuple[RankedCause, ...]:
    """Services by the shift of a mean in standard deviations; empty without metrics on both sides of the alert."""
    return _ranking(recording, n_sigma_score)


def baro(recording: Recording) -> tuple[RankedCause, ...]:
    """Services by the farthest value in interquartile ranges; empty without metrics on both sides of the alert."""
    return _ranking(recording, baro_score)


RIVALS: Mapping[str, Callable[[Recording], tuple[RankedCause, ...]]] = {"n-sigma": n_sigma, "baro": baro}


def n_sigma_score(before: Floats, after: Floats) -> float:
    """|mean after − mean before| / standard deviation before."""
    return abs(float(after.mean() - before.mean())) / _spread(float(before.std()), float(before.mean()))


def baro_score(before: Floats, after: Floats) -> float:
    """The largest |after − median before| / interquartile range before."""
    low, middle, high = np.percentile(before, (25, 50, 75))
    return float(np.abs(after - middle).max()) / _spread(float(high - low), float(middle))


def _spread(spread: float, level: float) -> float:
    return max(spread, SMALLEST_SPREAD * abs(level)) or 1.0


def _ranking(recording: Recording, score: Score) -> tuple[RankedCause, ...]:
    if recording.metrics is None or recording.metrics.empty:
        return ()
    moved = _moves(recording.metrics, pd.Timestamp(parse_alert(recording.alert).fired_at), score)
    best: dict[str, tuple[float, str]] = {}
    for service, metric, size in moved:
        if service not in best or size > best[service][0]:
            best[service] = (size, metric)
    rows = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
    sizes = sorted({size for size, _ in best.values()}, reverse=True)
    # Scores are no probabilities; the place stands in, and equal scores share it, so that a tie is seen as one.
    places = {size: place for place, size in enumerate(sizes, start=1)}
    return tuple(
        RankedCause(cause=service, service=service, metric=metric, confidence=1 / places[size])
        for service, (size, metric) in rows
    )


def _moves(frame: pd.DataFrame, split: pd.Timestamp, score: Score) -> list[tuple[str, str, float]]:
    """Service, metric and score of every series that has values before and from the split on."""
    keys = ["service", "metric", "instance"]
    codes = frame.groupby(keys, sort=False, observed=True).ngroup().to_numpy()
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    values = frame["value"].to_numpy(dtype=np.float64)[order]
    later = (frame["timestamp"] >= split).to_numpy()[order]
    named = frame[["service", "metric"]].iloc[order[starts]].itertuples(index=False, name=None)
    moved: list[tuple[str, str, float]] = []
    for (service, metric), series, after in zip(
        named, np.split(values, starts[1:]), np.split(later, starts[1:]), strict=True
    ):
        if after.any() and not after.all():
            moved.append((str(service), str(metric), score(series[~after], series[after])))
    return moved
