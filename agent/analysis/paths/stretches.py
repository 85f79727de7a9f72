"""Cuts time into stretches: at gaps in the data, at minutes inside it, and at the moments that may be the beginning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

GAP_US = 30_000_000
"""Silence of a whole system that is taken for missing data, in microseconds: nothing pauses that long under load."""
PATIENCE = 3
"""A system with little traffic is silent more often: a gap is also longer than so many of its usual pauses."""
USUAL_PAUSE = 0.99
"""The quantile of the times between two records that is still a usual pause."""
PIECE_US = 60_000_000
"""Length of a stretch, in microseconds: long enough for a few requests, short enough to hold an earlier incident apart."""
LAST_PARTS = (1 / 2, 1 / 4)
"""Shares of what was seen after a split, its end, in which a rise must still be there: what is over in the later half has
ended, and so has what was over for the whole last quarter, though it reached into that half."""
MAX_STRETCHES = 120
"""Stretches that are told apart; longer recordings get longer ones. Bounds the memory."""


@dataclass(frozen=True)
class Blocks:
    """Times with data: `since` and `until` of each block in microseconds, in order; `pause` is how long one waits."""

    since: Ints
    until: Ints
    pause: int

    def hold(self, begin: Ints, end: Ints) -> Flags:
        """Whether everything from `begin` to `end` lies inside one block, so that nothing of it can be missing."""
        if not self.since.size:
            return np.zeros(len(begin), dtype=np.bool_)
        place = np.searchsorted(self.since - self.pause, begin, side="right") - 1
        return (place >= 0) & (end <= self.until[np.maximum(place, 0)] + self.pause)


@dataclass(frozen=True)
class Stretches:
    """Segments of time, the finest that are ever needed: segment i lies between `edges[i - 1]` and `edges[i]`."""

    edges: Ints
    piece: Ints
    """The stretch that each segment belongs to."""
    splits: Ints
    """The moments that may be the beginning, in order, microseconds; all are edges."""
    later: Ints
    """For each split (rows) the moments from which on the last parts of all that came after it were seen, one column for
    each of LAST_PARTS; all are edges."""

    def __len__(self) -> int:
        return len(self.edges) + 1

    def segment(self, times: Ints) -> Ints:
        return np.searchsorted(self.edges, times, side="right")

    def first_after(self, split: int) -> int:
        """The first segment that does not lie before a split."""
        return int(np.searchsorted(self.edges, split)) + 1


def find_blocks(ordered: Ints) -> Blocks:
    """Blocks of times (microseconds, in order) without a gap between them."""
    if not ordered.size:
        return Blocks(ordered, ordered, 0)
    distances = np.diff(ordered)
    pause = int(np.quantile(distances, USUAL_PAUSE, method="higher")) if distances.size else 0
    ends = np.flatnonzero(distances > max(GAP_US, PATIENCE * pause))
    return Blocks(
        since=ordered[np.concatenate(([0], ends + 1))], until=ordered[np.concatenate((ends, [-1]))], pause=pause
    )


def cut_stretches(ordered: Ints, splits: Iterable[int]) -> Stretches:
    """Cut the time of records (microseconds, in order) into stretches of about a minute, and these at each split.

    Splits with no data before or after them, or with the same data as another one, are left out.
    """
    blocks = find_blocks(ordered)
    marks = _piece_edges(blocks)
    useful = _distinct_splits(blocks, splits)
    seen_from = np.searchsorted(ordered, useful)[:, None]
    later = ordered[ordered.size - np.ceil((ordered.size - seen_from) * np.array(LAST_PARTS)).astype(np.int64)]
    edges = np.unique(np.concatenate((marks, useful, later.ravel())))
    piece = np.concatenate(([0], np.searchsorted(marks, edges, side="right")))
    return Stretches(edges=edges, piece=piece, splits=useful, later=later)


def _piece_edges(blocks: Blocks) -> Ints:
    """Where a stretch begins, the first one excepted."""
    lengths = blocks.until - blocks.since
    target = max(PIECE_US, int(lengths.sum()) // MAX_STRETCHES)
    pieces = np.maximum(1, -(-lengths // target))
    block = np.repeat(np.arange(len(pieces)), pieces)
    nth = np.arange(block.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    starts = blocks.since[block] + lengths[block] * nth // pieces[block]
    return starts[:: -(-starts.size // (2 * MAX_STRETCHES))][1:]


def _distinct_splits(blocks: Blocks, splits: Iterable[int]) -> Ints:
    ordered = np.unique(np.fromiter(splits, dtype=np.int64))
    inside = ordered[(ordered > blocks.since[0]) & (ordered <= blocks.until[-1])]
    # All moments of one gap divide the data alike: the block that follows it begins.
    following = np.searchsorted(blocks.until, inside)
    return np.unique(np.maximum(inside, blocks.since[following]))
