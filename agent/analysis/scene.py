"""The scene of an incident: what was observed, put into the relations that reasoning needs.

Built once per ranking. Everything here is derived; nothing is decided.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

import networkx as nx

from agent.analysis.diffs import read_diff
from agent.analysis.edits import DiffReading
from agent.analysis.observed import Observations, Onset
from agent.analysis.traces.callgraph import call_graph
from agent.analysis.traits import TraitSeen, see_traits
from agent.incident import GoldenSignal, Resource, Signal, SignalKind, Symptom
from tools.evidence import ChangeEvent, Query, evidence_id

Relation = Literal["self", "callee", "caller", "peers", "apart", "unknown"]

FAILING_CONFIDENCE = 0.5
"""A signal below it does not make a service count as failing."""

UTILISED = frozenset({Resource.CPU, Resource.MEMORY, Resource.THREADS, Resource.CONNECTIONS, Resource.DISK})
NO_HEADROOM = 0.8
"""Utilisation from which queueing delay grows steeply (M/M/1: the wait at 0.8 is four service times)."""

DESCRIPTIVE_TRAITS = frozenset(
    {
        *("traffic_up", "traffic_down", "setting_moved", "cache_growing", "pool_filling", "replicas_down"),
        *("job_running", "log_volume_up"),
    }
)
"""Traits that describe load or state; alone they are no failure, so they neither start an incident nor widen it."""

SPECIFIC = 1.2
"""From this weight on a trait is specific enough that a mechanism ought to explain it."""

TOLERANCE = timedelta(seconds=90)
"""Clocks, scrape intervals and roll-outs blur moments: a change counts as after an onset only beyond this."""


@dataclass(frozen=True)
class Scene:
    """Observations with what follows from them."""

    observations: Observations
    symptom: Symptom
    symptom_onset: Onset | None

    @cached_property
    def traits(self) -> tuple[TraitSeen, ...]:
        return see_traits(self.observations)

    @cached_property
    def graph(self) -> nx.DiGraph[str]:
        """Caller -> callee."""
        return call_graph(self.observations.edges, services=sorted(self.services))

    @cached_property
    def services(self) -> frozenset[str]:
        """Services that telemetry speaks of."""
        o = self.observations
        named = {s.service for s in o.signals} | {x.service for x in o.levels} | {t.service for t in o.templates}
        edges = {e.caller for e in o.edges} | {e.callee for e in o.edges}
        return frozenset(named | edges | {x.service for x in o.operations} | {o.alert.service})

    @cached_property
    def readings(self) -> dict[str, DiffReading]:
        return {c.id: read_diff(c.diff, c.files) for c in self.observations.changes}

    @cached_property
    def failing(self) -> dict[str, tuple[Signal, ...]]:
        """Harmful signals of each service that are a failure of it, in order of onset."""
        found: dict[str, list[Signal]] = defaultdict(list)
        for signal in self.observations.signals:
            if signal.confidence >= FAILING_CONFIDENCE and signal.shape != "spike" and fails(signal):
                found[signal.service].append(signal)
        return {s: tuple(sorted(v, key=lambda x: x.onset)) for s, v in sorted(found.items())}

    @cached_property
    def onset(self) -> datetime:
        """When the symptom began."""
        if self.symptom_onset is not None:
            return self.symptom_onset.at
        own = self.failing.get(self.symptom.service)
        return own[0].onset if own else self.observations.alert.fired_at

    @cached_property
    def onset_uncertainty(self) -> timedelta:
        return self.symptom_onset.uncertainty if self.symptom_onset else timedelta(minutes=5)

    def relation(self, changed: str, seen_at: str) -> Relation:
        """How a service where something was seen stands to the service that was changed."""
        if changed == seen_at:
            return "self"
        if changed not in self.graph or self.graph.degree(changed) == 0:
            return "unknown"
        if seen_at not in self.graph or self.graph.degree(seen_at) == 0:
            return "unknown"
        if nx.has_path(self.graph, changed, seen_at):
            return "callee"
        if nx.has_path(self.graph, seen_at, changed):
            return "caller"
        shared = nx.descendants(self.graph, changed) & nx.descendants(self.graph, seen_at)
        return "peers" if shared else "apart"

    def path(self, cause: str, victim: str) -> list[str]:
        """Services from the cause to the victim against the direction of calls; just both when no path is known."""
        if cause == victim:
            return [cause]
        if cause in self.graph and victim in self.graph and nx.has_path(self.graph, victim, cause):
            return list(reversed(nx.shortest_path(self.graph, victim, cause)))
        return [cause, victim]

    def change_evidence(self, change: ChangeEvent) -> str:
        return evidence_id(Query(tool="change", arguments={"id": change.id}), self.observations.window)

    def metric_evidence(self, service: str, metric: str) -> str:
        query = Query(tool="metric_range", arguments={"service": service, "metric": metric})
        return evidence_id(query, self.observations.window)

    @cached_property
    def failing_text(self) -> dict[str, str]:
        """Evidence id -> lower-cased text of what fails: new log lines, span errors, deviating series' names."""
        texts: dict[str, list[str]] = defaultdict(list)
        for signal in self.observations.signals:
            if signal.confidence < FAILING_CONFIDENCE or signal.direction != "up":
                continue
            if signal.kind is SignalKind.LOG and not signal.harmful:
                continue
            texts[signal.evidence].extend((signal.name, signal.example, *signal.attributes.values()))
        by_evidence = {t.evidence: t for t in self.observations.templates}
        for found in texts.keys() & by_evidence.keys():
            template = by_evidence[found]
            texts[found].extend((*template.examples, *template.attributes.values()))
        return {k: "\n".join(v).lower() for k, v in sorted(texts.items())}

    @cached_property
    def usual_text(self) -> str:
        """Lower-cased text of log templates that were there before: what everybody says every day links nothing."""
        new = set(self.failing_text)
        return "\n".join(
            t.template for t in self.observations.templates if t.before > 0 and t.evidence not in new
        ).lower()

    def targets(self, change: ChangeEvent) -> tuple[str, ...]:
        """The service that was deployed, then services that the diff or its paths name in full."""
        named = [s for s in sorted(self.services) if s != change.service and s in self._named(change)]
        return (*((change.service,) if change.service else ()), *named)

    def _named(self, change: ChangeEvent) -> set[str]:
        reading = self.readings[change.id]
        words = {squeeze(w) for w in (*reading.identifiers, *reading.literals, *reading.functions)}
        words |= {squeeze(part) for path in change.files for part in re.split(r"[/.]", path)}
        return {s for s in self.services if len(squeeze(s)) > 4 and squeeze(s) in words}


def fails(signal: Signal) -> bool:
    """Users or callers feel it: errors, latency, queues, or a resource with no headroom left.

    A busier processor with room to spare, a cache that helps less or a certificate that runs out are causes on the way
    and not yet failures.
    """
    if not signal.harmful or signal.resource in {Resource.CACHE, Resource.CERTIFICATE}:
        return False
    if signal.kind is SignalKind.METRIC and signal.golden is GoldenSignal.TRAFFIC:
        return False  # who is called less has callers in trouble
    if signal.kind is not SignalKind.METRIC or signal.golden in {GoldenSignal.ERRORS, GoldenSignal.LATENCY}:
        return True
    if signal.resource not in UTILISED:
        return True
    if signal.unit == "%" or 0 < signal.after <= 1:
        return signal.after >= NO_HEADROOM * (1 if signal.after <= 1 else 100)
    return False


def squeeze(name: str) -> str:
    """`price-list`, `price_list` and `PriceList` are one name."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
