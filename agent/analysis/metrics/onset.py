"""When did a series change, and how: the onset of its first lasting deviation, or of a deviation that recovered.

The search has three steps, each over many series at once:

1. `_worth_a_look`: cheap order statistics that let ordinary noise pass by.
2. `search.py`: ramps, steps and bumps against smooth growth (`breaks.py`), bumps masked, lasting
   changes taken back to their first stage.
3. `departure.py`: the first sample outside the normal band, and whether few samples are enough.

Row order, duplicates, an offset and a positive factor do not change the answer (except the words `new` and `gone`,
which are about zero), nor do the other series.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.analysis.metrics.departure import Departure, Stretch
from agent.analysis.metrics.leaving import Leaving, leaves
from agent.analysis.metrics.robust import Floats, median_of_three, spread_of, tempered
from agent.analysis.metrics.scan import Bools, Panel
from agent.analysis.metrics.search import search
from agent.analysis.observed import Onset
from agent.incident import Shape

Times = NDArray[np.datetime64]

FEWEST_SAMPLES = 5
"""Three before and two after; fewer say nothing."""

CALM_EXTREME = 4.0
CALM_RANGE = 1.5
CALM_BLOCKS = 8
"""A series passes by unsearched when its smoothed samples stay within 4 spreads of its median and the medians of eight
equal blocks within 1.5 spreads of each other. Both lie below what could be believed later."""

PANEL_ROWS = 256
"""Series searched together; the sums of such a panel stay in the processor's cache."""

BRIEF = 2
"""A rise over at most so many samples is a step."""

ZERO_SHARE = 0.001
"""A level below this share of the other one counts as nothing, for the words `new` and `gone`."""


@dataclass(frozen=True, slots=True)
class _Series:
    times: Times
    seconds: Floats
    values: Floats


@dataclass(frozen=True, slots=True)
class _Sought:
    """A series that is worth a look."""

    index: int
    series: _Series
    calm: Floats
    """Its values less lone outliers, around 0 and of size 1."""


def find_onset(times: Times, values: Floats, until: datetime | None = None) -> Onset | None:
    """The onset of one series; see `find_onsets`."""
    return find_onsets([times], [values], until)[0]


def find_onsets(times: Sequence[Times], values: Sequence[Floats], until: datetime | None = None) -> list[Onset | None]:
    """The onset of each series, looking only at samples up to and with `until` (aware; None means all).

    `times` are datetime64 in UTC, `values` float64 in any order; values that are not finite are left out. None means no
    change that noise, smooth growth or a lone outlier would not explain. A lasting change goes before one that
    recovered (shape `spike`).
    """
    series = [_clean(t, v, until) for t, v in zip(times, values, strict=True)]
    sought = _worth_a_look(series)
    onsets: list[Onset | None] = [None] * len(series)
    for begin in range(0, len(sought), PANEL_ROWS):
        part = sought[begin : begin + PANEL_ROWS]
        width = max(len(one.calm) for one in part)
        stretches = [_stretch(one.series, width) for one in part]
        for one, departure in zip(part, search(_panel(part, width), stretches), strict=True):
            if departure is not None:
                onsets[one.index] = _onset(one.series, _shifted(departure, width - len(one.calm)))
    for one in sought:
        if onsets[one.index] is None and (leaving := leaves(one.series.values)) is not None:
            onsets[one.index] = _left(one.series, leaving)
    return onsets


def _left(series: _Series, leaving: Leaving) -> Onset:
    """The onset of a series that left a calm beginning for good."""
    at = series.times[leaving.first].astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
    step = float(series.seconds[leaving.first] - series.seconds[leaving.first - 1])
    return Onset(
        at=at,
        uncertainty=timedelta(seconds=step),
        direction="up" if leaving.up else "down",
        before=leaving.before,
        after=leaving.after,
        size=min(1000.0, leaving.size),
        shape="ramp",
    )


def _clean(times: Times, values: Floats, until: datetime | None) -> _Series:
    """Sorted, finite, one value (the mean) per moment, nothing after `until`."""
    moments = np.asarray(times, dtype="datetime64[us]").astype(np.int64)
    numbers = np.asarray(values, dtype=np.float64)
    keep = np.isfinite(numbers)
    if until is not None:
        keep &= moments <= np.datetime64(until.astimezone(UTC).replace(tzinfo=None), "us").astype(np.int64)
    order = np.argsort(moments[keep], kind="stable")
    moments, numbers = moments[keep][order], numbers[keep][order]
    if np.any(moments[1:] == moments[:-1]):
        moments, place = np.unique(moments, return_inverse=True)
        numbers = np.bincount(place, weights=numbers) / np.bincount(place)
    seconds = (moments - moments[0]) / 1e6 if len(moments) else np.zeros(0)
    return _Series(moments.astype("datetime64[us]"), seconds, numbers)


