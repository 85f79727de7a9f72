"""What is asked of each kind of metric: a few vetted queries, and the names and units of what they give.

Counters are asked for as rates over at least four samples, because a rate needs two and one scrape may fail; the server
counts restarts in (https://prometheus.io/docs/prometheus/latest/querying/functions/#rate). Quantiles are estimated from
buckets summed per service, never averaged. What is one series per instance comes as its samples are stored.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tools.live.prometheus.families import Known, status_of
from tools.live.prometheus.identity import Identity, tidy
from tools.live.prometheus.promql import Matcher, duration, labels, named, selector
from tools.live.prometheus.vocabulary import INDEX, KINDS, SCARCE, TIME_WORDS, TIMES, WAITING, WORK, words

RATE_SAMPLES = 4
RECENT_SAMPLES = 2.5
"""Samples back that still stand for a series now: one may be missed; the server's own five minutes would draw lines
across gaps."""
SPLIT = 8
"""Different things that one metric may be told apart into; more are parts of a whole."""
QUANTILES = (("p99", "0.99"), ("p95", "0.95"), ("p90", "0.9"), ("p50", "0.5"))
NOT_OWN = frozenset({"__name__", "unit", "le"})


@dataclass(frozen=True)
class Terms:
    """What a query is written with."""

    known: Known
    by: Sequence[str]
    """Labels of the owners."""
    only: tuple[Matcher, ...]
    window: str
    """To take rates over."""
    recent: str
    """Within which the last sample still counts."""
    step: str

    def select(self, part: str = "", *more: Matcher) -> str:
        """A selector of the family's series, or of its `_bucket`, `_sum`, `_count`."""
        return selector([named(self.known.family.name + part), *more, *self.known.where, *self.only])

    def summed(self, part: str, *more: Matcher, besides: str = "") -> str:
        """The rate, summed by owner."""
        by = labels([*self.by, *([besides] if besides else [])])
        return f"sum by ({by}) (rate({self.select(part, *more)}[{self.window}]))"


@dataclass(frozen=True)
class Derived:
    """One metric as frames hold it."""

    known: Known
    name: str
    unit: str
    query: Callable[[Terms], str] | None = None
    """None: the samples of its series as they are stored."""
    fixed: tuple[tuple[str, str], ...] = ()
    """Labels that its series have, where they are one of several things under one name."""
    per_service: bool = False
    join: Literal["sum", "max"] = "sum"
    """How results that turn out to be of the same owner become one."""


def derive(known: Known, identity: Identity, stored: bool) -> list[Derived]:
    """What is asked of a family, the most telling first; `stored` where the window is short enough for whole samples."""
    match known.family.kind:
        case "histogram" | "native":
            return _histogram(known)
        case "summary":
            return _summary(known)
        case "counter":
            return _counter(known, identity, stored)
        case "gauge":
            return _gauge(known, identity, stored)


def _histogram(known: Known) -> list[Derived]:
    family = known.family
    if family.kind == "native":
        spread, total, count = "", "histogram_sum({})", "histogram_count({})"
    else:
        spread, total, count = "le", "{}", "{}"

    def part(name: str) -> str:
        return "" if family.kind == "native" else name

    def quantile(share: str) -> Callable[[Terms], str]:
        return lambda t: f"histogram_quantile({share}, {t.summed(part('_bucket'), besides=spread)})"

    def mean(t: Terms) -> str:
        return f"{total.format(t.summed(part('_sum')))} / {count.format(t.summed(part('_count')))}"

    found = [
        Derived(known, f"{family.name} p99", family.unit, quantile("0.99"), per_service=True, join="max"),
        Derived(known, f"{family.name} p50", family.unit, quantile("0.5"), per_service=True, join="max"),
        Derived(known, f"{family.name} mean", family.unit, mean, per_service=True, join="max"),
    ]
    return found + _calls(known, part("_count"), count)


def _summary(known: Known) -> list[Derived]:
    family = known.family

    def quantile(share: str) -> Callable[[Terms], str]:
        chosen = Matcher("quantile", "=", share)
        return lambda t: f"max by ({labels(t.by)}) (last_over_time({t.select('', chosen)}[{t.recent}]))"

    def mean(t: Terms) -> str:
        return f"{t.summed('_sum')} / {t.summed('_count')}"

    found = [Derived(known, f"{family.name} mean", family.unit, mean, per_service=True, join="max")]
    found += [
        Derived(known, f"{family.name} {name}", family.unit, quantile(share), join="max") for name, share in QUANTILES
    ]
    return found + _calls(known, "_count", "{}")


def _calls(known: Known, part: str, count: str) -> list[Derived]:
    """Traffic and errors from what was timed, where it was work that somebody asked for."""
    found = words(known.family.name)
    if known.family.unit not in TIMES or WORK.isdisjoint(found) or not WAITING.isdisjoint(found):
        return []
    stem = re.sub(rf"(?:^|[_.:])(?:{'|'.join(sorted(TIME_WORDS))})(?=[_.:]|$)", "", known.family.name)
    calls = Derived(known, f"{stem} calls per second", "/s", lambda t: count.format(t.summed(part)))
    return [calls, *_failures(known, stem, part, count)]


