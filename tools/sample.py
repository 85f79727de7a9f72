"""Keeps a recording in bounded memory: a uniform sample of rows once there are more than a frame may hold."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Keys = NDArray[np.uint32]


def row_keys(first: int, count: int) -> Keys:
    """Evenly spread keys of consecutive rows: Knuth's multiplicative hash by the golden ratio.

    Multiples of an irrational number are equally distributed, also within every n-th row, so lines that alternate
    are thinned alike (Weyl 1916; Knuth, The Art of Computer Programming, volume 3, section 6.4).
    """
    rows = np.arange(first, first + count, dtype=np.uint64)
    return ((rows * np.uint64(2_654_435_769)) & np.uint64(0xFFFFFFFF)).astype(np.uint32)


def group_keys(names: Iterable[str]) -> Keys:
    """One key per name, so that rows of one group (the spans of a trace) are kept or left out together."""
    return np.fromiter((zlib.crc32(name.encode("utf-8", "replace")) for name in names), dtype=np.uint32)


class Sample:
    """Frames that come in piece by piece; once they hold more than `limit` rows, every second key is dropped again."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[tuple[pd.DataFrame, Keys]] = []
        self._halvings = 0
        self.offered = 0
        """Rows that came in."""

    def add(self, frame: pd.DataFrame, keys: Keys) -> None:
        self.offered += len(frame)
        self._parts.append(self._thinned(frame, keys))
        while self.kept > self._limit:
            self._halvings += 1
            self._parts = [self._thinned(*part) for part in self._parts]

    @property
    def kept(self) -> int:
        return sum(len(frame) for frame, _ in self._parts)

    def frame(self) -> pd.DataFrame | None:
        """All kept rows in the order in which they came; None when nothing did."""
        if not self.kept:
            return None
        return pd.concat([frame for frame, _ in self._parts if len(frame)], ignore_index=True)

    def _thinned(self, frame: pd.DataFrame, keys: Keys) -> tuple[pd.DataFrame, Keys]:
        if not self._halvings:
            return frame, keys
        keep = keys < np.uint64(2**32 >> self._halvings)
        return frame[keep], keys[keep]
