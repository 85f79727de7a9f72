"""Counts the documents of a query by service and severity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.attributes import scalar_text
from tools.evidence import JsonObject
from tools.live.elasticsearch.fields import Fields
from tools.live.elasticsearch.queries import Key, sampled, strata
from tools.live.elasticsearch.reader import Reader, mean_bytes
from tools.live.thinning import SEVERE
from tools.words import UNKNOWN_SERVICE, clean_name, severity

SAMPLED = 200
"""Random documents whose size is looked at."""
PAGES = 4
"""Pages of kinds of lines that are counted; the kinds beyond are so rare that they are treated as one."""


@dataclass(frozen=True)
class Counted:
    """How many documents of each kind there are; the key None stands for all kinds that are not listed."""

    keys: tuple[Key | None, ...]
    lines: tuple[int, ...]
    severe: tuple[bool, ...]
    line_bytes: float
    """Size of a document, about; 0 where none was looked at."""

    @property
    def total(self) -> int:
        return sum(self.lines)


def count_strata(query: JsonObject, fields: Fields, reader: Reader, samples: int = SAMPLED) -> Counted:
    """The documents by the raw values of their service and severity fields. Raises ToolError."""
    lines: dict[Key | None, int] = {}
    answer = reader.count(sampled(query), strata(fields, None), samples)
    line_bytes = mean_bytes(answer.get("hits", {}).get("hits", []))
    total = int(answer.get("aggregations", {}).get("all", {}).get("doc_count", 0))
    for _ in range(PAGES):
        page: JsonObject = answer.get("aggregations", {}).get("strata", {})
        for bucket in page.get("buckets", []):
            lines[tuple(bucket["key"].values())] = int(bucket["doc_count"])
        if "after_key" not in page or sum(lines.values()) >= total:
            break
        answer = reader.count(query, strata(fields, page["after_key"]), 0)
    rest = total - sum(lines.values())
    if rest > 0:
        lines[None] = rest
    severe = tuple(_severity(key, fields) in SEVERE for key in lines)
    return Counted(tuple(lines), tuple(lines.values()), severe, line_bytes)


def service_of(key: Key | None, fields: Fields) -> str:
    """The service of a kind of lines as a frame tells it, "" where it has none."""
    return clean_name(scalar_text(_first((key or ())[: _services(fields)])))


def spellings_of(service: str, counts: Counted, fields: Fields) -> list[str]:
    """Raw names that a frame tells as this service: names lose their line breaks there, and long ones their ends."""
    raw = {value for key in counts.keys for value in (key or ())[: _services(fields)] if isinstance(value, str)}
    return sorted(name for name in raw if (clean_name(scalar_text(name)) or UNKNOWN_SERVICE) == service)


def _severity(key: Key | None, fields: Fields) -> str:
    return severity(_first((key or ())[_services(fields) :]))


def _services(fields: Fields) -> int:
    """How many values of a key are those of the service fields."""
    return sum(1 for field in fields.service if field.exact is not None)


def _first(values: Sequence[str | int | None]) -> str | int | None:
    return next((value for value in values if value is not None), None)