def _failures(known: Known, stem: str, part: str, count: str = "{}") -> list[Derived]:
    """Errors per second and their share, where a label tells them; zero where there is traffic and no error."""
    status = status_of(known)
    if status is None:
        return []
    label, called, values = status

    def failing(t: Terms, which: str) -> str:
        some = count.format(t.summed(part, Matcher(label, "=~", which)))
        return f"({some} or {count.format(t.summed(part))} * 0)"

    def share(t: Terms) -> str:
        return f"{failing(t, values)} / {count.format(t.summed(part))}"

    found = [
        Derived(known, f"{stem} {called} per second", "/s", lambda t: failing(t, values)),
        Derived(known, f"{stem} error share", "ratio", share, per_service=True, join="max"),
    ]
    if called == "5xx":
        refused = "4[0-9][0-9]|4[xX][xX]"
        found.append(Derived(known, f"{stem} 4xx per second", "/s", lambda t: failing(t, refused)))
    return found


def _counter(known: Known, identity: Identity, stored: bool) -> list[Derived]:
    family = known.family
    if family.name.endswith("_total") and _told_apart(known, identity) == ():
        return [_stored(known, (), stored)]
    unit = _rate_unit(known)
    failures = _failures(known, family.name, "")
    kinds = [] if failures else _kinds(known)
    if not kinds:
        return [Derived(known, f"{family.name} per second", unit, lambda t: t.summed("")), *failures]

    def of_kind(label: str, value: str) -> Derived:
        chosen = Matcher(label, "=", value)
        name = f"{family.name}{{{label}={tidy(value)}}} per second"
        return Derived(known, name, unit, lambda t: t.summed("", chosen))

    return [of_kind(label, value) for label, value in kinds]


def _kinds(known: Known) -> list[tuple[str, str]]:
    """The label and values that split a counter into different things, such as the modes of a processor."""
    values: dict[str, set[str]] = defaultdict(set)
    for series, _ in known.series:
        for label in KINDS & series.keys():
            values[label].add(series[label])
    for label in sorted(values):
        if 1 < len(values[label]) <= SPLIT:
            busy = values[label] - ({"idle"} if "cpu" in words(known.family.name) else set())
            return [(label, value) for value in sorted(busy)]
    return []


def _gauge(known: Known, identity: Identity, stored: bool) -> list[Derived]:
    family = known.family
    apart = _told_apart(known, identity)
    if apart is not None:
        things = sorted({tuple((label, series.get(label, "")) for label in apart) for series, _ in known.series})
        if len(things) == 1:
            return [_stored(known, (), stored)]
        return [_stored(known, thing, stored) for thing in things]
    scarce = not SCARCE.isdisjoint(words(family.name))
    joined, called = ("min", "lowest") if scarce else ("max", "highest")

    def extreme(t: Terms) -> str:
        return f"{joined} by ({labels(t.by)}) (last_over_time({t.select()}[{t.recent}]))"

    return [Derived(known, f"{family.name} {called}", family.unit, extreme, join="max")]


def _told_apart(known: Known, identity: Identity) -> tuple[str, ...] | None:
    """Labels that tell series of one instance apart into few different things; () for one series, None for too many."""
    if not known.whole:
        return None
    owned: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, (_, owner) in enumerate(known.series):
        owned[owner.service, owner.instance].append(at)
    varying: set[str] = set()
    for places in owned.values():
        if len(places) > 1:
            held = [known.series[at][0] for at in places]
            every = set().union(*held) - NOT_OWN
            varying |= {label for label in every if len({one.get(label, "") for one in held}) > 1}
    things = {tuple(series.get(label, "") for label in sorted(varying)) for series, _ in known.series}
    if len(things) > SPLIT or any(identity.is_identity(label) for label in varying):
        return None
    if any(INDEX.fullmatch(value) for thing in things for value in thing):
        return None
    return tuple(sorted(varying))


def _stored(known: Known, thing: tuple[tuple[str, str], ...], stored: bool) -> Derived:
    """Samples as they are; over a long window their means, of counters their last, each step."""
    family = known.family
    shown = ",".join(f"{label}={tidy(value)}" for label, value in thing if value)
    name = f"{family.name}{{{shown}}}" if shown else family.name
    unit = _told_unit(known) or family.unit
    if stored:
        return Derived(known, name, unit, fixed=thing)
    chosen = [Matcher(label, "=", value) for label, value in thing]
    function = "last" if family.kind == "counter" else "avg"

    def thinned(t: Terms) -> str:
        return f"avg by ({labels(t.by)}) ({function}_over_time({t.select('', *chosen)}[{t.step}]))"

    return Derived(known, name, unit, thinned)


def _told_unit(known: Known) -> str:
    units = {series.get("unit", "") for series, _ in known.series}
    return units.pop() if len(units) == 1 else ""


def _rate_unit(known: Known) -> str:
    unit = known.family.unit
    if unit == "s":
        return "cores" if "cpu" in words(known.family.name) else "s/s"
    return f"{unit}/s"


def terms(known: Known, by: Sequence[str], only: tuple[Matcher, ...], step: float) -> Terms:
    """How a family's queries are written, at steps of so many seconds."""
    return Terms(
        known=known,
        by=by,
        only=only,
        window=duration(max(RATE_SAMPLES * known.seconds, step)),
        recent=duration(max(RECENT_SAMPLES * known.seconds, step)),
        step=duration(step),
    )
