"""Which removed line became which added line."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from agent.analysis.diff.hunks import Group, Hunk

ALIKE = 0.5
"""Token likeness from which two lines are versions of one."""

MAX_PAIRED = 40
"""Lines of a group that are paired by likeness; in larger groups lines are paired in order."""


def pairs_of(hunk: Hunk) -> Iterator[tuple[int, int]]:
    """(line before, line after) for the lines of each group that resemble each other."""
    for group in hunk.groups:
        yield from pairs_in(hunk, group)


def pairs_in(hunk: Hunk, group: Group) -> Iterator[tuple[int, int]]:
    """The pairs of one group, best first, each line used once."""
    if len(group.before) > MAX_PAIRED or len(group.after) > MAX_PAIRED:
        yield from zip(group.before, group.after, strict=False)
        return
    scored = [
        (_ratio(hunk, a, b), -abs(i - j), a, b) for i, a in enumerate(group.before) for j, b in enumerate(group.after)
    ]
    used_before: set[int] = set()
    used_after: set[int] = set()
    for score, _, a, b in sorted(scored, reverse=True):
        if score >= ALIKE and a not in used_before and b not in used_after:
            used_before.add(a)
            used_after.add(b)
            yield a, b


def _ratio(hunk: Hunk, a: int, b: int) -> float:
    old = [t.text for t in hunk.before.lines[a].tokens] or hunk.before.lines[a].text.split()
    new = [t.text for t in hunk.after.lines[b].tokens] or hunk.after.lines[b].text.split()
    matcher = SequenceMatcher(None, old[:80], new[:80], autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= ALIKE else 0.0
