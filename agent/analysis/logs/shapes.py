"""Merges the shapes of log lines that differ in few tokens, and bounds how many there can be."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from agent.analysis.logs.tokens import OTHER, WILDCARD, key_of
from agent.analysis.logs.wording import speaks_of_failure

MANY_VALUES = 4
"""Words at one position, everything else equal, from which on the position is a variable. Two or three can be two or
three different statements (hit and miss, user=a and user=b), and keeping them apart is what shows a change."""
MANY_SHORT = 20
"""The same for lines of two tokens, where hardly anything else is equal."""
SIMILAR = 0.6
"""Share of equal tokens from which on two shapes are merged when there are more shapes than templates may be kept."""
MAX_COMPARED = 500
"""Shapes that are compared with each other one by one, most frequent first; the rest is OTHER."""
CROWDED = 2_000
"""Shapes of one length from which on rare words are taken for variables before anything is compared."""
SUPPORT = 0.001
"""Share of a crowd's shapes that must have a word at a position for it to be part of the statement (as in the frequent
word clustering of Vaarandi 2003)."""
_ROUNDS = 3
"""Passes over the positions; each can make two positions agree that did not before."""

Codes = NDArray[np.int64]


def merge_shapes(shapes: list[str], counts: NDArray[np.int64], limit: int) -> list[str]:
    """The template of each shape (distinct, of one service and severity): at most `limit` different ones and OTHER."""
    if len(shapes) == 1:
        return shapes
    by_length: dict[int, list[int]] = defaultdict(list)
    tokens = [shape.split(" ") for shape in shapes]
    for place, words in enumerate(tokens):
        by_length[len(words)].append(place)
    merged = list(shapes)
    for length, places in by_length.items():
        if len(places) > 1:
            collapsed = _Table([tokens[p] for p in places], length).collapsed()
            for place, text in zip(places, collapsed, strict=True):
                merged[place] = text
    totals: dict[str, int] = defaultdict(int)
    for text, count in zip(merged, counts.tolist(), strict=True):
        totals[text] += count
    if len(totals) <= limit:
        return merged
    final = _squeezed(totals, limit)
    return [final.get(text, OTHER) for text in merged]


class _Table:
    """Shapes of equal length as a matrix of word codes, with what has to be known of each word."""

    def __init__(self, rows: list[list[str]], length: int) -> None:
        self.length = length
        self.many = MANY_VALUES if length > 2 else MANY_SHORT
        self.words: dict[str, int] = {}
        self.failing: list[bool] = []
        self.variable: list[bool] = []
        self.key: list[int] = []
        self.keys: dict[str, int] = {"": 0}
        self.matrix = np.array([[self._code(word) for word in row] for row in rows], dtype=np.int64)

    def collapsed(self) -> list[str]:
        """The shapes after positions that take many values have become variable."""
        if len(self.matrix) > CROWDED:
            self._drop_rare_words()
        self.matrix, original = np.unique(self.matrix, axis=0, return_inverse=True)
        for _ in range(_ROUNDS):
            if not any([self._collapse(position) for position in range(self.length)]):
                break
        names = list(self.words)
        texts = [" ".join([names[code] for code in row]) for row in self.matrix.tolist()]
        return [texts[place] for place in original.tolist()]

    def _drop_rare_words(self) -> None:
        failing, key = np.array(self.failing), np.array(self.key)
        code_of = self._wildcards()
        for position in range(self.length):
            column = self.matrix[:, position]
            frequency = np.bincount(column)
            rare = (frequency[column] < SUPPORT * len(column)) & ~failing[column]
            column[rare] = code_of[key[column[rare]]]

    def _wildcards(self) -> Codes:
        """The code of `key=<*>` for each key, of `<*>` for none."""
        return np.array([self._code(name + WILDCARD) for name in list(self.keys)], dtype=np.int64)

    def _code(self, word: str) -> int:
        code = self.words.get(word)
        if code is None:
            code = self.words[word] = len(self.words)
            self.failing.append(speaks_of_failure(word))
            self.variable.append(WILDCARD in word)
            self.key.append(self.keys.setdefault(key_of(word), len(self.keys)))
        return code

    def _collapse(self, position: int) -> bool:
        """Make a position variable in each group of rows that agree everywhere else; True when anything changed."""
        column = self.matrix[:, position]
        variable, failing = np.array(self.variable), np.array(self.failing)
        # A row without any other fixed word says too little to be merged; a word of failure is never a variable.
        fixed = (~variable[self.matrix]).sum(axis=1) - ~variable[column]
        rows = np.flatnonzero(~failing[column] & (fixed > 0))
        if rows.size < 2:
            return False
        group = np.unique(_hashed_without(self.matrix[rows], position), return_inverse=True)[1]
        seen = np.unique(group * len(self.words) + column[rows])
        variety = np.bincount(seen // len(self.words))
        absorbs = np.bincount(seen // len(self.words), weights=variable[seen % len(self.words)]) > 0
        chosen = (variety >= self.many) | (absorbs & (variety > 1))
        if not chosen.any():
            return False
        self._replace(position, rows, group, chosen)
        return True

    def _replace(self, position: int, rows: Codes, group: Codes, chosen: NDArray[np.bool_]) -> None:
        """Write `key=<*>` where all values of a group share their key, `<*>` elsewhere."""
        hit = chosen[group]
        rows, group = rows[hit], group[hit]
        key = np.array(self.key)[self.matrix[rows, position]]
        lowest = np.full(chosen.size, len(self.keys), dtype=np.int64)
        highest = np.zeros(chosen.size, dtype=np.int64)
        np.minimum.at(lowest, group, key)
        np.maximum.at(highest, group, key)
        shared = np.where(lowest == highest, highest, 0)
        self.matrix[rows, position] = self._wildcards()[shared[group]]


def _hashed_without(matrix: Codes, position: int) -> NDArray[np.uint64]:
    """A 64-bit hash of each row that leaves one position out: the mixed codes of the others, added up."""
    mixed = matrix.astype(np.uint64) + np.arange(1, matrix.shape[1] + 1, dtype=np.uint64) * np.uint64(1 << 40)
    # The finaliser of SplitMix64 (Steele, Lea and Flood 2014) spreads neighbouring codes over all bits.
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return np.asarray(mixed.sum(axis=1, dtype=np.uint64) - mixed[:, position], dtype=np.uint64)


def _squeezed(totals: dict[str, int], limit: int) -> dict[str, str]:
    """Under pressure: merge similar shapes, most frequent first, and keep the `limit` most frequent results."""
    ranked = sorted(totals, key=lambda text: (-totals[text], text))[:MAX_COMPARED]
    kept: dict[int, list[list[str]]] = defaultdict(list)
    member: dict[str, list[str]] = {}
    for text in ranked:
        words = text.split(" ")
        home = next((k for k in kept[len(words)] if _similar(k, words)), None)
        if home is None:
            home = words
            kept[len(words)].append(home)
        else:
            home[:] = [a if a == b else WILDCARD for a, b in zip(home, words, strict=True)]
        member[text] = home
    final = {text: " ".join(home) for text, home in member.items()}
    sums: dict[str, int] = defaultdict(int)
    for text, home in final.items():
        sums[home] += totals[text]
    best = set(sorted(sums, key=lambda text: (-sums[text], text))[:limit])
    return {text: home for text, home in final.items() if home in best}


def _similar(a: list[str], b: list[str]) -> bool:
    differing = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
    if len(differing) > (1 - SIMILAR) * len(a) or all(WILDCARD in x for x, y in zip(a, b, strict=True) if x == y):
        return False
    return not any(speaks_of_failure(x) or speaks_of_failure(y) for x, y in differing)
