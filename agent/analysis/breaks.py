"""Where many series break: the best ramp, step or passing bump of each, weighed against smooth growth.

Every candidate is one column added to a constant or to a straight line:

- ramp from sample b to sample c, level before and after (c = b + 1 is a step at sample b + 1; c at the end is a bend)
- bump over the samples b + 1 .. c, a deviation that recovered (Levin and Kline's epidemic change, Statistics in
  Medicine 1985)

Least squares for every (b, c) follow in closed form from sums over "all samples from here on", so that a panel of series
costs a few array passes. Candidates compete with a constant, a line, a parabola and a cubic (a daily trend is no break)
by BIC, with the sample count reduced for autocorrelated noise (Bayley and Hammersley, 1946): n (1 - r) / (1 + r).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agent.analysis.robust import Floats

Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
Family = Literal["step", "ramp", "bump"]
FAMILIES: tuple[Family, ...] = ("step", "ramp", "bump")
LASTING: tuple[Family, ...] = ("step", "ramp")
Place = slice | Ints
"""Columns: one run of them for all series, or an array of them for each series."""

LENGTHS: dict[Family, tuple[int, ...]] = {
    "step": (1,),
    "ramp": (2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200, 300, 450),
    "bump": (2, 3, 4, 6, 9, 13, 19, 28, 42, 63, 95, 140, 210),
}
"""Lengths c - b that are tried, growing by about half: a length off by a quarter costs a few percent of the gain."""

PARAMETERS: dict[Family, int] = {"step": 3, "ramp": 4, "bump": 4}
"""Numbers fitted over a constant: level, size and one or two moments."""

SMOOTH_DEGREE = 3
"""Growth up to a cubic is smooth: it follows a daily trend over any window of a few hours."""

WAVES = (0.35, 0.42, 0.5, 0.6, 0.72, 0.86, 1.0, 1.2)
"""Periods, in lengths of the window, of one wave on a line that counts as smooth too; a cubic follows longer ones, and
shorter ones show as autocorrelation."""

NEAR = np.array([-0.3, -0.2, -0.12, -0.06, -0.03, 0.0, 0.03, 0.06, 0.12, 0.2, 0.3])
"""Shares of its length by which the ends of the best rough candidate are moved in a second look."""

MIN_BEFORE = 3
MIN_AFTER = 2
"""A change is seen from two samples on, against at least three before."""

NOTHING = 1e-9
"""What is left of a standardised column or residual by rounding."""

ENOUGH_NORMAL = 20
"""Samples before a break that show the autocorrelation of the noise."""

MAX_AUTOCORRELATION = 0.95


@dataclass(frozen=True, slots=True)
class Panel:
    """Series of one padded length: times in 0..1, standardised values, and weights (0 for padding and masked samples).

    All arrays are float64 of shape (series, samples). Padding stands at the front, so every series ends in the last
    column.
    """

    times: Floats
    values: Floats
    weights: Floats

    def __getitem__(self, rows: Bools | Ints | slice) -> Panel:
        return Panel(self.times[rows], self.values[rows], self.weights[rows])


@dataclass(frozen=True, slots=True)
class Breaks:
    """The best break of each series of a panel; arrays of one entry per series."""

    score: Floats
    """BIC of the best smooth growth minus BIC of this break; above 0 the break explains more than it costs."""
    loose_score: Floats
    """The same, or better where a second break beside it explains what this one leaves over."""
    start: Ints
    """Last sample before the change."""
    stop: Ints
    """Last sample of the rise, or of the bump."""
    bump: Bools
    trended: Bools
    """True when the break stands on a straight line instead of a constant."""


@dataclass(frozen=True, slots=True)
class _Fit:
    rss: Floats
    start: Ints
    stop: Ints


def _from_here_on(values: Floats) -> Floats:
    return np.cumsum(values[..., ::-1], axis=-1)[..., ::-1]


def _unit(column: Floats) -> Floats:
    norm = np.sqrt(np.sum(column * column, axis=1, keepdims=True))
    return np.where(norm > NOTHING, column / np.where(norm > NOTHING, norm, 1.0), 0.0)


def _without(values: Floats, columns: Floats) -> Floats:
    for column in columns:
        values = values - column * np.sum(column * values, axis=1, keepdims=True)
    return values


def _polynomials(panel: Panel) -> Floats:
    """Orthonormal polynomials in time over the weighted samples, shape (degree + 1, series, samples)."""
    columns = [_unit(panel.weights)]
    for _ in range(SMOOTH_DEGREE):
        known = np.stack(columns)
        columns.append(_unit(_without(_without(columns[-1] * panel.times, known), known)))
    return np.stack(columns)


def _smooth(panel: Panel, columns: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Unexplained squares and cost of each kind of smooth growth: constant to cubic, and a line with one wave."""
    values = panel.values * panel.weights
    rest: list[Floats] = []
    for column in columns:
        values = _without(values, column[None])
        rest.append(np.sum(values * values, axis=1))
    on_line = _without(panel.values * panel.weights, columns[:2])
    for period in WAVES:
        turns = 2 * np.pi * panel.times / period
        sine = _unit(_without(np.sin(turns) * panel.weights, columns[:2]))
        cosine = _unit(_without(np.cos(turns) * panel.weights, np.stack([columns[0], columns[1], sine])))
        wavy = _without(on_line, np.stack([sine, cosine]))
        rest.append(np.sum(wavy * wavy, axis=1))
    fitted = np.array([*range(1, len(columns) + 1), *(5 for _ in WAVES)])
    return np.stack(rest), fitted[:, None] * np.log(count)


