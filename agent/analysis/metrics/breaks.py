"""Where many series break: the best ramp, step or passing bump of each, weighed against smooth growth.

Candidates (`scan.py`) compete by BIC with what is smooth and therefore no break: a constant to a cubic, a
line with one wave. The sample count is reduced for autocorrelated noise to n (1 - r) / (1 + r) (Bayley and Hammersley,
1946).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.analysis.metrics.robust import Floats
from agent.analysis.metrics.scan import NOTHING, Bools, Family, Ints, Panel, Scan, best_of, column_of, unit, without

FAMILIES: tuple[Family, ...] = ("step", "ramp", "bump")
LASTING: tuple[Family, ...] = ("step", "ramp")

PARAMETERS: dict[Family, int] = {"step": 3, "ramp": 4, "bump": 4}
"""Numbers fitted over a constant: level, size and one or two moments."""

RAMP_DISLIKE = 1.0
"""Parameters by which a ramp has to be better than a step to be chosen: noise beside a step looks like a short ramp."""

SMOOTH_DEGREE = 3
"""Growth up to a cubic is smooth: it follows a daily trend over any window of a few hours."""

WAVES = (0.35, 0.42, 0.5, 0.6, 0.72, 0.86, 1.0, 1.2)
"""Periods, in lengths of the window, of one wave on a line that counts as smooth too; a cubic follows longer ones, and
shorter ones show as autocorrelation."""

ENOUGH_NORMAL = 20
"""Samples before a break that show the autocorrelation of the noise."""

MAX_AUTOCORRELATION = 0.95


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
    """The orthonormal columns it was fitted with, its own last; (columns, series, samples)."""

    def __getitem__(self, rows: Ints) -> _Choice:
        return _Choice(
            self.rss[rows],
            self.cost[rows],
            self.start[rows],
            self.stop[rows],
            self.bump[rows],
            self.trended[rows],
            self.rest[rows],
            self.columns[:, rows],
        )


@dataclass(frozen=True, slots=True)
class _Smooth:
    """What each kind of smooth growth leaves unexplained, and costs; both of shape (kinds, series)."""

    rss: Floats
    cost: Floats
    count: Floats

    def __getitem__(self, rows: Ints) -> _Smooth:
        return _Smooth(self.rss[:, rows], self.cost[:, rows], self.count[rows])

    def beaten_by(self, rss: Floats, cost: Floats, effective: Floats) -> Floats:
        """BIC of the best kind minus that of a candidate, for so many independent samples."""
        best = np.min(effective * np.log(self.rss / self.count) + self.cost, axis=0)
        return best - effective * np.log(rss / self.count) - cost


def find_breaks(panel: Panel, families: tuple[Family, ...] = FAMILIES) -> Breaks:
    """The best break of each series, from the given families, with and without a straight line underneath."""
    columns = _polynomials(panel)
    smooth = _smooth(panel, columns)
    choice = _choose(panel, [columns[:1], columns[:2]], families)
    score = smooth.beaten_by(choice.rss, choice.cost, _effective(choice.rest, panel.count, fitted=4))
    loose = score.copy()
    unsure = np.flatnonzero(smooth.beaten_by(choice.rss, choice.cost, panel.count) > 0)
    if unsure.size:
        loose[unsure] = np.maximum(score[unsure], _with_companion(panel[unsure], choice[unsure], smooth[unsure]))
    return Breaks(score, loose, choice.start, choice.stop, choice.bump, choice.trended)


def _choose(panel: Panel, grounds: Sequence[Floats], families: tuple[Family, ...]) -> _Choice:
    """The candidate with the lowest BIC; the second of two `grounds` has one parameter more, the line."""
    models: list[tuple[Family, int]] = [(family, degree) for degree in range(len(grounds)) for family in families]
    scans = [Scan(panel, ground) for ground in grounds]
    fits = [best_of(scans[degree], family) for family, degree in models]
    count, rows = panel.count, np.arange(len(panel.values))
    rss = np.maximum(np.stack([fit.rss for fit in fits]), NOTHING * NOTHING * count)
    cost = np.array([PARAMETERS[family] + degree for family, degree in models])[:, None] * np.log(count)
    preferred = np.array([RAMP_DISLIKE * (family == "ramp") for family, _ in models])[:, None] * np.log(count)
    best = np.argmin(count * np.log(rss / count) + cost + preferred, axis=0)
    start = np.stack([fit.start for fit in fits])[best, rows]
    stop = np.stack([fit.stop for fit in fits])[best, rows]
    bump = np.array([family == "bump" for family, _ in models])[best]
    trended = np.array([degree == 1 for _, degree in models])[best]
    ground = grounds[-1].copy()
    ground[len(grounds[0]) :, ~trended] = 0.0
    own = unit(without(column_of(panel, start, stop, bump), ground))
    fitted = np.concatenate([ground, own[None]])
    rest = without(panel.values * panel.weights, fitted) * panel.weights
    return _Choice(rss[best, rows], cost[best, rows], start, stop, bump, trended, rest, fitted)


def _with_companion(panel: Panel, choice: _Choice, smooth: _Smooth) -> Floats:
    """The score when a second break may stand beside the first, and the noise may be judged by the normal part alone.

    Two changes in one series (a harmless spike in the morning, the incident now) spoil each other's score: what the
    first leaves unexplained looks like autocorrelated noise.
    """
    second = _choose(panel, [choice.columns], FAMILIES)
    normal = _of_normal_part(panel, choice.start)
    alone = np.maximum(_effective(choice.rest, panel.count, fitted=4), normal)
    both = np.maximum(_effective(second.rest, panel.count, fitted=8), normal)
    cost = choice.cost + second.cost - np.log(panel.count)
    return np.maximum(
        smooth.beaten_by(choice.rss, choice.cost, alone),
        smooth.beaten_by(second.rss, cost, both),
    )


def _of_normal_part(panel: Panel, start: Ints) -> Floats:
    """Independent samples of the whole series, by the autocorrelation of the part before the break, less its own line.

    0 where that part is too short to tell.
    """
    weights = panel.weights * (np.arange(panel.weights.shape[1]) <= start[:, None])
    count = np.sum(weights, axis=1)
    level = unit(weights)
    line = unit(without(panel.times * weights, level[None]))
    rest = without(panel.values * weights, np.stack([level, line]))
    correlation = _autocorrelation(rest, np.maximum(count, 1.0), fitted=2)
    effective = np.sum(panel.weights, axis=1) * (1 - correlation) / (1 + correlation)
    return np.where(count >= ENOUGH_NORMAL, effective, 0.0)


def _effective(rest: Floats, count: Floats, fitted: int) -> Floats:
    """Number of independent samples that autocorrelated noise is worth."""
    correlation = _autocorrelation(rest, count, fitted)
    return count * (1 - correlation) / (1 + correlation)


def _polynomials(panel: Panel) -> Floats:
    """Orthonormal polynomials in time over the weighted samples, shape (degree + 1, series, samples)."""
    columns = [unit(panel.weights)]
    for _ in range(SMOOTH_DEGREE):
        known = np.stack(columns)
        columns.append(unit(without(without(columns[-1] * panel.times, known), known)))
    return np.stack(columns)


def _smooth(panel: Panel, columns: Floats) -> _Smooth:
    """Every kind of smooth growth: constant to cubic, and a line with one wave."""
    values = panel.values * panel.weights
    rest: list[Floats] = []
    for column in columns:
        values = without(values, column[None])
        rest.append(np.sum(values * values, axis=1))
    on_line = without(panel.values * panel.weights, columns[:2])
    for period in WAVES:
        turns = 2 * np.pi * panel.times / period
        sine = unit(without(np.sin(turns) * panel.weights, columns[:2]))
        cosine = unit(without(np.cos(turns) * panel.weights, np.stack([columns[0], columns[1], sine])))
        wavy = without(on_line, np.stack([sine, cosine]))
        rest.append(np.sum(wavy * wavy, axis=1))
    fitted = np.array([*range(1, len(columns) + 1), *(5 for _ in WAVES)])
    least = NOTHING * NOTHING * panel.count
    return _Smooth(np.maximum(np.stack(rest), least), fitted[:, None] * np.log(panel.count), panel.count)


def _autocorrelation(rest: Floats, count: Floats, fitted: int) -> Floats:
    """Lag-one autocorrelation, corrected for what fitting took out of it."""
    power = np.sum(rest * rest, axis=1)
    raw = np.sum(rest[:, 1:] * rest[:, :-1], axis=1) / np.where(power > 0, power, 1.0)
    return np.clip(raw + (1 + 3 * raw) * fitted / (2 * count), 0.0, MAX_AUTOCORRELATION)
