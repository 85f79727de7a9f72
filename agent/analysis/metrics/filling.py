"""What fills up, or runs out, on a straight line: the harm begins when it is full, not when it began to fill.

A leak that starts at a change bends; a disk that has been filling since long before any change does not. The bend is
what `agent.analysis.metrics.onset` finds; here is the other case.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from agent.analysis.metrics.departure import LARGEST_SIZE
from agent.analysis.metrics.naming import SHARES
from agent.analysis.metrics.onset import find_onset
from agent.analysis.metrics.series import Floats, Series, Times
from agent.analysis.metrics.trend import FEWEST, steady_slopes
from agent.analysis.observed import Onset
from agent.incident import Direction, Resource

FILLING = frozenset({Resource.DISK, Resource.MEMORY, Resource.CONNECTIONS, Resource.QUEUE, Resource.CERTIFICATE})
"""Resources that run out by growing (or counting down); a slope of others is the day's traffic."""

FULL = 0.985
"""From this share of a ceiling on a thing counts as full: sensors round, and files are written in blocks."""

BRIM = 0.999
"""Where it gets so far, the moment it does is the moment it is full, also when it was nearly full all along."""

OVER = 1.02
"""Values beyond the ceiling by more than this are no share of it."""


def ran_out(series: Series) -> Onset | None:
    """The moment a steady line met its end: a countdown crossed zero, a share reached its ceiling; else None.

    A share is a percentage (ceiling 100) or a ratio (1) of a resource that fills; one with a bend before it was full is
    left to its bend. `before` is the first value, `after` the last.
    """
    if series.meaning.resource is Resource.CERTIFICATE and series.meaning.harm == "down":
        return _expired(series)
    if series.meaning.resource in FILLING and series.meaning.harm == "up" and series.meaning.unit in SHARES:
        return _filled(series)
    return None


def _expired(series: Series) -> Onset | None:
    """A countdown's zero, between the two samples around it; one that stops at zero crossed it at its own pace."""
    values, times = series.values, series.times
    passed = np.flatnonzero((values[1:] <= 0) & (values[:-1] > 0))
    if not len(passed):
        return None
    i = int(passed[0])
    gap = times[i + 1] - times[i]
    pace = (values[i] - values[i + 1]) / (gap / np.timedelta64(1, "s"))
    if values[i + 1] == 0 and i > 0:
        usual = (values[i - 1] - values[i]) / ((times[i] - times[i - 1]) / np.timedelta64(1, "s"))
        pace = max(pace, usual)
    left = np.timedelta64(int(1e6 * values[i] / pace), "us")
    return _end(times[i] + min(left, gap), gap, "down", values)


def _filled(series: Series) -> Onset | None:
    highest = float(np.max(series.values))
    ceiling = 1.0 if highest <= OVER else 100.0
    reached = np.flatnonzero(series.values >= BRIM * ceiling)
    if not len(reached):
        reached = np.flatnonzero(series.values >= FULL * ceiling)
    if highest > OVER * ceiling or not len(reached) or reached[0] < FEWEST:
        return None
    i = int(reached[0])
    before_times, before = series.times[:i], series.values[:i]
    if slope_of(before_times, before) <= 0 or find_onset(before_times, before) is not None:
        return None
    return _end(series.times[i], series.times[i] - series.times[i - 1], "up", series.values)


def slope_of(times: Times, values: Floats) -> float:
    """Steady slope of one series per minute; 0 where it is not significant."""
    minutes = (times - times[0]) / np.timedelta64(60, "s")
    return float(steady_slopes(minutes[None, :], values[None, :])[0])


def _end(at: np.datetime64, gap: np.timedelta64, direction: Direction, values: Floats) -> Onset:
    moment: datetime = at.astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
    return Onset(
        at=moment,
        uncertainty=timedelta(seconds=float(gap / np.timedelta64(1, "s"))),
        direction=direction,
        before=float(values[0]),
        after=float(values[-1]),
        size=LARGEST_SIZE,
        shape="ramp",
    )