def _worth_a_look(series: Sequence[_Series]) -> list[_Sought]:
    """The series that are not obviously calm, the shortest first."""
    alike: dict[int, list[int]] = defaultdict(list)
    for i, one in enumerate(series):
        if len(one.values) >= FEWEST_SAMPLES and np.ptp(one.values) > 0:
            alike[len(one.values)].append(i)
    sought: list[_Sought] = []
    for _, rows in sorted(alike.items()):
        values = np.stack([series[i].values for i in rows])
        values -= np.median(values, axis=1, keepdims=True)
        moved = ~_is_calm(values)
        calm = tempered(values[moved])
        scale = np.sqrt(np.mean(calm * calm, axis=1, keepdims=True))
        calm /= np.where(scale > 0, scale, 1.0)
        sought += [_Sought(rows[i], series[rows[i]], row) for i, row in zip(np.flatnonzero(moved), calm, strict=True)]
    return sought


def _is_calm(values: Floats) -> Bools:
    smooth = median_of_three(values)
    blocks = min(CALM_BLOCKS, values.shape[1] // 3 + 1)
    levels = np.stack([np.median(block, axis=1) for block in np.array_split(smooth, blocks, axis=1)], axis=1)
    inner = [block - np.median(block, axis=1, keepdims=True) for block in np.array_split(values, blocks, axis=1)]
    extreme = np.max(np.abs(smooth), axis=1)
    quiet = extreme < CALM_EXTREME * spread_of(values)
    return quiet & (np.ptp(levels, axis=1) < CALM_RANGE * spread_of(np.concatenate(inner, axis=1)))


def _panel(sought: Sequence[_Sought], width: int) -> Panel:
    """Series as rows that end together; the front is padded at weight 0."""
    times, values, weights = (np.zeros((len(sought), width)) for _ in range(3))
    for row, one in enumerate(sought):
        pad = width - len(one.calm)
        times[row, pad:] = one.series.seconds / one.series.seconds[-1]
        values[row, pad:] = one.calm
        weights[row, pad:] = 1.0
    return Panel(times, values, weights)


def _stretch(series: _Series, width: int) -> Stretch:
    pad = width - len(series.values)
    return Stretch(
        np.concatenate([np.zeros(pad), series.seconds]),
        np.concatenate([np.full(pad, series.values[0]), series.values]),
        np.arange(width) >= pad,
    )


def _shifted(departure: Departure, pad: int) -> Departure:
    """The same departure in indices without padding."""
    first = max(0, departure.first - pad)
    return replace(departure, first=first, last=departure.last - pad, rough=departure.rough - pad)


def _onset(series: _Series, departure: Departure) -> Onset:
    first = departure.first
    at = series.times[first].astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
    return Onset(
        at=at,
        uncertainty=timedelta(seconds=_uncertainty(series, departure)),
        direction="up" if departure.up else "down",
        before=departure.before,
        after=departure.after,
        size=departure.size,
        shape=_shape(departure),
    )


def _uncertainty(series: _Series, departure: Departure) -> float:
    """At least the gap to the sample before; more when the break and the band disagree, or when the shift is small."""
    first = departure.first
    step = float(np.median(np.diff(series.seconds)))
    gap = float(series.seconds[first] - series.seconds[first - 1]) if first else step
    moved = abs(departure.rough - first) * step
    rise = 1 if departure.recovered else max(1, departure.last - departure.rough + 1)
    return max(gap, step, 0.5 * moved, 1.5 * step * (rise / departure.size) ** (2 / 3))


def _shape(departure: Departure) -> Shape:
    if departure.recovered:
        return "spike"
    if departure.last - departure.rough + 1 > BRIEF:
        return "ramp"
    if abs(departure.before) <= ZERO_SHARE * abs(departure.after):
        return "new"
    if abs(departure.after) <= ZERO_SHARE * abs(departure.before):
        return "gone"
    return "step"
