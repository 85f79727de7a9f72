"""Weighs, for one moment that may be the beginning, how far requests left their usual path after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.analysis.paths.counts import Counts
from agent.analysis.paths.shares import MIN_IN_STRETCH, Floats, two_sample, usual_shares
from agent.analysis.paths.stretches import Ints, Stretches

MIN_BEFORE = 3
"""Times a step must have been taken before: one or two tell no usual way."""
GONE = 0.25
"""Share of its strength that a rise keeps when it is over at the end of what was seen (LAST_PARTS): something else was
going on then, or the incident is over, and then that goes for all rises alike."""
SHORTLY_US = 180_000_000
"""So long after an alert, in microseconds, nobody has mended anything yet."""


@dataclass(frozen=True)
class Weighed:
    """What one split says of each row of the counts; 0 where it cannot be told."""

    split: int
    """Microseconds since 1970."""
    strength: Floats
    """Nats, of rows that rose."""
    before: Floats
    """Usual share, and the share after the split."""
    after: Floats
    events_before: Floats
    events_after: Floats

    @property
    def strongest(self) -> float:
        return float(self.strength.max(initial=0.0))


@dataclass(frozen=True)
class Pairs:
    """The strongest riser of each group that has one, and what it took the place of; rows of the counts."""

    riser: Ints
    loser: Ints


def weigh(counts: Counts, stretches: Stretches, split: int, fired: int) -> Weighed:
    """Compare what followed each step after `split` with what usually did.

    `fired` is when the alert did: what was rarer after it than between the split and it is ending by itself, and is not
    what the alert is about.
    """
    first = stretches.first_after(split)
    starts = np.flatnonzero(np.diff(stretches.piece[:first], prepend=-1))
    rows = len(counts)
    after, steps_after = counts.taken[:, first:].sum(axis=1), counts.totals[:, first:].sum(axis=1)
    enough = (counts.totals[:, :first].sum(axis=1) >= MIN_BEFORE) & (steps_after > 0)
    kept = np.flatnonzero(enough[counts.group])
    group = counts.group[kept]
    taken = np.add.reduceat(counts.taken[kept, :first], starts, axis=1).astype(np.float64)
    totals = np.add.reduceat(counts.totals[:, :first], starts, axis=1).astype(np.float64)[group]
    k, n = after[kept].astype(np.float64), steps_after[group].astype(np.float64)
    strength, share, events = _against_both(taken, totals, counts.novelty[group], k, n)
    left = np.ones(len(kept))
    for moment in stretches.later[np.searchsorted(stretches.splits, split)].tolist():
        end = stretches.first_after(moment)
        late = counts.taken[kept, end:].sum(axis=1), counts.totals[:, end:].sum(axis=1)[group]
        left = np.minimum(left, _lasting(k, n, *late, share))
    strength = strength * left
    strength = _less_what_ends(strength, share * events, events, _around(counts, stretches, kept, split, fired))
    found = [np.zeros(rows) for _ in range(5)]
    for place, values in enumerate((strength, share, k / np.maximum(n, 1), events, n)):
        found[place][kept] = values
    return Weighed(split, *found)


def _around(counts: Counts, stretches: Stretches, rows: Ints, split: int, fired: int) -> list[Floats]:
    """Taken and totals between the split and the alert, then in the first minutes after the alert."""
    first, alert, end = (stretches.first_after(moment) for moment in (split, fired, fired + SHORTLY_US))
    group = counts.group[rows]
    spans = ((first, min(alert, len(stretches))), (alert, max(end, alert + 1)))
    return [
        part.astype(np.float64)
        for a, b in spans
        for part in (counts.taken[rows, a:b].sum(axis=1), counts.totals[:, a:b].sum(axis=1)[group])
    ]


def _less_what_ends(strength: Floats, usual: Floats, events: Floats, around: list[Floats]) -> Floats:
    """A share that fell since the alert counts as it is after it, less the nats by which it fell."""
    k0, n0, k1, n1 = around
    fell = (n0 >= MIN_IN_STRETCH) & (n1 >= MIN_IN_STRETCH) & (k0 * n1 > k1 * n0)
    remains = np.minimum(strength, two_sample(usual, events, k1, n1)) - two_sample(k0, n0, k1, n1)
    return np.where(fell, np.maximum(remains, 0.0), strength)


def _against_both(
    taken: Floats, totals: Floats, novelty: Floats, k: Floats, n: Floats
) -> tuple[Floats, Floats, Floats]:
    """Strength, usual share and events before, against all stretches or their older half, whichever says more.

    A fault that lasted through the newest stretches looks usual against all of them. Choosing costs ln 2.
    """
    receded = _receded(taken, totals, k, n)
    found = _against(taken, totals, novelty, k, n, receded)
    half = taken.shape[1] // 2
    if not half:
        return found
    older = _against(taken[:, :half], totals[:, :half], novelty, k, n, receded)
    price = np.log(2.0)
    better = (older[0] > found[0]) & (older[2] >= MIN_BEFORE)
    strength = np.maximum(np.where(better, older[0], found[0]) - price, 0.0)
    return strength, np.where(better, older[1], found[1]), np.where(better, older[2], found[2])


def _against(
    taken: Floats, totals: Floats, novelty: Floats, k: Floats, n: Floats, receded: Floats
) -> tuple[Floats, Floats, Floats]:
    """Strength of rises against some stretches, less the nats by which each is receding."""
    usual = usual_shares(taken, totals, novelty)
    change = two_sample(usual.share * usual.events, usual.events, k, n)
    share = k / np.maximum(n, 1)
    change -= receded
    strength = np.where((share > usual.share) & (usual.events > 0), change / usual.dispersion, 0.0)
    # What was rare and rises is news; what was usual and rises only says that something else became rarer.
    return np.maximum(strength, 0.0) * (1 - np.clip(usual.share, 0, 1)), usual.share, usual.events


def _receded(taken: Floats, totals: Floats, k: Floats, n: Floats) -> Floats:
    """Nats by which a share fell since the last stretch before the split; 0 where it did not fall."""
    spoken = totals >= MIN_IN_STRETCH
    last = totals.shape[1] - 1 - np.argmax(spoken[:, ::-1], axis=1)
    rows = np.arange(len(totals))
    k0, n0 = np.where(spoken.any(axis=1), taken[rows, last], 0.0), totals[rows, last]
    fell = spoken.any(axis=1) & (k0 * n > k * n0)
    return np.where(fell, two_sample(k0, n0, k, n), 0.0)


def _lasting(k: Floats, n: Floats, k_later: Floats, n_later: Floats, usual: Floats) -> Floats:
    """How much of a rise is left in a last part of what was seen: 1 when all of it, at least GONE.

    One event is added to that part as what came before it would have had it, so that a few of them prove little.
    """
    k_early, n_early = k - k_later, n - n_later
    early = np.maximum(k_early / np.maximum(n_early, 1) - usual, 0.0)
    later = (k_later + early + usual) / (n_later + 1) - usual
    return np.where(early > 0, np.clip(later / np.maximum(early, 1e-12), GONE, 1.0), 1.0)


def pair_up(counts: Counts, weighed: Weighed, floor: float) -> Pairs:
    """The rows of at least `floor` nats that are the strongest of their group, and what surely lost the most there."""
    before, after = weighed.events_before, weighed.events_after
    lost = two_sample(weighed.before * before, before, weighed.after * after, after)
    lost = np.where(weighed.after < weighed.before, lost, 0.0)
    loser_of, riser_of = _best(counts.group, lost), _best(counts.group, weighed.strength)
    strong = (weighed.strength[riser_of] >= floor) & (lost[loser_of] > 0)
    return Pairs(riser=riser_of[strong], loser=loser_of[strong])


def _best(group: Ints, value: NDArray[np.float64]) -> Ints:
    """The row with the highest value of each group, the first of equals, in order of groups."""
    order = np.lexsort((np.arange(len(group)), -value, group))
    return order[np.unique(group[order], return_index=True)[1]]
