"""Rates of log templates over time: which rose, fell, began or ended, since when, and whether chance explains it.

Counts per bucket are compared before and after a moment, given how long each side was seen and how much the service
talked otherwise: where it logs twice as much of everything, traffic or the sampling changed, not this line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.analysis.counts import (
    MAX_SIZE,
    Floats,
    adjusted,
    fall_p,
    rate_score,
    ratio_bounds,
    rise_p,
)
from agent.analysis.logs.linecounts import MINUTE, Codes, Flags, Tally

BURST = 5
"""Events of a rare template in one bucket that count as independent; more come from one cause."""
SLIVER = 0.5
"""Minutes below which a bucket's own rate is not looked at."""
SWELL = 5.0
"""The same for a frequent one, in medians of its own buckets."""
MIN_CONTROL = 20
"""Other healthy lines of a service that are needed to tell a change of its volume from chance."""
MIN_BASE_BUCKETS = 5
"""Buckets from which the spread of a template's own counts is estimated; fewer say nothing about burstiness."""
ALPHA = 0.005
"""False discovery rate. With nothing but noise, one window in two hundred shows any signal."""
MIN_RATIO = 1.3
"""Smallest change of rate (lower Wilson bound) that is worth a signal, however certain it is."""
CLOSE_CALL = 3.84
"""Twice the log-likelihood by which a moment may explain the counts worse and still be the one (chi-square, 95%)."""
CRESCENDO_P = 0.05
"""Lines before a step that crowd towards it this much belong to it: the template began with the first of them."""


@dataclass(frozen=True)
class Shifts:
    """The best supported change of each template."""

    rises: Flags
    complete: Flags
    """Nothing before a rise (new) or after a fall (gone)."""
    onset: Codes
    uncertainty: Codes
    before: Floats
    """Lines per minute before the onset."""
    after: Floats
    size: Floats
    p: Floats
    """Adjusted for the moments and the templates that were looked at."""
    p_began: Floats
    """Unadjusted p of beginning as late as it began."""
    low: Floats
    """Lower and upper bound of after / before."""
    high: Floats

    @property
    def real(self) -> Flags:
        """Beyond chance, and large enough to matter."""
        large = np.where(self.rises, self.low >= MIN_RATIO, self.high <= 1 / MIN_RATIO)
        return np.asarray((self.p <= ALPHA) & large, dtype=np.bool_)


def find_shifts(seen: Tally, control: Codes) -> Shifts:
    """The change of each template; `control` holds, template × bucket, the healthy lines it is compared with."""
    table = _Table(seen, control)
    up, down = table.edge(rising=True), table.edge(rising=False)
    p_began, p_ended = table.p_began(), table.p_ended()
    p_up = np.minimum(table.p_scanned(up, rising=True), p_began)
    p_down = np.minimum(table.p_scanned(down, rising=False), p_ended)
    rises = p_up <= p_down
    edge = np.where(rises, up, down)
    complete = np.where(rises, table.began_with_first(up), table.ended_with_last(down))
    return _shifts(table, rises, complete, edge, np.minimum(1.0, 3.0 * np.where(rises, p_up, p_down)), p_began)


def _shifts(table: _Table, rises: Flags, complete: Flags, edge: Codes, p: Floats, p_began: Floats) -> Shifts:
    seen, grid = table.seen, table.seen.grid
    onset = np.where(complete, np.where(rises, seen.first, seen.last), table.moment(edge))
    n1 = np.where(complete, np.where(rises, 0, table.raw_total), table.raw_before_edge(edge))
    n2 = table.raw_total - n1
    fair = table.fair_share(onset, edge, rising=rises)
    low, high = ratio_bounds(n1, n2, fair)
    after = table.minutes_after(onset)
    gap = MINUTE * np.where(rises, after, grid.total - after) / np.maximum(table.total, 1)
    vague = np.where(complete, np.clip(gap, 1_000_000, 10 * MINUTE), table.vagueness(edge, rises))
    return Shifts(
        rises=rises,
        complete=complete,
        onset=np.asarray(onset, dtype=np.int64),
        uncertainty=np.asarray(vague, dtype=np.int64),
        before=n1 / np.maximum(grid.total - after, 1.0),
        after=n2 / np.maximum(after, 1.0),
        size=np.minimum(np.abs(rate_score(n1, n2, fair)), MAX_SIZE),
        p=adjusted(p),
        p_began=p_began,
        low=low,
        high=high,
    )


