"""Lines of each log template in each minute, and how much of each minute was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.analysis.counts import Floats

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]

MINUTE = 60_000_000
"""In microseconds."""
MAX_BUCKETS = 360
"""Six hours in minutes; longer windows get wider buckets, so that the work stays bounded."""
SLOT = 2_000_000
"""Lines of a rare template within two seconds are one event: a retry loop, a batch, a request that fails thrice."""
CROWDED = 20
"""Lines a bucket usually holds from which on an empty one cannot be chance (nothing was recorded then), and from which
on a volume of lines measures how much there was to log better than the clock does."""


@dataclass(frozen=True)
class Grid:
    """The stretch of time that was seen, cut into buckets aligned to the split. Microseconds since 1970, UTC."""

    start: int
    end: int
    split: int
    width: int
    origin: int
    """Start of the first bucket."""
    minutes: Floats
    """How much of each bucket was seen, in minutes; next to nothing for a hole in the recording."""

    @classmethod
    def over(cls, times: Codes, split: int) -> Grid:
        """From the first to the last of `times`, of which there is at least one."""
        start, end = int(times.min()), int(times.max()) + 1
        width = max(MINUTE, -(-(end - start) // MAX_BUCKETS))
        lowest, highest = (start - split) // width, (end - 1 - split) // width
        origin, buckets = split + lowest * width, highest - lowest + 1
        edges = origin + width * np.arange(buckets + 1)
        seen = (np.minimum(edges[1:], end) - np.maximum(edges[:-1], start)) / MINUTE
        lines = np.bincount((times - origin) // width, minlength=buckets)
        hole = (lines == 0) & (np.median(lines[lines > 0]) >= CROWDED)
        return cls(start, end, split, width, origin, np.where(hole, 0.0, seen))

    @property
    def buckets(self) -> int:
        return len(self.minutes)

    @property
    def total(self) -> float:
        """Minutes that were seen."""
        return float(self.minutes.sum())

    @property
    def minutes_before(self) -> float:
        """Before the split."""
        return float(self.minutes[: self.split_bucket].sum())

    @property
    def minutes_after(self) -> float:
        return float(self.minutes[self.split_bucket :].sum())

    @property
    def split_bucket(self) -> int:
        """The first bucket after the split."""
        return min(max(0, (self.split - self.origin) // self.width), self.buckets)

    def bucket(self, moments: Codes) -> Codes:
        """The bucket in which each moment lies."""
        return np.asarray(np.clip((moments - self.origin) // self.width, 0, self.buckets - 1), dtype=np.int64)

    def part_passed(self, moments: Codes) -> Floats:
        """How much of the seen part of its bucket has passed at each moment, 0..1."""
        low = np.maximum(self.origin + self.bucket(moments) * self.width, self.start)
        high = np.minimum(self.origin + (self.bucket(moments) + 1) * self.width, self.end)
        return np.asarray(np.clip((moments - low) / np.maximum(high - low, 1), 0.0, 1.0), dtype=np.float64)

    def is_crowded(self, volume: Codes) -> Flags:
        """Whether each row of `volume` (rows × buckets of lines) is dense enough to be a measure of exposure."""
        return np.asarray(np.median(volume[:, self.minutes > 0], axis=1) >= CROWDED, dtype=np.bool_)


@dataclass(frozen=True)
class Tally:
    """Lines of each template in each bucket."""

    grid: Grid
    counts: Codes
    """Templates × buckets."""
    events: Codes
    """The same, with lines of one slot counted once."""
    first: Codes
    """Moment of the first line of each template, and of the last."""
    last: Codes

    @classmethod
    def of(cls, grid: Grid, times: Codes, template: Codes, templates: int) -> Tally:
        """Count rows of lines: when each was written, and which of how many templates it has."""
        slots = grid.width // SLOT
        slot = np.minimum((times - grid.origin) % grid.width // SLOT, slots - 1)
        place = template * grid.buckets + (times - grid.origin) // grid.width
        counts = np.bincount(place, minlength=templates * grid.buckets)
        events = np.bincount(np.unique(place * slots + slot) // slots, minlength=templates * grid.buckets)
        first = np.full(templates, grid.end, dtype=np.int64)
        last = np.full(templates, grid.start, dtype=np.int64)
        np.minimum.at(first, template, times)
        np.maximum.at(last, template, times)
        shape = (templates, grid.buckets)
        return cls(grid, _table(counts, shape), _table(events, shape), first, last)

    @property
    def before(self) -> Codes:
        """Lines of each template before the split."""
        return np.asarray(self.counts[:, : self.grid.split_bucket].sum(axis=1), dtype=np.int64)


def _table(flat: Codes, shape: tuple[int, int]) -> Codes:
    return np.asarray(flat.reshape(shape), dtype=np.int64)
