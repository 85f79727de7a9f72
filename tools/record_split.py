"""Splits JSON records into the columns that are wanted and the attributes that are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.attributes import attribute_texts, flat
from tools.evidence import JsonObject
from tools.words import layout

_REMEMBERED = 4096
"""Sets of keys whose layout is remembered; an export has a few dozen, an adversary as many as lines."""


class RecordSplit:
    """Finds the wanted columns of records by their synonyms; records with the same keys are looked up once.

    A record that has exactly the columns `whole` is one that we wrote: its attributes are taken as they stand, also
    where one is called like a column.
    """

    def __init__(self, wanted: Mapping[str, tuple[str, ...]], whole: Sequence[str] = ()) -> None:
        self._wanted = wanted
        self._whole = frozenset(whole)
        self._known: dict[tuple[str, ...], tuple[tuple[str | None, ...], tuple[str, ...]]] = {}

    def __call__(self, record: JsonObject) -> tuple[list[object], dict[str, str]]:
        """The values of the wanted columns, None where a record lacks one, and its other keys as attributes."""
        if record.keys() == self._whole and _attributes_apart(record):
            values: list[object] = [record.get(column) for column in self._wanted]
            return values, attribute_texts(flat(record["attributes"]).items())
        for value in record.values():
            if isinstance(value, (dict, list)):
                record = flat(record)
                break
        keys = tuple(record)
        found = self._known.get(keys) or self._lay_out(keys)
        columns, others = found
        values = [None if key is None else record[key] for key in columns]
        return values, attribute_texts((key, record[key]) for key in others) if others else {}

    def _lay_out(self, keys: tuple[str, ...]) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
        carries = layout(keys, self._wanted)
        taken = set(carries.values())
        found = tuple(carries.get(column) for column in self._wanted), tuple(key for key in keys if key not in taken)
        if len(self._known) < _REMEMBERED:
            self._known[keys] = found
        return found


def _attributes_apart(record: JsonObject) -> bool:
    """True when nothing is nested but the attributes."""
    nested = [name for name, value in record.items() if isinstance(value, (dict, list))]
    return nested == ["attributes"] and isinstance(record["attributes"], dict)
