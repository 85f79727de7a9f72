"""What a metric measures, read from its name: golden signal, resource, unit, which move hurts, how instances join.

Names come from Prometheus, OpenTelemetry, cAdvisor, StatsD and people's own habits; they share words rather than
conventions, so the words decide: see the table in `agent.analysis.metrics.meanings`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from agent.analysis.metrics.meanings import MEANINGS, UNITS, Harm, Join, Row
from agent.incident import Direction, GoldenSignal, Resource

TIMES = frozenset({"ns", "us", "ms", "s", "min", "h", "d"})
SHARES = frozenset({"%", "ratio"})
"""Units of shares; a series of one has a ceiling, 100 or 1."""
_SHARE_WORDS = frozenset({"ratio", "fraction", "share", "pct", "percent", "percentage", "utilization"})
_LASTING = frozenset({"quantile", "time"})
_COUNTED = frozenset({"total", "count", "sum", "created"})
_RATES = {
    "persec": "/s",
    "permin": "/min",
    "perhour": "/h",
    "rps": "/s",
    "qps": "/s",
    "tps": "/s",
    "lps": "/s",
    "ops": "/s",
}
_UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one metric measures; `None`, "" and `none` where its name does not tell."""

    golden: GoldenSignal | None = None
    resource: Resource | None = None
    harm: Harm = "none"
    """The direction that hurts; `none` for what only describes (load, a setting)."""
    join: Join = "mean"
    """How instances of a service become one series."""
    unit: str = ""
    counter: bool = False
    """Named like a counter; whether it only ever grows is for its values to say."""
    known: bool = True
    """False where no row of the table fits."""

    def hurts(self, direction: Direction) -> bool:
        """Whether a move in this direction is felt by somebody."""
        return self.harm in (direction, "any")


@lru_cache(maxsize=65536)
def read_name(metric: str, unit: str = "") -> Meaning:
    """What the metric of this name measures; `unit` as the source gave it wins over the one in the name."""
    words = _singular_words(metric)
    found = unit or _unit(words)
    counter = bool(words) and words[-1] in _COUNTED
    head = _head(words)
    row = next((row for row in MEANINGS if _fits(row, frozenset(words), head, found)), None)
    if row is None:
        return Meaning(unit=found, counter=counter, known=False)
    return Meaning(row.golden, row.resource, row.harm, _join(row.join, words, found), found, counter)


def _join(join: Join, words: list[str], unit: str) -> Join:
    """The table's way, but no sum of shares (averaged) or of durations (the longest)."""
    if join != "sum":
        return join
    if unit in TIMES or not _LASTING.isdisjoint(words):
        return "max"
    if not _SHARE_WORDS.isdisjoint(words) or ("rate" in words and not unit.endswith(tuple(_RATES.values()))):
        return "mean"
    return "sum"


def words_of(name: str) -> str:
    """`http.server.requestDuration` -> `http_server_request_duration`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    spaced = re.sub(r"/(s|sec|min|h)\b", r"_per_\1", spaced).replace("%", "_pct_")
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _singular_words(name: str) -> list[str]:
    words = re.sub(r"(?<![a-z])per_(s|sec|min|h|hour)(?:ond|ute)?s?(?![a-z])", _rate_word, words_of(name))
    return [_singular(word) for word in words.split("_")]


def _rate_word(found: re.Match[str]) -> str:
    return {"s": "persec", "sec": "persec", "min": "permin", "h": "perhour", "hour": "perhour"}[found[1]]


def _singular(word: str) -> str:
    """The word without its plural; percentiles and status classes as one word each."""
    if re.fullmatch(r"p\d{2,4}", word):
        return "quantile"
    if re.fullmatch(r"5\d\d", word):
        return "5xx"
    if len(word) <= 3 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word.removesuffix("s")


def _unit(words: list[str]) -> str:
    """The unit in the name: amount and rate (`MB/s`), or the last unit that stands in it."""
    rate = next((_RATES[w] for w in words if w in _RATES), "")
    units = [_UNIT_OF[w] for w in words if w in _UNIT_OF]
    if rate:
        amount = next((u for u in reversed(units) if u.endswith("B")), "")
        return amount + rate
    return units[-1] if units else ""


def _head(words: list[str]) -> str:
    """The last word that is neither a unit nor a way of counting."""
    plain = [w for w in words if w not in _UNIT_OF and w not in _COUNTED and w != "quantile"]
    return plain[-1] if plain else ""


def _fits(row: Row, words: frozenset[str], head: str, unit: str) -> bool:
    if row.timed and unit not in TIMES:
        return False
    return all(
        not group.plain.isdisjoint(words)
        or head in group.last
        or any(word.startswith(group.prefixes) for word in words if group.prefixes)
        for group in _groups(row.words)
    )


@dataclass(frozen=True, slots=True)
class _Group:
    plain: frozenset[str]
    last: frozenset[str]
    prefixes: tuple[str, ...]


@cache
def _groups(pattern: str) -> tuple[_Group, ...]:
    """A row's pattern, taken apart once."""
    groups: list[_Group] = []
    for part in pattern.split("&"):
        words = [word.strip() for word in part.split("|")]
        groups.append(
            _Group(
                plain=frozenset(w for w in words if w[-1] not in "*$"),
                last=frozenset(w[:-1] for w in words if w.endswith("$")),
                prefixes=tuple(w[:-1] for w in words if w.endswith("*")),
            )
        )
    return tuple(groups)


TRIFLING_SECONDS = 0.1
"""Time that adds up to less than this between two samples, over all requests together, is felt by nobody."""
_ADDS_UP = re.compile(r"(?:^|_)(?:seconds|milliseconds|microseconds|ms|us|time)_(?:total|sum)(?:$|_)")
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def is_trifling(metric: str, unit: str, value: float) -> bool:
    """True for time that a counter adds up, as all waits for a pool, when it adds up to next to nothing.

    Such a series is often exactly zero in health, so that its own noise says that any wait at all is extraordinary.
    """
    return bool(_ADDS_UP.search(words_of(metric))) and abs(value) * _SECONDS.get(unit, 1.0) < TRIFLING_SECONDS
