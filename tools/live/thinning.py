"""How many lines of which kind are read when all would be too many: the same share before and after an incident.

Lines are counted by stratum (a service and a severity) over the whole window. Warnings and errors come first; within
each half the quiet strata are read in full and the loud ones are cut to the same size (the largest cap under which all
fit), each by one share over the whole window. A share that changed with time would fake a change of rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SEVERE = frozenset({"WARN", "ERROR", "FATAL"})
SEVERE_PART = 2 / 3
"""Of the budget, at most, for warnings and errors: the healthy lines are what a change of rates is measured against."""


@dataclass(frozen=True)
class Plan:
    """For each stratum `n`, of whose lines 1 in n is read."""

    counts: tuple[int, ...]
    severe: tuple[bool, ...]
    one_in: tuple[int, ...]

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return sum(self.counts)

    @property
    def is_full(self) -> bool:
        return all(share == 1 for share in self.one_in)

    @property
    def expected(self) -> int:
        """How many lines will be read, about."""
        return sum(round(count / share) for count, share in zip(self.counts, self.one_in, strict=True))

    def told(self, read: int) -> str:
        """What was read, for a note."""
        cut = [n for n in self.one_in if n > 1]
        cut_severe = [n for n, severe in zip(self.one_in, self.severe, strict=True) if severe and n > 1]
        if cut_severe or not any(self.severe):
            what = f"{_range(cut)} of the loudest kinds of lines"
        else:
            what = f"all errors and warnings, {_range(cut)} of the loudest of the rest"
        return (
            f"read {read:,} of {self.lines:,} lines: {what}, evenly over the window, "
            "so rates keep their ratios and not their size"
        )


def plan(counts: Sequence[int], severe: Sequence[bool], budget: int) -> Plan:
    """What of strata with so many lines each is read within a budget of lines."""
    severe_lines = sum(count for count, flag in zip(counts, severe, strict=True) if flag)
    rest_lines = sum(counts) - severe_lines
    for_severe = max(budget - rest_lines, round(budget * SEVERE_PART))
    for_rest = budget - min(severe_lines, for_severe)
    caps = {True: _cap([c for c, f in zip(counts, severe, strict=True) if f], for_severe)}
    caps[False] = _cap([c for c, f in zip(counts, severe, strict=True) if not f], for_rest)
    one_in = tuple(_rung(count, caps[flag]) for count, flag in zip(counts, severe, strict=True))
    return Plan(tuple(counts), tuple(severe), one_in)


def _cap(counts: Sequence[int], budget: int) -> float:
    """The largest size to which strata are cut so that all fit; infinite where they do as they are."""
    left, quiet_first = float(budget), sorted(counts)
    for place, count in enumerate(quiet_first):
        cap = left / (len(quiet_first) - place)
        if count > cap:
            return max(cap, 1.0)
        left -= count
    return float("inf")


def _rung(count: int, cap: float) -> int:
    """1, 2, 3, 4, 6, 8, 12, ...: few different shares, so that a query can list their strata."""
    rung = 1
    while count > cap * rung:
        rung = rung + rung // 2 if rung & (rung - 1) == 0 and rung > 1 else rung // 3 * 4 if rung > 1 else 2
    return rung


def _range(shares: Sequence[int]) -> str:
    low, high = min(shares), max(shares)
    return f"1 in {low:,}" if low == high else f"1 in {low:,} to 1 in {high:,}"
