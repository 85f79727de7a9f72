"""Which fields of the indices say what: found by their names and types, counted in the window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from tools.attributes import flat
from tools.evidence import JsonObject
from tools.live.elasticsearch.config import (
    BODY_FIELDS,
    INSTANCE_FIELDS,
    SERVICE_FIELDS,
    SEVERITY_FIELDS,
    SPAN_FIELDS,
    TIME_FIELDS,
    TRACE_FIELDS,
    ElasticsearchConfig,
)

DATES = frozenset({"date", "date_nanos"})
ANALYSED = frozenset({"text", "match_only_text"})
WORDS = frozenset({"keyword", "constant_keyword", "wildcard"})
NUMBERS = frozenset({"long", "integer", "short", "byte", "unsigned_long"})
SUBFIELD = ".keyword"
"""What the default mapping calls the whole value of an analysed text."""
MOST = {"service": 3, "severity": 2, "body": 3}
"""Fields of a role that questions speak of; each more would multiply the work of counting."""


@dataclass(frozen=True)
class Field:
    """One field of the indices that were asked."""

    name: str
    exact: str | None
    """By which name its whole values are found and counted; None where only words of it can be searched."""
    kinds: frozenset[str]
    """Its types in the mappings of the indices."""
    lines: int = 0
    """Documents of the window that have it."""

    @property
    def is_number(self) -> bool:
        return bool(self.kinds & NUMBERS)


@dataclass(frozen=True)
class Fields:
    """The fields that matter, by what they say, the most exact first."""

    time: Field
    service: tuple[Field, ...]
    severity: tuple[Field, ...]
    body: tuple[Field, ...]
    indices: tuple[str, ...]
    """Indices and data streams that may hold something of the window."""
    total: int
    """Documents of the window."""


def candidates(config: ElasticsearchConfig) -> dict[str, tuple[str, ...]]:
    """Names to look for, by column, those that somebody configured first."""
    return {
        "timestamp": _first(config.time_field, TIME_FIELDS),
        "service": _first(config.service_field, SERVICE_FIELDS),
        "severity": _first(config.severity_field, SEVERITY_FIELDS),
        "body": _first(config.body_field, BODY_FIELDS),
        "instance": _first(config.instance_field, INSTANCE_FIELDS),
        "trace_id": TRACE_FIELDS,
        "span_id": SPAN_FIELDS,
    }


def asked_names(names: Mapping[str, Sequence[str]]) -> list[str]:
    """The fields whose types are asked for, the sub-fields with whole values included."""
    wanted = [name for column in ("timestamp", "service", "severity", "body") for name in names[column]]
    return [*wanted, *(name + SUBFIELD for name in wanted)]


def record_keys(names: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Under which keys the fields stand in a flattened document: as they are named, or without words that say nothing."""
    return {
        column: list(dict.fromkeys(key for field in fields for key in keys_of(field)))
        for column, fields in names.items()
    }


def keys_of(field: str) -> list[str]:
    """Under which keys a field stands in a flattened document: its name, and the name without words that say nothing."""
    head, *rest = field.split(".")
    nested: object = ""
    for part in reversed(rest):
        nested = {part: nested}
    return [field, *flat({head: nested})]


def texts_of(flattened: Iterable[Mapping[str, object]], fields: Iterable[Field]) -> list[str]:
    """The texts that stand in some fields of flattened documents, where they do."""
    keys = [keys_of(field.name) for field in fields]
    found = (record[key] for record in flattened for names in keys for key in names if key in record)
    return [text for text in found if isinstance(text, str)]


def typed(caps: JsonObject, names: Iterable[str]) -> list[Field]:
    """Those of the names that are fields, in the given order; `caps` is the answer of `_field_caps`."""
    known = cast("dict[str, dict[str, JsonObject]]", caps.get("fields") or {})
    found: list[Field] = []
    for name in names:
        kinds = frozenset(known.get(name, {})) - {"unmapped", "object", "nested"}
        if kinds:
            found.append(Field(name, _exact(name, known), kinds))
    return found


def date_field(fields: Iterable[Field]) -> Field | None:
    """The first that is a date in every index that has it."""
    return next((field for field in fields if field.kinds <= DATES), None)


def presence(time: Field, fields: Iterable[Field]) -> JsonObject:
    """Aggregations that count the documents and, of each field, those that have it."""
    every: JsonObject = {"": {"match_all": {}}}
    return {
        "fields": {"filters": {"filters": every | {field.name: {"exists": {"field": field.name}} for field in fields}}},
        "newest": {"max": {"field": time.name, "format": "strict_date_optional_time_nanos"}},
    }


def counted_fields(fields: Iterable[Field], buckets: Mapping[str, JsonObject], role: str) -> tuple[Field, ...]:
    """Those that documents of the window have, with how many, up to the first that all have."""
    total = int(buckets[""]["doc_count"])
    found: list[Field] = []
    for field in fields:
        lines = int(buckets[field.name]["doc_count"])
        if lines:
            found.append(Field(field.name, field.exact, field.kinds, lines))
        if lines == total or len(found) == MOST[role]:
            break
    return tuple(found)


def _first(configured: str | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    return usual if configured is None else tuple(dict.fromkeys((configured, *usual)))


def _exact(name: str, known: Mapping[str, Mapping[str, JsonObject]]) -> str | None:
    """The field itself where it holds whole values everywhere, else the sub-field that does."""
    for path in (name, name + SUBFIELD):
        kinds = set(known.get(path, {})) - {"unmapped"}
        if kinds and (kinds <= WORDS or kinds <= NUMBERS):
            return path
    return None
