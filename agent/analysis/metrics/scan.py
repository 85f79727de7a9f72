"""Every ramp, step and bump that could have happened in each of many series, by least squares in closed form.

Each candidate is one column added to a ground of known columns (a constant, or a line):

- ramp from sample b to sample c, level before and after (c = b + 1 is a step at sample b + 1; c at the end is a bend)
- bump over the samples b + 1 .. c, a deviation that recovered (Levin and Kline's epidemic change, Statistics in
  Medicine 1985)

What a column explains follows from sums over "all samples from here on", so that a panel of series costs a few array
passes for each length c - b.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agent.analysis.metrics.robust import Floats

Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
Place = slice | Ints
"""Columns: one run of them for all series, or an array of them for each series."""

Family = Literal["step", "ramp", "bump"]

LENGTHS: dict[Family, tuple[int, ...]] = {
    "step": (1,),
    "ramp": (2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200, 300, 450),
    "bump": (2, 3, 4, 6, 9, 13, 19, 28, 42, 63, 95, 140, 210),
}
"""Lengths c - b that are tried, growing by about half: a length off by a quarter costs a few percent of the gain."""

NEAR = np.array([-0.3, -0.2, -0.12, -0.06, -0.03, 0.0, 0.03, 0.06, 0.12, 0.2, 0.3])
"""Shares of its length by which the ends of the best rough candidate are moved in a second look."""

MIN_BEFORE = 3
MIN_AFTER = 2
"""A change is seen from two samples on, against at least three before."""

NOTHING = 1e-9
"""What is left of a standardised column or residual by rounding."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Series of one padded length: times in 0..1, standardised values, and weights (0 for padding and masked samples).

    All arrays are float64 of shape (series, samples). Padding stands at the front, so every series ends in the last
    column.
    """

    times: Floats
    values: Floats
    weights: Floats

    def __getitem__(self, rows: Ints) -> Panel:
        return Panel(self.times[rows], self.values[rows], self.weights[rows])

    @property
    def count(self) -> Floats:
        """Samples that count, per series."""
        return np.maximum(np.sum(self.weights, axis=1), 1.0)


@dataclass(frozen=True, slots=True)
class Fit:
    """The best candidate of one family for each series."""

    rss: Floats
    """Squares that it leaves unexplained."""
    start: Ints
    """Last sample before the change."""
    stop: Ints
    """Last sample of the rise, or of the bump."""


def _from_here_on(values: Floats) -> Floats:
    return np.cumsum(values[..., ::-1], axis=-1)[..., ::-1]


def unit(column: Floats) -> Floats:
    """Each row scaled to length 1; a row of (nearly) nothing becomes 0."""
    norm = np.sqrt(np.sum(column * column, axis=1, keepdims=True))
    return np.where(norm > NOTHING, column / np.where(norm > NOTHING, norm, 1.0), 0.0)


def without(values: Floats, columns: Floats) -> Floats:
    """The values less their projection on orthonormal columns of shape (columns, series, samples)."""
    for column in columns:
        values = values - column * np.sum(column * values, axis=1, keepdims=True)
    return values


class Scan:
    """Sums over all samples from one on; the gain of any ramp or bump follows from a few of them."""

    def __init__(self, panel: Panel, columns: Floats) -> None:
        times, weights = panel.times, panel.weights
        rest = without(panel.values * weights, columns) * weights
        self.times = times
        self.rss = np.sum(rest * rest, axis=1)
        self.count = _from_here_on(weights)
        self.first = _from_here_on(weights * times)
        self.second = _from_here_on(weights * times * times)
        self.level = _from_here_on(rest)
        self.slope = _from_here_on(times * rest) - times * self.level
        self.lost_level = _from_here_on(columns)
        self.lost_slope = _from_here_on(times * columns) - times * self.lost_level

    def ramp(self, start: Place, stop: Place) -> Floats:
        """Squares explained by a ramp from each sample of `start` to the matching one of `stop`."""
        begin, end = _at(self.times, start), _at(self.times, stop)
        after = _at(self.count, stop)
        norm = (
            (_at(self.second, start) - _at(self.second, stop))
            - 2 * begin * (_at(self.first, start) - _at(self.first, stop))
            + begin * begin * (_at(self.count, start) - after)
            + (end - begin) ** 2 * after
        )
        lost = sum(((_at(column, start) - _at(column, stop)) ** 2 for column in self.lost_slope), np.zeros_like(norm))
        return _explained(_at(self.slope, start) - _at(self.slope, stop), norm, lost)

    def bump(self, start: Place, stop: Place) -> Floats:
        """Squares explained by a deviation over the samples after `start`, up to and with `stop`."""
        first, beyond = _next(start), _next(stop)
        norm = _at(self.count, first) - _at(self.count, beyond)
        lost = sum(((_at(column, first) - _at(column, beyond)) ** 2 for column in self.lost_level), np.zeros_like(norm))
        return _explained(_at(self.level, first) - _at(self.level, beyond), norm, lost)

    def gain(self, family: Family, start: Place, stop: Place) -> Floats:
        """Squares explained where enough samples stand on each side, else 0."""
        gain = self.bump(start, stop) if family == "bump" else self.ramp(start, stop)
        changed = _at(self.count, _next(start))
        allowed = (self.count[:, :1] - changed >= MIN_BEFORE) & (changed >= MIN_AFTER)
        if family == "bump":
            after = _at(self.count, _next(stop))
            allowed &= (after >= MIN_AFTER) & (changed - after >= MIN_AFTER)
        return np.where(allowed, gain, 0.0)


def _at(values: Floats, place: Place) -> Floats:
    return values[:, place] if isinstance(place, slice) else np.take_along_axis(values, place, axis=1)


def _next(place: Place) -> Place:
    return slice(place.start + 1, place.stop + 1) if isinstance(place, slice) else place + 1


def _explained(fit: Floats, norm: Floats, lost: Floats) -> Floats:
    free = norm - lost
    known = free > NOTHING * np.maximum(norm, NOTHING)
    return np.where(known, fit * fit / np.where(known, free, 1.0), 0.0)


def _candidates(family: Family, samples: int) -> list[tuple[slice, slice]]:
    """(starts, stops) of each length; the last one of the ramps ends at the last sample, whatever its start."""
    first, last = MIN_BEFORE - 1, samples - MIN_AFTER
    pairs: list[tuple[slice, slice]] = []
    for length in LENGTHS[family]:
        end = min(last, samples - length) if family != "bump" else samples - length - MIN_AFTER
        if end > first:
            pairs.append((slice(first, end), slice(first + length, end + length)))
    if family == "ramp" and last > first:
        pairs.append((slice(first, last), slice(samples - 1, samples)))
    return pairs


def best_of(scan: Scan, family: Family) -> Fit:
    """The candidate of one family that explains most of each series."""
    series, samples = scan.times.shape
    rows = np.arange(series)
    top = np.zeros(series)
    start, stop = np.zeros(series, dtype=np.intp), np.zeros(series, dtype=np.intp)
    for begin, end in _candidates(family, samples):
        gain = scan.gain(family, begin, end)
        at = np.argmax(gain, axis=1)
        better = gain[rows, at] > top * (1 + NOTHING)
        top = np.where(better, gain[rows, at], top)
        start = np.where(better, begin.start + at, start)
        stop = np.where(better, end.start + (0 if end.stop == end.start + 1 else at), stop)
    if family != "step":
        top, start, stop = _finer(scan, family, top, start, stop)
    return Fit(np.maximum(scan.rss - top, 0.0), start, stop)


def _finer(scan: Scan, family: Family, top: Floats, start: Ints, stop: Ints) -> tuple[Floats, Ints, Ints]:
    """The best pair near a rough one: its length is only known to within a third, its start moves with it."""
    samples, rows = scan.times.shape[1], np.arange(len(start))
    moves = np.round(np.maximum(stop - start, 1)[:, None] * NEAR).astype(np.intp)
    near_start = np.clip(start[:, None] + moves, MIN_BEFORE - 1, samples - 1 - MIN_AFTER)
    near_stop = np.minimum(stop[:, None] + moves, samples - 1 - (MIN_AFTER if family == "bump" else 0))
    starts = np.repeat(near_start, len(NEAR), axis=1)
    stops = np.maximum(np.tile(near_stop, len(NEAR)), np.minimum(starts + 1, near_stop.max(axis=1, keepdims=True)))
    gain = np.where(stops > starts, scan.gain(family, starts, stops), 0.0)
    at = np.argmax(gain, axis=1)
    better = gain[rows, at] > top * (1 + NOTHING)
    return (
        np.where(better, gain[rows, at], top),
        np.where(better, starts[rows, at], start),
        np.where(better, stops[rows, at], stop),
    )


def column_of(panel: Panel, start: Ints, stop: Ints, bump: Bools) -> Floats:
    """The column of one candidate per series, as `Scan` takes it."""
    rows, samples = np.arange(len(start)), np.arange(panel.times.shape[1])
    begin, end = panel.times[rows, start][:, None], panel.times[rows, stop][:, None]
    inside = (samples > start[:, None]) & (samples <= stop[:, None])
    return np.where(bump[:, None], inside, np.clip(panel.times, begin, end) - begin) * panel.weights
