"""Metric families from the names and types that a server knows: histograms and summaries are put together again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tools.evidence import JsonObject
from tools.live.prometheus.identity import Owner
from tools.live.prometheus.promql import Matcher
from tools.live.prometheus.vocabulary import SAYS_NOTHING, error_values, tier, unit_of

Kind = Literal["counter", "gauge", "histogram", "native", "summary"]
"""`native`: a histogram in one series, without buckets by name."""
PARTS = ("_bucket", "_count", "_sum")
_TOLD: Mapping[str, Kind] = {
    "counter": "counter",
    "gauge": "gauge",
    "histogram": "histogram",
    "gaugehistogram": "histogram",
    "summary": "summary",
}
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Family:
    """One metric as people speak of it."""

    name: str
    kind: Kind
    unit: str

    @property
    def probe(self) -> str:
        """The name of series that stand for the family: one for each set of labels, without buckets or quantiles."""
        return f"{self.name}_count" if self.kind in ("histogram", "summary") else self.name


@dataclass(frozen=True)
class Known:
    """A family with the series that the window holds of it."""

    family: Family
    series: tuple[tuple[Labels, Owner], ...]
    whole: bool
    """False where the server was only asked for whose they are, because there are too many."""
    where: tuple[Matcher, ...] = ()
    """What its series have to be besides, lest a thing be counted at every level of a hierarchy."""
    seconds: float = field(default=60.0, compare=False)
    """Between two of its samples."""


def read_families(names: Sequence[str], metadata: Iterable[JsonObject]) -> list[Family]:
    """Families of these names, the most telling first; types by metadata where there is some, else by suffixes."""
    there = set(names)
    told = {str(entry.get("metric_name")): entry for entry in metadata}
    families: dict[str, Family] = {}
    for name in names:
        if SAYS_NOTHING.fullmatch(name):
            continue
        family = _family(name, there, told)
        families.setdefault(family.name, family)
    return sorted(families.values(), key=lambda family: (tier(family.name), family.name))


def status_of(known: Known) -> tuple[str, str, str] | None:
    """The label that tells failures, what they are called, and the regular expression of its values that are some."""
    values: dict[str, set[str]] = defaultdict(set)
    for series, _ in known.series:
        for label, value in series.items():
            values[label].add(value)
    for label in sorted(values, key=lambda name: (name in ("error", "error_type"), name)):
        found = error_values(label, values[label])
        if found is not None:
            return label, *found
    return None


def _family(name: str, there: set[str], told: Mapping[str, JsonObject]) -> Family:
    stem = next((name.removesuffix(part) for part in PARTS if name.endswith(part)), "")
    if stem and f"{stem}_count" in there and f"{stem}_sum" in there:
        kind: Kind = "histogram" if f"{stem}_bucket" in there else "summary"
        return Family(stem, kind, unit_of(stem, _unit(told, stem)))
    if f"{name}_count" in there and f"{name}_sum" in there:  # quantiles stand under the plain name
        return Family(name, "histogram" if f"{name}_bucket" in there else "summary", unit_of(name, _unit(told, name)))
    entry = told.get(name) or told.get(name.removesuffix("_total"))
    kind = _TOLD.get(str(entry.get("type", "")), "gauge") if entry else "gauge"
    if kind == "histogram":
        kind = "native"
    elif kind == "summary":
        kind = "gauge"
    elif name.endswith("_total") and (not entry or entry.get("type") != "gauge"):
        kind = "counter"
    return Family(name, kind, unit_of(name, _unit(told, name)))


def _unit(told: Mapping[str, JsonObject], name: str) -> str:
    entry = told.get(name)
    return str(entry.get("unit") or "") if entry else ""
