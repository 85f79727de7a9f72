from __future__ import annotations

import re

from agent.analysis.metrics.meanings import MEANINGS, UNITS
from agent.analysis.metrics.naming import read_name


def test_every_row_can_be_reached() -> None:
    """A row whose every name is taken by an earlier row says nothing."""
    reached = {(m.golden, m.resource, m.harm) for m in (_meaning(row.words, row.timed) for row in MEANINGS)}
    assert {(row.golden, row.resource, row.harm) for row in MEANINGS} <= reached


def test_patterns_are_written_as_the_reader_takes_them_apart() -> None:
    for row in MEANINGS:
        words = [word.strip() for group in row.words.split("&") for word in group.split("|")]
        assert all(re.fullmatch(r"[a-z0-9]+[*$]?", word) for word in words), row.words


def test_a_word_names_one_unit() -> None:
    words = [word for words in UNITS.values() for word in words.split()]
    assert len(words) == len(set(words))


def _meaning(pattern: str, timed: bool):
    words = [group.split("|")[0].strip().rstrip("*$") for group in pattern.split("&")]
    return read_name("_".join([*words, "ms"] if timed else words))
