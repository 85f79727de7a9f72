"""Which statement of the code wrote a log line: by its place in the code where the line tells, else by its template."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from agent.analysis.logs.stacks import headline
from agent.analysis.logs.templates import literal_of, mine_templates
from agent.analysis.logs.tokens import shape_of_body, token_masks
from agent.analysis.paths.stretches import Ints

LOCATION = "code.location"
"""The attribute that names the place in the code."""


@dataclass(frozen=True)
class Statement:
    """One statement of one service, with a line that it wrote."""

    service: str
    severity: str
    text: str
    """As a person reads it: its place in the code and what it says, variable parts masked."""
    location: str
    template: str
    example: str

    @property
    def literal(self) -> str | None:
        """A text that its lines have in common, to look them up again."""
        if self.location and self.location in self.example:
            return self.location
        return literal_of(self.template, self.example)


@dataclass(frozen=True)
class Statements:
    """The statements of a frame of lines; `of_row` tells, row by row, which one wrote it."""

    of_row: Ints
    known: tuple[Statement, ...]


def read_statements(lines: pd.DataFrame) -> Statements:
    """Read the statements of a logs frame (columns as in tools.backend), numbered by service, severity and text."""
    places = np.array(
        [_location(attributes) for attributes in lines["attributes"].to_numpy(dtype=object)], dtype=object
    )
    located = places != ""
    codes = np.full(len(lines), -1, dtype=np.int64)
    names: list[tuple[str, str, str, str]] = []
    for rows, (of_row, found) in (
        (np.flatnonzero(located), _by_place(lines[located], places[located])),
        (np.flatnonzero(~located), _by_template(lines[~located])),
    ):
        codes[rows] = of_row + len(names)
        names += found
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.argsort(np.array(order, dtype=np.int64))
    of_row = rank[codes] if len(lines) else codes
    examples = _examples(lines, of_row, len(names))
    known = tuple(_statement(names[place], examples[new]) for new, place in enumerate(order))
    return Statements(of_row=of_row, known=known)


_Found = tuple[Ints, list[tuple[str, str, str, str]]]
"""Codes row by row, and for each code: service, severity, place, template ("" for one known by its place)."""


def _location(attributes: object) -> str:
    return str(attributes.get(LOCATION, "")) if isinstance(attributes, dict) else ""


def _by_place(lines: pd.DataFrame, places: np.ndarray) -> _Found:
    if not len(lines):
        return np.empty(0, dtype=np.int64), []
    service, services = pd.factorize(lines["service"].to_numpy(dtype=object))
    severity, severities = pd.factorize(lines["severity"].to_numpy(dtype=object))
    place, known = pd.factorize(places)
    width, height = len(known), len(severities)
    of_row, pairs = pd.factorize((service.astype(np.int64) * height + severity) * width + place)
    names = [
        (str(services[p // width // height]), str(severities[p // width % height]), str(known[p % width]), "")
        for p in np.asarray(pairs).tolist()
    ]
    return of_row.astype(np.int64), names


def _by_template(lines: pd.DataFrame) -> _Found:
    if not len(lines):
        return np.empty(0, dtype=np.int64), []
    mined = mine_templates(lines)
    named = zip(mined.services, mined.severities, mined.texts, strict=True)
    return mined.of_row, [(service, severity, "", text) for service, severity, text in named]


def _examples(lines: pd.DataFrame, of_row: Ints, count: int) -> list[str]:
    """For each statement its first line; of several at one time the first by the alphabet."""
    times = lines["timestamp"].astype("int64").to_numpy()
    bodies = lines["body"].to_numpy(dtype=object)
    first = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(first, of_row, times)
    found = [""] * count
    for row in np.flatnonzero(times == first[of_row]).tolist():
        place, body = int(of_row[row]), str(bodies[row])
        found[place] = min(found[place] or body, body)
    return found


def _statement(name: tuple[str, str, str, str], example: str) -> Statement:
    service, severity, location, template = name
    line = headline(example)
    template = template or shape_of_body(line, token_masks())
    said = shape_of_body(line.removeprefix(location), token_masks()) if location else template
    text = f"{location} {said}".strip()
    return Statement(service, severity, text, location, template, example)