class _Table:
    """Cumulative counts at every edge between two buckets."""

    def __init__(self, seen: Tally, control: Codes) -> None:
        self.seen = seen
        raw = seen.counts.astype(np.float64)
        usual = np.median(raw, axis=1, keepdims=True)
        tamed = np.where(usual < 1, np.minimum(seen.events, BURST), np.minimum(raw, np.maximum(SWELL * usual, BURST)))
        minutes = np.broadcast_to(seen.grid.minutes, raw.shape)
        self.crowded = seen.grid.is_crowded(control)
        exposure = np.where(self.crowded[:, None], control + (minutes > 0), minutes)
        self.total, self.raw_total = tamed.sum(axis=1), raw.sum(axis=1)
        self._lines, self._raw, self._control = _sums(tamed), _sums(raw), _sums(control)
        self._exposure, self._minutes = _sums(exposure), _sums(minutes)
        # A sliver of a bucket at either end would make one line in it look like a burst.
        self._squares = _sums(np.square(tamed) / np.maximum(exposure, SLIVER) * (exposure > 0))
        self._buckets = _sums(exposure > 0)
        self._rows = np.arange(len(raw))
        # One edge at least, so that a single bucket needs no special case: there, nothing can be compared.
        self.edges = max(1, raw.shape[1] - 1)
        inner = slice(1, self.edges + 1)
        share = 1.0 - self._exposure[:, inner] / self._exposure[:, -1:]
        self.score = rate_score(self._lines[:, inner], self.total[:, None] - self._lines[:, inner], share)
        if raw.shape[1] == 1:
            self.score[:] = 0.0

    def edge(self, *, rising: bool) -> Codes:
        return np.asarray((self.score if rising else -self.score).argmax(axis=1), dtype=np.int64)

    def before_edge(self, edge: Codes) -> Floats:
        """Lines before the end of bucket `edge` (-1: before everything)."""
        return self._lines[self._rows, edge + 1]

    def raw_before_edge(self, edge: Codes) -> Floats:
        return self._raw[self._rows, edge + 1]

    def share_after(self, moments: Codes, of: Floats | None = None) -> Floats:
        """How much of each template's exposure (or of the minutes) lies after its moment."""
        sums = self._exposure if of is None else of
        bucket, passed = self.seen.grid.bucket(moments), self.seen.grid.part_passed(moments)
        before, upto = sums[self._rows, bucket], sums[self._rows, bucket + 1]
        return np.asarray(1.0 - (before + passed * (upto - before)) / sums[:, -1], dtype=np.float64)

    def minutes_after(self, moments: Codes) -> Floats:
        return self.share_after(moments, self._minutes) * self.seen.grid.total

    def moment(self, edge: Codes) -> Codes:
        return self.seen.grid.origin + (edge + 1) * self.seen.grid.width

    def p_scanned(self, edge: Codes, *, rising: bool) -> Floats:
        """The p at the best edge, paid for by the number of edges, or at the split, which was known beforehand."""
        best = self._p_at(edge, rising=rising) * self.edges
        at_split = self.seen.grid.split_bucket - 1
        if 0 <= at_split < self.edges:
            best = np.minimum(best, self._p_at(np.full(len(self._rows), at_split), rising=rising))
        return np.minimum(best, 1.0)

    def p_began(self) -> Floats:
        """The p of every line being as late as the first one is: exact, because nothing was searched."""
        edge = self.seen.grid.bucket(self.seen.first) - 1
        return self._p(self.seen.first, edge, np.zeros(len(edge)), rising=True)

    def p_ended(self) -> Floats:
        edge = self.seen.grid.bucket(self.seen.last)
        return self._p(self.seen.last, edge, self.total, rising=False)

    def began_with_first(self, edge: Codes) -> Flags:
        """Whether a rise at `edge` is better told as a template that began with its first line.

        It is when no line came before, when the step could as well be there, or when the lines before crowd towards it.
        """
        grid = self.seen.grid
        lines, moment = self.before_edge(edge), self.moment(edge)
        near = (moment - self.seen.first) / np.maximum(moment - grid.start, 1)
        at_first = (self.seen.first - grid.origin) // grid.width - 1
        return self._crowded(lines, near) | self._as_likely(self.score, edge, at_first)

    def ended_with_last(self, edge: Codes) -> Flags:
        """The same for a fall and the last line."""
        grid = self.seen.grid
        lines, moment = self.total - self.before_edge(edge), self.moment(edge)
        near = (self.seen.last - moment) / np.maximum(grid.end - moment, 1)
        at_last = (self.seen.last - grid.origin) // grid.width
        return self._crowded(lines, near) | self._as_likely(-self.score, edge, at_last)

    @staticmethod
    def _crowded(lines: Floats, near: Floats) -> Flags:
        return np.asarray((lines == 0) | (np.clip(near, 0.0, 1.0) ** lines <= CRESCENDO_P), dtype=np.bool_)

    def _as_likely(self, score: Floats, edge: Codes, other: Codes) -> Flags:
        inside = (other >= 0) & (other < score.shape[1])
        there = np.maximum(score[self._rows, np.clip(other, 0, score.shape[1] - 1)], 0.0)
        return inside & (np.square(there) >= np.square(score[self._rows, edge]) - CLOSE_CALL)

    def fair_share(self, moments: Codes, edge: Codes, *, rising: Flags) -> Floats:
        """The share of the exposure that lies after a moment.

        Where the control is dense, it is the exposure. Where it is thin, the clock is, corrected for how much the
        service talks otherwise as far as that change is certain (95%), and only where it excuses the template's own.
        """
        share = self.share_after(moments)
        h1 = self._control[self._rows, np.clip(edge + 1, 0, self._control.shape[1] - 1)]
        h2 = self._control[:, -1] - h1
        low, high = ratio_bounds(h1, h2, share)
        factor = np.where(rising, np.maximum(low, 1.0), np.minimum(high, 1.0))
        factor = np.where(self.crowded | (h1 + h2 < MIN_CONTROL), 1.0, factor)
        weighted = share * factor
        return np.asarray(weighted / np.maximum(weighted + 1.0 - share, 1e-12), dtype=np.float64)

    def vagueness(self, edge: Codes, rises: Flags) -> Floats:
        """Half the width of the moments that explain the counts nearly as well."""
        score = np.where(rises[:, None], self.score, -self.score)
        close = np.square(np.maximum(score, 0)) >= np.square(score[self._rows, edge])[:, None] - CLOSE_CALL
        span = close.shape[1] - close[:, ::-1].argmax(axis=1) - close.argmax(axis=1)
        return np.asarray(span * self.seen.grid.width / 2.0, dtype=np.float64)

    def _p_at(self, edge: Codes, *, rising: bool) -> Floats:
        return self._p(self.moment(edge), edge, self.before_edge(edge), rising=rising)

    def _p(self, moments: Codes, edge: Codes, n1: Floats, *, rising: bool) -> Floats:
        test = rise_p if rising else fall_p
        n2 = self.total - n1
        spread = self._dispersion(edge, n1)
        p = test(n1 / spread, n2 / spread, self.fair_share(moments, edge, rising=np.full(len(edge), rising)))
        # What changed only against the volume, and not against the clock, is a change of the volume.
        by_clock = test(n1, n2, self.share_after(moments, self._minutes))
        return np.where(self.crowded, np.maximum(p, by_clock), p)

    def _dispersion(self, edge: Codes, n1: Floats) -> Floats:
        """How much more a template's own counts vary than chance alone (quasi-Poisson, Wedderburn 1974), at least 1."""
        at = np.clip(edge + 1, 0, self.seen.grid.buckets)
        excess, freedom = np.zeros(len(edge)), np.zeros(len(edge))
        left = [sums[self._rows, at] for sums in (self._buckets, self._exposure, self._squares)]
        right = [sums[:, -1] - part for sums, part in zip(self._all, left, strict=True)]
        for lines, (buckets, exposure, squares) in ((n1, left), (self.total - n1, right)):
            usable = (buckets >= MIN_BASE_BUCKETS) & (lines > 0)
            excess += np.where(usable, squares * exposure / np.maximum(lines, 1e-12) - lines, 0.0)
            freedom += np.where(usable, buckets - 1.0, 0.0)
        return np.maximum(excess / np.maximum(freedom, 1.0), 1.0)

    @property
    def _all(self) -> tuple[Floats, Floats, Floats]:
        return self._buckets, self._exposure, self._squares


def _sums(values: NDArray[Any]) -> Floats:
    """Sums along the buckets, from 0 before the first one to the total after the last."""
    return np.pad(np.cumsum(values, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
