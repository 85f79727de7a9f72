"""Flattens what telemetry nests: `{"http": {"route": "/x"}}` becomes `http.route=/x`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from tools.words import clean_name, clean_text

MAX_ATTRIBUTES = 64
"""Attributes kept of one record, more than OpenTelemetry's conventions name for any span."""
_MAX_DEPTH = 6
_MAX_LIST = 8
"""List elements that are flattened; further ones add bulk, not evidence."""
_WRAPPERS = ("attributes.", "tags.", "fields.", "labels.")
"""Containers whose name says nothing; their keys stand as if they were the record's own."""


def flat(record: Mapping[str, object]) -> dict[str, object]:
    """The record with nested objects and lists flattened to dotted keys; scalars keep their type.

    A record's own key wins over the same key inside a container. Never raises; what is nested too deep is left out.
    """
    found = {key: value for key, value in record.items() if not isinstance(value, (dict, list))}
    for key, value in record.items():
        if isinstance(value, (dict, list)):
            for path, scalar in _scalars(key, value, 1):
                found.setdefault(_unwrapped(path), scalar)
    return found


def attribute_texts(items: Iterable[tuple[str, object]]) -> dict[str, str]:
    """Attributes as text: at most MAX_ATTRIBUTES, cleaned; null and empty ones say nothing and go."""
    found: dict[str, str] = {}
    for key, value in items:
        if value is None or value == "":
            continue
        if len(found) == MAX_ATTRIBUTES:
            break
        found[clean_name(key)] = scalar_text(value)
    return found


def scalar_text(value: object) -> str:
    """A JSON scalar as text; booleans as JSON writes them, null as nothing."""
    if isinstance(value, str):
        return clean_text(value)
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _scalars(path: str, value: object, depth: int) -> Iterable[tuple[str, object]]:
    if isinstance(value, dict):
        if depth <= _MAX_DEPTH:
            for key, inner in value.items():
                yield from _scalars(f"{path}.{key}", inner, depth + 1)
    elif isinstance(value, list):
        if depth <= _MAX_DEPTH:
            if any(isinstance(inner, dict | list) for inner in value):
                for number, inner in enumerate(value[:_MAX_LIST]):
                    yield from _scalars(f"{path}.{number}", inner, depth + 1)
            elif value:
                yield path, ", ".join(scalar_text(inner) for inner in value[:_MAX_LIST])
    else:
        yield path, value


@lru_cache(maxsize=10_000)
def _unwrapped(path: str) -> str:
    for wrapper in _WRAPPERS:
        path = path.removeprefix(wrapper)
        path = path.replace(f".{wrapper}", ".")
    return path
