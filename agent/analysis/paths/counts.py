"""Counts of transitions per segment of time: made once, then evaluated for every moment that may be the beginning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from agent.analysis.paths.stretches import Ints, Stretches
from agent.analysis.paths.transitions import Transitions

MAX_GROUPS = 4_000
"""Steps that are looked at, most frequent first; bounds the memory of a system with endless operations."""
MAX_ROWS = 16_000
"""The same for what follows them."""
MIN_EVENTS = 4
"""Three before and one after: with fewer nothing can be told."""
MIN_TAKEN = 2
"""A follower that was seen once proves nothing."""


@dataclass(frozen=True)
class Counts:
    """Rows are followers of steps, ordered by group; columns are segments of time."""

    group: Ints
    """Codes into `totals`."""
    event_group: Ints
    """The group's code in the transitions, row by row; `follower` likewise."""
    follower: Ints
    taken: Ints
    """Rows × segments: how often."""
    totals: Ints
    """Groups × segments: how often the step was taken, whatever followed."""
    novelty: np.ndarray
    """For each group the share of its followers that were seen once: 0 for code, near 1 for paths made from data."""
    row_of_event: Ints
    """Row of each transition, -1 for one that is not looked at."""

    def __len__(self) -> int:
        return len(self.group)


def count(transitions: Transitions, stretches: Stretches) -> Counts:
    """Count transitions whose step has more than one follower."""
    segments = len(stretches)
    segment = stretches.segment(transitions.at)
    width = int(transitions.follower.max(initial=0)) + 1
    row, pairs = pd.factorize(transitions.group * width + transitions.follower)
    row, pairs = row.astype(np.int64), np.asarray(pairs, dtype=np.int64)
    group, follower = pairs // width, pairs % width
    seen = np.bincount(row, minlength=len(pairs))
    groups = int(group.max(initial=-1)) + 1
    followers, events = np.bincount(group, minlength=groups), np.bincount(group, weights=seen, minlength=groups)
    singles = np.bincount(group, weights=seen == 1, minlength=groups)
    chosen = _largest((followers > 1) & (events >= MIN_EVENTS), events, MAX_GROUPS)
    kept = _largest(chosen[group] & (seen >= MIN_TAKEN), seen, MAX_ROWS)
    place = np.cumsum(chosen) - 1
    order = np.flatnonzero(kept)[np.lexsort((follower[kept], group[kept]))]
    new = np.full(len(pairs), -1, dtype=np.int64)
    new[order] = np.arange(order.size)
    row_of_event = new[row]
    counted = np.flatnonzero(chosen[transitions.group]) if groups else np.empty(0, dtype=np.int64)
    totals = np.bincount(
        place[transitions.group[counted]] * segments + segment[counted], minlength=int(chosen.sum()) * segments
    )
    told = np.flatnonzero(row_of_event >= 0)
    taken = np.bincount(row_of_event[told] * segments + segment[told], minlength=order.size * segments)
    return Counts(
        group=place[group[order]],
        event_group=group[order],
        follower=follower[order],
        taken=taken.reshape(-1, segments),
        totals=totals.reshape(-1, segments),
        novelty=(singles / np.maximum(followers, 1))[chosen],
        row_of_event=row_of_event,
    )


def _largest(wanted: np.ndarray, sizes: np.ndarray, limit: int) -> np.ndarray:
    """The `limit` largest of the wanted ones."""
    if int(wanted.sum()) <= limit:
        return wanted
    ranked = np.lexsort((np.arange(len(sizes)), -sizes, ~wanted))
    kept = np.zeros(len(sizes), dtype=np.bool_)
    kept[ranked[:limit]] = True
    return kept & wanted
