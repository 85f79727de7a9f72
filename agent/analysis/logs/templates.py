"""Log templates: every line that differs from another only in its variable tokens is one template.

A token with a digit is variable at once; the few hundred shapes that remain per service and severity are then compared
with each other. The idea of comparing tokens at equal positions is that of fixed-depth log parsers (He et al. 2017,
Drain); working on distinct bodies first is what makes it fast enough for a million lines.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agent.analysis.logs.shapes import merge_shapes
from agent.analysis.logs.stacks import headline
from agent.analysis.logs.tokens import PLACEHOLDER, shape_of_body, token_masks

MAX_TEMPLATES = 100
"""Templates kept per service and severity; further lines share the template OTHER, so that a service that logs
free text cannot fill the memory, nor hide its few errors behind its many other lines."""

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class MinedTemplates:
    """The templates of a frame of logs, ordered by service, severity and text; `of_row` indexes them row by row."""

    of_row: Codes
    services: tuple[str, ...]
    severities: tuple[str, ...]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)


def mine_templates(frame: pd.DataFrame) -> MinedTemplates:
    """Mine the templates of a logs frame (columns service, severity, body as in tools.backend), in any row order."""
    service, services = _factorized(frame["service"])
    severity, severities = _factorized(frame["severity"])
    body, bodies = _factorized(frame["body"])
    shape_of, shapes = _shapes(bodies)
    pairs = len(severities) * max(len(shapes), 1)
    combined = service * pairs + severity * max(len(shapes), 1) + shape_of[body]
    distinct, inverse, counts = np.unique(combined, return_inverse=True, return_counts=True)
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, key in enumerate(distinct.tolist()):
        groups[key // pairs, key % pairs // max(len(shapes), 1)].append(place)
    found: list[tuple[str, str, str]] = [("", "", "")] * len(distinct)
    for (s, v), places in groups.items():
        texts = [shapes[distinct[p] % max(len(shapes), 1)] for p in places]
        merged = merge_shapes(texts, counts[places], MAX_TEMPLATES)
        for place, text in zip(places, merged, strict=True):
            found[place] = (services[s], severities[v], text)
    ordered = sorted(set(found))
    rank = {triple: i for i, triple in enumerate(ordered)}
    index = np.fromiter((rank[triple] for triple in found), dtype=np.int64, count=len(found))
    return MinedTemplates(
        of_row=index[inverse],
        services=tuple(t[0] for t in ordered),
        severities=tuple(t[1] for t in ordered),
        texts=tuple(t[2] for t in ordered),
    )


def literal_of(template: str, example: str = "") -> str | None:
    """The longest literal fragment of a template, to look its lines up again; None when it has none.

    Given a line as it was logged, the fragment really occurs in it (blanks may have been joined in the template).
    """
    fragments = [piece.strip() for piece in PLACEHOLDER.split(template)]
    fragments += [word for piece in fragments for word in piece.split()]
    usable = [piece for piece in fragments if piece and (not example or piece in example)]
    return max(usable, key=len, default=None)


def _factorized(column: pd.Series) -> tuple[Codes, list[str]]:
    codes, values = pd.factorize(column.to_numpy(dtype=object))
    return np.asarray(codes, dtype=np.int64), [str(value) for value in values]


def _shapes(bodies: list[str]) -> tuple[Codes, list[str]]:
    """The masked first line of each distinct body, as codes into the distinct shapes."""
    masks = token_masks()
    known: dict[str, int] = {}
    codes = np.empty(len(bodies), dtype=np.int64)
    for place, body in enumerate(bodies):
        line = headline(body) if "\n" in body else body
        codes[place] = known.setdefault(shape_of_body(line, masks), len(known))
    return codes, list(known)
