"""Which wordings are common among log lines that were read, so that a backend can be asked for all the others.

A thinned share of a loud service shows its common lines and misses a new one that was said ten times. What a line says
is told by its words without digits, as far as many lines have them (the frequent words of Vaarandi 2003); lines with the
same ones have one wording. A backend that can look for words can then leave the common wordings out and give the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

COMMON = 20
"""Lines with the same words from which on a wording is seen well enough in what was read."""
COMMON_SHARE = 0.002
"""The same as a share of the lines: below it, words are names and values rather than statements."""
MOST = 48
"""Wordings that a backend is asked to leave out."""
WORDS = 10
"""Words of a wording that are named, the rarest ones; with MOST wordings fewer than the 1,024 clauses that Lucene
allows in a query by default."""
FEWEST_WORDS = 2
"""One word alone would stand for too many statements."""
SHOWN = 1_000
"""Characters of a line that are read for its words."""
FAILURE = (
    *("error", "errors", "failed", "failure", "failing", "fail", "fails", "exception", "panic", "fatal", "cannot"),
    *("not", "unable", "refused", "rejected", "denied", "timeout", "timed", "expired", "exhausted", "unavailable"),
    *("unreachable", "invalid", "missing", "lost", "dropped", "aborted", "killed", "retrying", "giving", "unexpected"),
)
"""A line that says one of these, and is otherwise worded like a common one that does not, says something else."""

_PIECE = re.compile(r"[^\s\"{},=\[\]()]+")
_LETTER = re.compile(r"[A-Za-z]")
_LETTERS = re.compile(r"[a-z]+")
_DIGIT = re.compile(r"\d")

Wording = tuple[str, ...]


def common_wordings(lines: Sequence[str]) -> tuple[Wording, ...]:
    """Words of the most common wordings, the most common first; each wording's words are sorted."""
    least = max(COMMON, round(COMMON_SHARE * len(lines)))
    said = [_words(line) for line in lines]
    frequency = Counter(word for words in said for word in words)
    wordings = Counter(frozenset(word for word in words if frequency[word] >= least) for words in said)
    common = [
        (count, tuple(sorted(_rarest(words, frequency))))
        for words, count in wordings.items()
        if count >= least and len(words) >= FEWEST_WORDS
    ]
    ranked = sorted(common, key=lambda each: (-each[0], each[1]))
    return tuple(dict.fromkeys(words for _, words in ranked))[:MOST]


def says_failure(wording: Iterable[str]) -> bool:
    """Whether one of its words is one of failure."""
    return any(piece in FAILURE for word in wording for piece in _LETTERS.findall(word.lower()))


def _words(line: str) -> frozenset[str]:
    """Pieces between blanks, quotes, brackets, commas and equals signs, at which every analyser of texts ends a word."""
    return frozenset(
        piece for piece in _PIECE.findall(line[:SHOWN]) if _LETTER.search(piece) and not _DIGIT.search(piece)
    )


def _rarest(words: Iterable[str], frequency: Counter[str]) -> list[str]:
    return sorted(words, key=lambda word: (frequency[word], word))[:WORDS]
