"""Splits JSON records into the columns that are wanted and the attributes that are left."""

from __future__ import annotations

from collections.abc import Mapping

from tools.attributes import attribute_texts, flat
from tools.evidence import JsonObject
from tools.words import layout

_REMEMBERED = 4096
"""Sets of keys whose layout is remembered; an export has a few dozen, an adversary as many as lines."""


class RecordSplit:
    """Finds the wanted columns of records by their synonyms; records with the same keys are looked up once."""

    def __init__(self, wanted: Mapping[str, tuple[str, ...]]) -> None:
        self._wanted = wanted
        self._known: dict[tuple[str, ...], tuple[tuple[str | None, ...], tuple[str, ...]]] = {}

    def __call__(self, record: JsonObject) -> tuple[list[object], dict[str, str]]:
        """The values of the wanted columns, None where a record lacks one, and its other keys as attributes."""
        for value in record.values():
            if isinstance(value, (dict, list)):
                record = flat(record)
                break
        keys = tuple(record)
        found = self._known.get(keys) or self._lay_out(keys)
        columns, others = found
        values: list[object] = [None if key is None else record[key] for key in columns]
        return values, attribute_texts((key, record[key]) for key in others) if others else {}

    def _lay_out(self, keys: tuple[str, ...]) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
        carries = layout(keys, self._wanted)
        taken = set(carries.values())
        found = tuple(carries.get(column) for column in self._wanted), tuple(key for key in keys if key not in taken)
        if len(self._known) < _REMEMBERED:
            self._known[keys] = found
        return found
