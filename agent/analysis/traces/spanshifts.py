"""Which operations changed: own time, failures, calls per parent, call gaps, presence, cancellations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agent.analysis.counts import MAX_SIZE, Floats, adjusted, confidence_of, p_of_score, share_score, wilson_bounds
from agent.analysis.traces.logshift import PRIOR_SD, LogShift, log_shift
from agent.analysis.traces.operations import Operations

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Aspect = Literal["self_time", "errors", "calls_per_parent", "gap", "new", "gone", "cancelled"]

EXEMPLARS = 50
"""Traces up to which somebody picked them to show the incident; more are a sample, where chance has many tries."""
EXEMPLAR_P = 0.05
SAMPLE_P = 0.01
"""False discovery rate over all operations of a sample."""
MIN_SHIFT_MS = 1.0
"""Smaller shifts of a median are within the clocks' and schedulers' noise."""
MIN_RATIO = 1.5
FLOOR_MS = 0.1
"""Times below it are alike."""
PRIOR_FAILURES, PRIOR_CALLS = 0.5, 10.0
"""An operation that was not seen failing is taken to have failed half a time in ten more calls: failures are rare, so
one failed call is weak evidence alone and three are good evidence."""
LEAD_US = 15 * 60_000_000
"""How long before the split failures may have begun: a monitor's window and its pending time, in microseconds."""
TAIL = 3.0
"""Standard deviations of the logarithms (and at least a factor TAIL_RATIO) above which a span is slow beyond doubt."""
TAIL_RATIO = 3.0
MANY_CALLS = 10
"""Calls of one operation by one parent that look like a loop even without a before to compare with."""
UNCOMPARED_CONFIDENCE = 0.35
"""At most, when there is nothing before the split to compare with."""
MIN_PRESENCE = 0.3
"""Change of the share of parents that make a call."""


@dataclass(frozen=True)
class Found:
    """One deviation of one operation."""

    aspect: Aspect
    row: int
    """A span of the operation."""
    before: float
    after: float
    size: float
    confidence: float
    rows: Ints
    """The spans it was seen on, in order of start."""
    deviating: Flags
    """Which of them deviate."""
    shape: Literal["step", "new", "gone"] = "step"
    harmful: bool = True
    group: int = -1
    """Group of `Operations.own`, for texts and attributes; -1 when the span's own attributes matter little."""
    peer: str | None = None
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Failing:
    """Failures of each operation before and after some moment."""

    p: Floats
    score: Floats
    before: Floats
    """Share of its spans that failed."""
    after: Floats
    compared: Flags
    """Whether there was anything before."""


