"""Rows of a Nezha export's CSV files, and a count of what was wrong with them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tools.evidence import Source

Columns = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Troubles:
    """What had to be left out while reading, and how often."""

    counts: Counter[tuple[Source, str]] = field(default_factory=Counter[tuple[Source, str]])

    def add(self, source: Source, trouble: str, count: int = 1) -> None:
        if count:
            self.counts[source, trouble] += count

    def add_frame(self, frame: pd.DataFrame) -> None:
        """Add what `frame` once wrote down."""
        for source, trouble, count in zip(frame["source"], frame["trouble"], frame["count"], strict=True):
            self.add(Source(source), str(trouble), int(count))

    def frame(self) -> pd.DataFrame:
        """Columns source, trouble (both str) and count (int64)."""
        return pd.DataFrame(
            {
                "source": pd.Series([source.value for source, _ in self.counts], dtype="str"),
                "trouble": pd.Series([trouble for _, trouble in self.counts], dtype="str"),
                "count": pd.Series(list(self.counts.values()), dtype="int64"),
            }
        )

    def notes(self) -> tuple[tuple[Source, str], ...]:
        return tuple(
            (source, f"{trouble} ({count} times)" if count > 1 else trouble)
            for (source, trouble), count in self.counts.items()
        )


def service_of(pod: str) -> str:
    """`cart-api` of `cart-api-5f6585d649-fnmft`: replica set and pod make the last two parts."""
    parts = pod.rsplit("-", 2)
    return parts[0] if len(parts) == 3 else pod


def read_columns(path: Path, source: Source, troubles: Troubles, needed: Sequence[str]) -> Columns:
    """The file's columns by name, without rows that do not line up with the header. Raises OSError.

    Without one of the `needed` columns there are no rows.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        rows = _readable(csv.reader(lines))
        names = next(rows, [])
        every = [row for row in rows if row]
    whole = [row for row in every if len(row) == len(names)]
    troubles.add(source, "a row is damaged and was left out", len(every) - len(whole))
    missing = [name for name in needed if name not in names]
    if missing:
        troubles.add(source, f"a file has no column {missing[0]!r} and was left out")
    if missing or not whole:
        return dict.fromkeys([*needed, *names], ())
    return dict(zip(names, zip(*whole, strict=True), strict=True))


def _readable(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """The rows; one that CSV cannot read is a single empty cell, which lines up with no header of ours."""
    while True:
        try:
            row = next(reader, None)
        except csv.Error:
            row = [""]
        if row is None:
            return
        yield row
