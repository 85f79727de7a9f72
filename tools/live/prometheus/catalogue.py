"""Every metric that one window can be asked for, by the names that frames show, and which of them fit into an answer."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median

from tools.evidence import Source, TimeWindow, ToolError
from tools.live.prometheus.discovery import USUAL_SCRAPE
from tools.live.prometheus.families import Known
from tools.live.prometheus.identity import Identity, tidy
from tools.live.prometheus.templates import Derived, derive
from tools.words import did_you_mean

MOST_POINTS = 2_000
"""Samples of one series: what an onset is dated by, and far below the 11,000 that the server itself allows."""


class Catalogue:
    """The metrics of one window. Pure."""

    def __init__(
        self, known: Sequence[Known], window: TimeWindow, identity: Identity, most_series: int, typed: bool = True
    ) -> None:
        self.known = known
        self.typed = typed
        self.window = window
        self._identity = identity
        self._most_series = most_series
        self._by_name: dict[str, list[Derived]] = {}
        self._by_family: dict[str, list[Derived]] = {}
        for one in known:
            stored = self.step_of(one) <= one.seconds
            for derived in derive(one, identity, stored):
                if self._is_new(derived):
                    self._by_name.setdefault(tidy(derived.name), []).append(derived)
                    self._by_family.setdefault(tidy(one.family.name), []).append(derived)

    def _is_new(self, derived: Derived) -> bool:
        """Two families may give metrics of one name, each of services of its own."""
        others = self._by_name.get(tidy(derived.name), [])
        services = services_of(derived.known)
        return all(services.isdisjoint(services_of(other.known)) for other in others)

    def step_of(self, known: Known) -> float:
        """Whole seconds between two moments at which the family's queries are evaluated."""
        return _step(known.seconds, self.window)

    @property
    def usual_step(self) -> float:
        """For what comes from no family."""
        return _step(median(one.seconds for one in self.known) if self.known else USUAL_SCRAPE, self.window)

    @property
    def services(self) -> dict[str, int]:
        """Services and how many series each has."""
        found: dict[str, int] = defaultdict(int)
        for one in self.known:
            for _, owner in one.series:
                found[owner.service] += 1
        return dict(found)

    def knows(self, metric: str) -> bool:
        """Whether it is the name of a metric here, as frames show it or as the server has it."""
        return metric in self._by_name or metric in self._by_family

    def named(self, metric: str, service: str | None) -> list[tuple[Derived, str]]:
        """What the name stands for, of one service or of any, each with the name that its rows get."""
        found = self._by_name.get(metric)
        if found is None:
            found = self._by_family.get(metric, [])[:1]
        return [(one, metric) for one in found if service is None or service in services_of(one.known)]

    def all(self, service: str | None = None) -> list[tuple[Derived, str]]:
        """Everything, or everything of one service, the most telling first."""
        return [
            (derived, tidy(derived.name))
            for family in self._by_family.values()
            for derived in family
            if service is None or service in services_of(derived.known)
        ]

    def fitting(
        self, wanted: Sequence[tuple[Derived, str]], most_samples: int
    ) -> tuple[list[tuple[Derived, str]], list[str]]:
        """What fits into so many samples, from the front, and the names of what does not."""
        left = most_samples
        kept: list[tuple[Derived, str]] = []
        cut: list[str] = []
        for derived, name in wanted:
            size = self.samples_of(derived)
            if size <= left and not cut:
                kept.append((derived, name))
                left -= size
            else:
                cut.append(name)
        return kept, cut

    def samples_of(self, derived: Derived) -> int:
        """About how many samples it gives."""
        points = math.ceil(self.window.length.total_seconds() / self.step_of(derived.known))
        if derived.query is None:
            fixed = dict(derived.fixed)
            series = sum(1 for one, _ in derived.known.series if all(one.get(k, "") == v for k, v in fixed.items()))
        else:
            series = len({owner for _, owner in derived.known.series})
        if not self.with_instance(derived):
            series = len(services_of(derived.known))
        return points * series

    def with_instance(self, derived: Derived) -> bool:
        """Whether its rows tell instances apart."""
        if derived.query is None:
            return True
        return not derived.per_service and len({owner for _, owner in derived.known.series}) <= self._most_series

    def unknown(self, service: str | None, metric: str | None) -> ToolError:
        """Why there is nothing to ask."""
        services = self.services
        if service is not None and service not in services:
            return _nothing(f"service {service!r}", did_you_mean(service, services))
        names = {name for _, name in self.all(service)}
        return _nothing(f"{service or 'any service'} metric {metric!r}", did_you_mean(metric, names))


def services_of(known: Known) -> set[str]:
    return {owner.service for _, owner in known.series}


def grid(window: TimeWindow, step: float) -> tuple[datetime, datetime] | None:
    """First and last moment of the window on a grid of `step` whole seconds, so that equal windows give equal moments."""
    first = math.ceil(window.since.timestamp() / step) * step
    last = (math.ceil(window.until.timestamp() / step) - 1) * step
    return None if last < first else (datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC))


def _step(seconds: float, window: TimeWindow) -> float:
    """The time between samples, or a multiple of it where the window is long."""
    scrape = max(1, round(seconds))
    return float(scrape * max(1, math.ceil(window.length.total_seconds() / scrape / MOST_POINTS)))


def _nothing(what: str, hint: str) -> ToolError:
    return ToolError(Source.METRICS, f"no metrics of {what} are in this window{hint}")