class _Scan:
    """Sums over all samples from one on; the gain of any ramp or bump follows from a few of them."""

    def __init__(self, panel: Panel, columns: Floats) -> None:
        times, weights = panel.times, panel.weights
        rest = _without(panel.values * weights, columns) * weights
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


def _best(scan: _Scan, family: Family) -> _Fit:
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
        top, start, stop = _finer(scan, family, _Fit(top, start, stop))
    return _Fit(np.maximum(scan.rss - top, 0.0), start, stop)


def _finer(scan: _Scan, family: Family, rough: _Fit) -> tuple[Floats, Ints, Ints]:
    """The best pair near a rough one: its length is only known to within a third, its start moves with it."""
    samples = scan.times.shape[1]
    rows = np.arange(len(rough.start))
    length = np.maximum(rough.stop - rough.start, 1)[:, None, None]
    moved = np.round(length * NEAR[None, :, None]).astype(np.intp)
    tuned = np.round(length * NEAR[None, None, :]).astype(np.intp)
    last = samples - 1 - (MIN_AFTER if family == "bump" else 0)
    shape = (len(rows), len(NEAR) ** 2)
    start = np.broadcast_to(rough.start[:, None, None] + moved, (len(rows), len(NEAR), len(NEAR)))
    stop = np.clip(rough.stop[:, None, None] + tuned, None, last) + np.zeros_like(moved)
    start = np.clip(start, MIN_BEFORE - 1, samples - 1 - MIN_AFTER).reshape(shape)
    stop = np.maximum(stop.reshape(shape), start + 1)
    gain = scan.gain(family, start, np.minimum(stop, last))
    at = np.argmax(gain, axis=1)
    better = gain[rows, at] > rough.rss * (1 + NOTHING)
    return (
        np.where(better, gain[rows, at], rough.rss),
        np.where(better, start[rows, at], rough.start),
        np.where(better, np.minimum(stop, last)[rows, at], rough.stop),
    )


def _column(panel: Panel, start: Ints, stop: Ints, bump: Bools) -> Floats:
    rows, samples = np.arange(len(start)), np.arange(panel.times.shape[1])
    begin, end = panel.times[rows, start][:, None], panel.times[rows, stop][:, None]
    inside = (samples > start[:, None]) & (samples <= stop[:, None])
    return np.where(bump[:, None], inside, np.clip(panel.times, begin, end) - begin) * panel.weights


def _autocorrelation(rest: Floats, count: Floats, fitted: int) -> Floats:
    """Lag-one autocorrelation, corrected for what fitting took out of it."""
    power = np.sum(rest * rest, axis=1)
    raw = np.sum(rest[:, 1:] * rest[:, :-1], axis=1) / np.where(power > 0, power, 1.0)
    return np.clip(raw + (1 + 3 * raw) * fitted / (2 * count), 0.0, MAX_AUTOCORRELATION)


@dataclass(frozen=True, slots=True)
class _Choice:
    """The best candidate of each series, before it is weighed."""

    rss: Floats
    cost: Floats
    start: Ints
    stop: Ints
    bump: Bools
    trended: Bools
    rest: Floats
    """What the candidate leaves unexplained, (series, samples)."""
    columns: Floats
    """The orthonormal columns it was fitted with, its own last."""