@dataclass(frozen=True)
class SpanShifts:
    """Finds the deviations of the operations of one frame."""

    operations: Operations

    def all(self) -> Iterator[Found]:
        yield from self.self_times()
        yield from self.tails()
        yield from self.failures("errors", self.operations.spans.texts.error & ~self.operations.spans.cancelled)
        yield from self.failures("cancelled", self.operations.spans.cancelled)
        yield from self.calls_per_parent()
        yield from self.gaps()
        yield from self.presence()

    @cached_property
    def exemplary(self) -> bool:
        return int((self.operations.spans.parent < 0).sum()) <= EXEMPLARS

    def believed(self, p: Floats) -> Floats:
        """Confidence of each p, 0 where chance explains it."""
        if self.exemplary:
            return np.where(p <= EXEMPLAR_P, confidence_of(p), 0.0)
        corrected = adjusted(p)
        return np.where(corrected <= SAMPLE_P, confidence_of(corrected), 0.0)

    @cached_property
    def own_times(self) -> Floats:
        """Self times; NaN for spans that only stand for a call, whose time is the call's gap."""
        spans = self.operations.spans
        return np.where(spans.is_client, np.nan, spans.self_time)

    @cached_property
    def own_shift(self) -> LogShift:
        own, after = self.operations.own, self.operations.after
        return log_shift(self.own_times, own.of_row, after, len(own), FLOOR_MS)

    def self_times(self) -> Iterator[Found]:
        """Operations whose own time shifted."""
        shift, own = self.own_shift, self.operations.own
        for group, confidence in _chosen(self.believed(shift.p), _matters(shift)):
            yield self._shifted("self_time", shift, group, confidence, self.operations.rows(group, own), self.own_times)

    def tails(self) -> Iterator[Found]:
        """Operations whose median stayed while some of their spans became slow beyond anything before."""
        shift, own, after = self.own_shift, self.operations.own, self.operations.after
        limit = shift.before * np.exp(np.maximum(TAIL * shift.spread, np.log(TAIL_RATIO))) + MIN_SHIFT_MS
        slow = self.own_times > limit[own.of_row]
        k1, k2 = own.count(slow & ~after), own.count(slow & after)
        score = share_score(k1 + PRIOR_FAILURES, shift.n_before + PRIOR_CALLS, k2, shift.n_after)
        usable = (score > 0) & (shift.n_before > 0) & ~_matters(shift)
        for group, confidence in _chosen(self.believed(np.where(usable, p_of_score(score), 1.0)), usable):
            rows = self.operations.rows(group, own)
            yield Found(
                aspect="self_time",
                row=int(own.head[group]),
                before=float(shift.before[group]),
                after=float(np.median(self.own_times[rows[slow[rows] & after[rows]]])),
                size=float(min(score[group], MAX_SIZE)),
                confidence=confidence,
                rows=rows,
                deviating=slow[rows],
                group=group,
                notes={"share": f"{k2[group] / max(shift.n_after[group], 1):.0%}"},
            )

    def failures(self, aspect: Aspect, failed: Flags) -> Iterator[Found]:
        """Operations that fail more often (or are cancelled more often) than before."""
        own = self.operations.own
        tried = [self._failing(failed, self.operations.after), self._failing(failed, self._early(failed))]
        # The split was known beforehand; a second moment that was looked for has to be twice as clear.
        p = np.minimum(1.0, np.stack([tried[0].p, 2.0 * tried[1].p]))
        best = p.argmin(axis=0)
        confident = self.believed(p.min(axis=0))
        for group, confidence in _chosen(confident, confident > 0):
            told = tried[best[group]]
            rows = self.operations.rows(group, own)
            yield Found(
                aspect=aspect,
                row=int(own.head[group]),
                before=float(told.before[group]),
                after=float(told.after[group]),
                size=float(min(told.score[group], MAX_SIZE)),
                confidence=confidence if told.compared[group] else min(confidence, UNCOMPARED_CONFIDENCE),
                rows=rows,
                deviating=failed[rows],
                harmful=aspect == "errors",
                group=group,
                peer=self._blamed(rows[failed[rows]], aspect),
            )

    def _failing(self, failed: Flags, after: Flags) -> _Failing:
        """How much more often each operation fails after than before."""
        own = self.operations.own
        n1, n2 = own.count(~after), own.count(after)
        k1, k2 = own.count(failed & ~after), own.count(failed & after)
        clean = k1 == 0
        k0, n0 = k1 + PRIOR_FAILURES * clean, n1 + PRIOR_CALLS * clean
        score = share_score(k0, n0, k2, n2)
        worse = (score > 0) & (wilson_bounds(k2, n2)[0] > k0 / np.maximum(n0, 1))
        p = np.where(worse, p_of_score(score), 1.0)
        return _Failing(p, score, k1 / np.maximum(n1, 1), k2 / np.maximum(n2, 1), n1 > 0)

    def _early(self, failed: Flags) -> Flags:
        """Which spans ended after the first failure shortly before the split.

        What a monitor averages shows minutes after the first failures; they belong to the incident.
        """
        ends = self.operations.spans.end
        near = ends[failed & ~self.operations.after & (ends > self.operations.split - LEAD_US)]
        return ends >= near.min() if near.size else self.operations.after

    def calls_per_parent(self) -> Iterator[Found]:
        """Operations that one parent calls more or less often."""
        called = self.operations.called
        parent, group, calls = self.operations.calls
        shift = log_shift(calls.astype(np.float64), group, self.operations.after[parent], len(called), 1.0)
        confident = self.believed(shift.p)
        looping = (shift.n_before == 0) & (shift.after >= MANY_CALLS)
        confident = np.where(looping, UNCOMPARED_CONFIDENCE, confident)
        order = np.lexsort((self.operations.spans.start[parent], group))
        matters = looping | (np.abs(shift.after - shift.before) >= 1) & _far(shift)
        for chosen, confidence in _chosen(confident, matters):
            mine = order[np.searchsorted(group[order], chosen) : np.searchsorted(group[order], chosen, side="right")]
            middle = np.sqrt(shift.before[chosen] * shift.after[chosen]) if shift.n_before[chosen] else MANY_CALLS / 2
            rises = not shift.n_before[chosen] or shift.after[chosen] > shift.before[chosen]
            yield Found(
                aspect="calls_per_parent",
                row=int(called.head[chosen]),
                before=float(np.nan_to_num(shift.before[chosen])),
                after=float(shift.after[chosen]),
                size=float(shift.size[chosen] if shift.n_before[chosen] else np.log(shift.after[chosen]) / PRIOR_SD),
                confidence=confidence,
                rows=parent[mine],
                deviating=(calls[mine] > middle) == rises,
                harmful=bool(rises),
                notes={"caller": self.operations.name_of(int(parent[mine[0]]))[0]},
            )

    def gaps(self) -> Iterator[Found]:
        """Calls between two services whose client side takes longer than the server side can explain."""
        called, spans = self.operations.called, self.operations.spans
        shift = log_shift(spans.gap, called.of_row, self.operations.after, len(called), FLOOR_MS)
        for group, confidence in _chosen(self.believed(shift.p), _matters(shift)):
            rows = self.operations.rows(group, called)
            rows = rows[~np.isnan(spans.gap[rows])]
            found = self._shifted("gap", shift, group, confidence, rows, spans.gap)
            server = self.operations.name_of(int(rows[0]))[0]
            yield _at(found, row=int(spans.parent[rows[0]]), peer=server)

    def presence(self) -> Iterator[Found]:
        """Calls that a parent operation makes now and did not make before, or makes no more."""
        called, spans, after = self.operations.called, self.operations.spans, self.operations.after
        parent, group, _ = self.operations.calls
        own = self.operations.own
        above = np.where(spans.parent[called.head] >= 0, own.of_row[np.maximum(spans.parent[called.head], 0)], -1)
        n1, n2 = (np.where(above >= 0, own.count(after == side)[above], 0) for side in (False, True))
        k1, k2 = (np.bincount(group[after[parent] == side], minlength=len(called)) for side in (False, True))
        score = share_score(k1, n1, k2, n2)
        share1, share2 = k1 / np.maximum(n1, 1), k2 / np.maximum(n2, 1)
        fewer = share1 - share2 >= MIN_PRESENCE
        matters = (n1 > 0) & (n2 > 0) & (fewer | ((k1 == 0) & (share2 >= MIN_PRESENCE)))
        for chosen, confidence in _chosen(self.believed(np.where(matters, p_of_score(score), 1.0)), matters):
            rows = self.operations.rows(int(above[chosen]), own)
            has = np.isin(rows, parent[group == chosen])
            vanished = bool(fewer[chosen])
            failing = spans.texts.error[rows][after[rows] & ~has].mean() >= 0.5 if vanished else False
            yield Found(
                aspect="gone" if vanished else "new",
                row=int(called.head[chosen]),
                before=float(share1[chosen]),
                after=float(share2[chosen]),
                size=float(min(abs(score[chosen]), MAX_SIZE)),
                confidence=confidence,
                rows=rows,
                deviating=has != vanished,
                shape="step" if vanished and k2[chosen] else "gone" if vanished else "new",
                # A call that is left out because its caller failed first is a consequence.
                harmful=vanished and not failing,
                notes={"caller": self.operations.name_of(int(rows[0]))[0]},
            )

    def _shifted(self, aspect: Aspect, shift: LogShift, group: int, confidence: float, rows: Ints, of: Floats) -> Found:
        middle = np.sqrt(shift.before[group] * shift.after[group])
        rises = bool(shift.after[group] > shift.before[group])
        own = self.operations.own
        return Found(
            aspect=aspect,
            row=int(rows[0]),
            before=float(shift.before[group]),
            after=float(shift.after[group]),
            size=float(shift.size[group]),
            confidence=confidence,
            rows=rows,
            deviating=(of[rows] > middle) == rises,
            harmful=rises,
            group=int(own.of_row[rows[0]]),
        )

    def _blamed(self, failed: Ints, aspect: Aspect) -> str | None:
        """The callee that failed too below most of the failed spans, or the caller that cancelled them."""
        spans = self.operations.spans
        other = spans.parent[failed] if aspect == "cancelled" else spans.failed_below[failed]
        services = spans.service[other[other >= 0]]
        if 2 * services.size < failed.size or not services.size:
            return None
        blamed = int(np.bincount(services).argmax())
        return spans.services[blamed] if blamed != spans.service[failed[0]] else None


def _matters(shift: LogShift) -> Flags:
    return (np.abs(shift.after - shift.before) >= MIN_SHIFT_MS) & _far(shift)


def _far(shift: LogShift) -> Flags:
    return (shift.ratio >= MIN_RATIO) | (shift.ratio <= 1 / MIN_RATIO)


def _chosen(confidence: Floats, matters: Flags) -> Iterator[tuple[int, float]]:
    for group in np.flatnonzero((confidence > 0) & matters).tolist():
        yield group, float(confidence[group])


def _at(found: Found, row: int, peer: str) -> Found:
    return replace(found, row=row, peer=peer, group=-1)
