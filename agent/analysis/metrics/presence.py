"""Series that begin or end inside the window while others go on: what appeared, and what fell silent.

A service that died sends no zeros, it sends nothing; and many clients report an error only from its first occurrence on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from agent.analysis.metrics.robust import middle_of
from agent.analysis.metrics.series import Series
from agent.analysis.observed import Onset
from agent.incident import GoldenSignal

FEWEST_SAMPLES = 10
"""A series has to have been there for a while before its silence tells."""

SILENT_STEPS = 5
"""Missing steps (or three times the longest gap seen) that are silence and not a late scrape."""

LONGEST_GAPS = 3.0

CLEAR = 10.0
"""Size given to an appearance or a silence: there is no level to measure it against."""


@dataclass(frozen=True, slots=True)
class Presence:
    onset: Onset
    harmful: bool


def presences(series: Sequence[Series]) -> list[Presence | None]:
    """For each series whether it appeared (shape `new`) or fell silent (`gone`) inside the span of all of them.

    Silence hurts where a whole service stops at once, or its requests do; an appearance where errors do.
    """
    if not series:
        return []
    begin = min(one.times[0] for one in series)
    end = max(one.times[-1] for one in series)
    talking = {one.service for one in series if not _silent(one, end - one.times[-1])}
    known = {one.service for one in series if not _silent(one, one.times[0] - begin)}
    found: list[Presence | None] = []
    for one in series:
        if _silent(one, end - one.times[-1]):
            harmful = one.service not in talking or one.meaning.golden is GoldenSignal.TRAFFIC
            found.append(Presence(_onset(one, "gone"), harmful))
        elif one.service in known and _silent(one, one.times[0] - begin):
            found.append(Presence(_onset(one, "new"), one.meaning.golden is GoldenSignal.ERRORS))
        else:
            found.append(None)
    return found


def _silent(one: Series, missing: np.timedelta64) -> bool:
    if len(one.times) < FEWEST_SAMPLES or missing < LONGEST_GAPS * (one.times[-1] - one.times[0]) / len(one.times):
        return False  # shorter than three average gaps, and the longest gap is not shorter than the average
    gaps = np.diff(one.times)
    return bool(missing >= max(SILENT_STEPS * np.median(gaps), LONGEST_GAPS * np.max(gaps)))


def _onset(one: Series, shape: str) -> Onset:
    level = middle_of(one.values)
    step = float(np.median(np.diff(one.times)) / np.timedelta64(1, "s"))
    at = one.times[0] if shape == "new" else one.times[-1] + np.timedelta64(int(1e6 * step), "us")
    moment: datetime = at.astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
    uncertainty = timedelta(seconds=step)
    if shape == "new":
        return Onset(
            at=moment, uncertainty=uncertainty, direction="up", before=0.0, after=level, size=CLEAR, shape="new"
        )
    return Onset(
        at=moment, uncertainty=uncertainty, direction="down", before=level, after=0.0, size=CLEAR, shape="gone"
    )
