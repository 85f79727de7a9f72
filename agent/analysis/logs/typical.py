"""The typical value of each attribute among many records."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from tools.redaction import masked_text

MAX_SHOWN = 300
"""Characters of an example, a message or an attribute that are kept."""
MAX_KEYS = 24
"""Attributes that are kept, most widespread first."""


def shown(text: str) -> str:
    """A text as it may be stored: masked and cut."""
    text = masked_text(text[: 4 * MAX_SHOWN])
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def typical_attributes(records: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The most frequent value of each attribute.

    Where no value comes twice (durations, ids), the middle one of the sorted values stands for all: of numbers that is
    their median.
    """
    values: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        for key, value in record.items():
            if value:
                values[key][value] += 1
    ranked = sorted(values, key=lambda key: (-values[key].total(), key))[:MAX_KEYS]
    return {key: shown(_typical(values[key])) for key in sorted(ranked)}


def _typical(counts: Counter[str]) -> str:
    highest = max(counts.values())
    if highest > 1 or len(counts) == 1:
        return min(value for value, count in counts.items() if count == highest)
    return sorted(counts, key=_order)[(len(counts) - 1) // 2]


def _order(value: str) -> tuple[float, str]:
    try:
        number = float(value)
    except ValueError:
        number = math.inf
    return (math.inf if math.isnan(number) else number), value
