"""The words of a diff that tie it to telemetry: identifiers, literals, numbers, functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.analysis.diff.definitions import definition_of, section_name
from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.languages import Family
from agent.analysis.diff.quantities import read_quantity
from agent.analysis.diff.queries import tables_in
from agent.analysis.diff.settings import read_settings
from agent.analysis.diff.tokens import KEYWORDS

SHORTEST = 4
"""Letters of an identifier that is kept; shorter ones are loop variables and receivers."""

LONGEST = 300
"""Characters of a literal that is kept."""

_COMMON = frozenset(
    "value values name names type types data item items list result results error errors index args kwargs param "
    "params option "
    "options context request response count key keys text line lines string number func function method object "
    "class struct "
    "self this null none true false body head main init test todo note file path size with from into when each call "
    "calls "
    "return returns async await errorf sprintf printf println append length time date info debug warn fatal http "
    "https spec "
    "metadata kind labels version apiversion template default config settings props state event events code info "
    "optional "
    "list_ dict tuple float boolean integer".split()
)
_SMALL = frozenset({-1.0, 0.0, 1.0, 2.0})
_LETTERS = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    identifiers: frozenset[str]
    literals: frozenset[str]
    numbers: frozenset[float]
    functions: frozenset[str]


def vocabulary_of(hunks: Sequence[Hunk]) -> Vocabulary:
    """What the changed lines of `hunks` name."""
    return Vocabulary(
        identifiers=frozenset(_identifiers(hunks)),
        literals=frozenset(text for text in _literals(hunks) if 1 < len(text) <= LONGEST and _LETTERS.search(text)),
        numbers=frozenset(n for n in _numbers(hunks) if n not in _SMALL),
        functions=frozenset(_functions(hunks)),
    )


def _changed_tokens(hunks: Sequence[Hunk]) -> Iterator[tuple[str, str]]:
    for hunk in hunks:
        for side in hunk.sides:
            for _, line in side.changed_lines():
                for token in line.tokens:
                    yield token.kind, token.text if token.kind != "string" else token.string


def _identifiers(hunks: Sequence[Hunk]) -> Iterator[str]:
    for kind, text in _changed_tokens(hunks):
        word = text.lstrip("@$").rstrip("!?").lower()
        if kind == "name" and len(_LETTERS.findall(word)) >= SHORTEST and word not in _COMMON and word not in KEYWORDS:
            yield word


def _literals(hunks: Sequence[Hunk]) -> Iterator[str]:
    for kind, text in _changed_tokens(hunks):
        if kind == "string":
            yield text.strip()
            yield from tables_in(text)
    for hunk in hunks:
        if hunk.language.family in {Family.SETTINGS, Family.MARKUP}:
            for side in hunk.sides:
                yield from _set_values(side)
        elif hunk.language.family is Family.SQL:
            for side in hunk.sides:
                for _, line in side.changed_lines():
                    yield from tables_in(line.text)


def _set_values(side: Side) -> Iterator[str]:
    for binding in read_settings(side):
        if side.lines[binding.line].changed and read_quantity(binding.value) is None:
            yield binding.value


def _numbers(hunks: Sequence[Hunk]) -> Iterator[float]:
    for kind, text in _changed_tokens(hunks):
        if kind == "number" or (kind == "string" and re.fullmatch(r":?\d{2,}", text)):
            found = read_quantity(text.lstrip(":"))
            if found and found.unit == "":
                yield found.value


def _functions(hunks: Sequence[Hunk]) -> Iterator[str]:
    for hunk in hunks:
        header = definition_of(hunk.section, hunk.language)
        if header:
            yield header.name
            if header.owner and header.kind == "function":
                yield f"{header.owner}.{header.name}"
        elif hunk.section and (name := section_name(hunk.section, hunk.language)):
            yield name
        for side in hunk.sides:
            for index, found in side.definitions.items():
                if side.lines[index].changed or any(side.lines[i].changed for i in side.below(index)):
                    yield found.name
                    if found.owner and found.kind == "function":
                        yield f"{found.owner}.{found.name}"