def find_breaks(panel: Panel, families: tuple[Family, ...] = FAMILIES) -> Breaks:
    """The best break of each series, from the given families, with and without a straight line underneath."""
    count = np.maximum(np.sum(panel.weights, axis=1), 1.0)
    columns = _polynomials(panel)
    smooth, smooth_cost = _smooth(panel, columns, count)
    floor = NOTHING * NOTHING * count
    smooth = np.maximum(smooth, floor)
    choice = _choose(panel, [columns[:1], columns[:2]], families, count)
    effective = _effective(choice.rest, count, fitted=4)
    score = _weigh(effective, count, choice.rss, choice.cost, smooth, smooth_cost)

    loose = score.copy()
    unsure = np.flatnonzero(np.min(count * np.log(smooth / choice.rss), axis=0) > 0)
    if unsure.size:
        loose[unsure] = np.maximum(score[unsure], _with_companion(panel, choice, smooth, smooth_cost, unsure))
    return Breaks(score, loose, choice.start, choice.stop, choice.bump, choice.trended)


def _weigh(effective: Floats, count: Floats, rss: Floats, cost: Floats, smooth: Floats, smooth_cost: Floats) -> Floats:
    plain = np.min(effective * np.log(smooth / count) + smooth_cost, axis=0)
    return plain - effective * np.log(rss / count) - cost


def _choose(panel: Panel, grounds: Sequence[Floats], families: tuple[Family, ...], count: Floats) -> _Choice:
    """The candidate with the lowest BIC; the second of two `grounds` has one parameter more, the line."""
    models = [(family, degree) for degree in range(len(grounds)) for family in families]
    scans = [_Scan(panel, ground) for ground in grounds]
    fits = [_best(scans[degree], family) for family, degree in models]
    rss = np.maximum(np.stack([f.rss for f in fits]), NOTHING * NOTHING * count)
    cost = np.array([PARAMETERS[family] + degree for family, degree in models])[:, None] * np.log(count)
    rows = np.arange(len(count))
    best = np.argmin(count * np.log(rss / count) + cost, axis=0)
    start = np.stack([f.start for f in fits])[best, rows]
    stop = np.stack([f.stop for f in fits])[best, rows]
    bump = np.array([family == "bump" for family, _ in models])[best]
    trended = np.array([degree == 1 for _, degree in models])[best]
    ground = np.where(trended[:, None], grounds[-1], np.zeros(1))
    ground[: len(grounds[0])] = grounds[0]
    own = _unit(_without(_column(panel, start, stop, bump), ground))
    fitted = np.concatenate([ground, own[None]])
    rest = _without(panel.values * panel.weights, fitted) * panel.weights
    return _Choice(rss[best, rows], cost[best, rows], start, stop, bump, trended, rest, fitted)


def _with_companion(panel: Panel, choice: _Choice, smooth: Floats, smooth_cost: Floats, rows: Ints) -> Floats:
    """The score when a second break may stand beside the first.

    Two changes in one series (a harmless spike in the morning, the incident now) spoil each other's score: what the
    first leaves unexplained looks like autocorrelated noise.
    """
    part = panel[rows]
    count = np.maximum(np.sum(part.weights, axis=1), 1.0)
    second = _choose(part, [choice.columns[:, rows]], FAMILIES, count)
    normal = _of_normal_part(part, choice.start[rows])
    alone = np.maximum(_effective(choice.rest[rows], count, fitted=4), normal)
    both = np.maximum(_effective(second.rest, count, fitted=8), normal)
    smooth, smooth_cost = smooth[:, rows], smooth_cost[:, rows]
    cost = choice.cost[rows]
    return np.maximum(
        _weigh(alone, count, choice.rss[rows], cost, smooth, smooth_cost),
        _weigh(both, count, second.rss, cost + second.cost - np.log(count), smooth, smooth_cost),
    )


def _of_normal_part(panel: Panel, start: Ints) -> Floats:
    """Independent samples of the whole series, by the autocorrelation of the part before the break, less its own line.

    0 where that part is too short to tell.
    """
    weights = panel.weights * (np.arange(panel.weights.shape[1]) <= start[:, None])
    count = np.sum(weights, axis=1)
    level = _unit(weights)
    line = _unit(_without(panel.times * weights, level[None]))
    rest = _without(panel.values * weights, np.stack([level, line]))
    correlation = _autocorrelation(rest, np.maximum(count, 1.0), fitted=2)
    effective = np.sum(panel.weights, axis=1) * (1 - correlation) / (1 + correlation)
    return np.where(count >= ENOUGH_NORMAL, effective, 0.0)


def _effective(rest: Floats, count: Floats, fitted: int) -> Floats:
    """Number of independent samples that autocorrelated noise is worth."""
    correlation = _autocorrelation(rest, count, fitted)
    return count * (1 - correlation) / (1 + correlation)
