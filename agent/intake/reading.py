"""Reads fields of what a monitor sent; whatever is not as it should be is one line with the key and its value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import JsonValue

from agent.errors import CallerError
from tools.evidence import as_utc

Sent = Mapping[str, JsonValue]
MOST_ITEMS = 10_000
"""Alerts in one delivery; a monitor that sends more is told so instead of being half heard."""
SHOWN = 80


def refusal(key: str, value: object, wanted: str) -> CallerError:
    """The error for a field that cannot be used."""
    shown = json.dumps(value, default=str, ensure_ascii=False)
    return CallerError(f"{key} is {shown if len(shown) <= SHOWN else shown[: SHOWN - 3] + '...'}; {wanted}")


def text(sent: Sent, key: str) -> str:
    """A text or a number as text; "" where there is none."""
    value = sent.get(key)
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise refusal(key, value, "a text is needed")
    return value.strip() if isinstance(value, str) else json.dumps(value)


def part(sent: Sent, key: str) -> Sent:
    """An object inside; empty where there is none."""
    value = sent.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refusal(key, value, "an object is needed")
    return value


def items(sent: Sent, key: str) -> list[Sent]:
    """A list of objects; raises for one that is missing, because then there is nothing to hear."""
    value = sent.get(key)
    if not isinstance(value, list):
        raise refusal(key, value, "a list of objects is needed")
    if len(value) > MOST_ITEMS:
        raise CallerError(f"{key} has {len(value)} items; at most {MOST_ITEMS} are taken at once")
    for place, item in enumerate(value):
        if not isinstance(item, dict):
            raise refusal(f"{key}[{place}]", item, "an object is needed")
    return [item for item in value if isinstance(item, dict)]


def moment(sent: Sent, key: str) -> datetime:
    """A moment with a zone: a text after ISO 8601, or Unix seconds or milliseconds as a number."""
    value = sent.get(key)
    wanted = "a time with a zone is needed, like 2026-01-31T12:00:00Z"
    try:
        if isinstance(value, str):
            return as_utc(datetime.fromisoformat(value))
        if isinstance(value, int | float) and not isinstance(value, bool):
            # Seconds until the year 5138, milliseconds from 1973 on: the ranges do not meet.
            return datetime.fromtimestamp(value / 1000 if abs(value) >= 1e11 else value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise refusal(key, value, wanted) from error
    raise refusal(key, value, wanted)
