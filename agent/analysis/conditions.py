"""Causes that nobody changed: surges, expiries, outages, full disks, lost packets.

They are mechanisms of the same catalogue, weighed by the same signature; what a diff is for a change, a measured
circumstance is for them (the surge enters at the edge, the disk fills on a straight line, the provider says so itself).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from agent.analysis.catalogue import Mechanism, mechanisms
from agent.analysis.guilt import SPECIFIC, UNEXPLAINED
from agent.analysis.observed import Level
from agent.analysis.scene import DESCRIPTIVE_TRAITS, TOLERANCE, Scene
from agent.analysis.suspects import Suspect
from agent.analysis.traits import TraitSeen, quantity
from agent.incident import Claim, GoldenSignal

PRIOR = -0.7
"""About one incident in three has no change behind it (Google, Site Reliability Engineering, chapter 8: roughly 70% of
outages are due to changes)."""
STEADY = 2.0
NOT_STEADY = -1.5
ENTERS = 2.5
"""The edge carries the surge and the inner services carry no more than the edge."""
NOT_ENTERING = -3.0
SURGE_FROM = 1.3
"""Less than a third more requests is the ordinary change of a day."""
MULTIPLIES_FROM = 1.6
"""An inner service whose load grew by this factor more than the edge's is multiplied inside, not by demand."""
SHARED = 1.0
"""Several services that fail on the same thing at once point at the thing."""


@dataclass(frozen=True)
class Condition:
    """One mechanism that nobody triggered, with its score."""

    mechanism: Mechanism
    service: str
    score: float
    claims: tuple[Claim, ...]
    explained: tuple[TraitSeen, ...]


def conditions(scene: Scene, ranked: list[Suspect]) -> list[Condition]:
    """Every condition of which a needed trait is seen, best first."""
    found = [c for m in mechanisms().values() if m.condition and (c := _condition(scene, m, ranked))]
    return sorted(found, key=lambda c: (-c.score, c.mechanism.id))


def _condition(scene: Scene, mechanism: Mechanism, ranked: list[Suspect]) -> Condition | None:
    anchors = [
        t
        for t in scene.traits
        if t.trait in mechanism.needs and t.onset <= scene.onset + scene.onset_uncertainty + TOLERANCE
    ]
    if not anchors:
        return None
    anchor = max(anchors, key=lambda t: (t.weight * t.strength, t.service))
    best: dict[str, TraitSeen] = {}
    lost: dict[str, TraitSeen] = {}
    for seen in scene.traits:
        into = best if mechanism.produces.get(seen.trait) else lost
        if (
            into is lost
            and (seen.weight < SPECIFIC or seen.trait in DESCRIPTIVE_TRAITS)
            and seen.trait not in mechanism.refutes
        ):
            continue
        kept = into.get(seen.trait)
        if kept is None or seen.strength > kept.strength:
            into[seen.trait] = seen
    claims = [
        Claim(text=t.text, evidence=(t.evidence,), weight=t.weight * t.strength * mechanism.produces[t.trait])
        for t in best.values()
    ]
    for trait, seen in sorted(lost.items()):
        factor = -1.0 if trait in mechanism.refutes else -UNEXPLAINED
        claims.append(
            Claim(
                text=f"does not explain: {seen.text}",
                evidence=(seen.evidence,),
                weight=factor * seen.weight * seen.strength,
            )
        )
    claims.extend(_circumstances(scene, mechanism, anchors))
    service = _where(scene, mechanism, anchor, ranked)
    explained = tuple(sorted(best.values(), key=lambda t: -t.weight * t.strength))
    return Condition(mechanism, service, PRIOR + sum(c.weight for c in claims), tuple(claims), explained)


def _where(scene: Scene, mechanism: Mechanism, anchor: TraitSeen, ranked: list[Suspect]) -> str:
    """The service a condition is about: where its needed trait is seen, or for a declared outage who fails on it."""
    if anchor.trait == "provider_declares" or anchor.service not in scene.services:
        return ranked[0].service if ranked else scene.symptom.service
    if mechanism.scope == "entry":
        return _edge(scene)[0] if _edge(scene) else anchor.service
    return anchor.service


def _circumstances(scene: Scene, mechanism: Mechanism, anchors: list[TraitSeen]) -> list[Claim]:
    found: list[Claim] = []
    if mechanism.scope == "trend":
        found.extend(_trend(scene, anchors))
    if mechanism.scope == "entry":
        found.extend(_entry(scene))
    services = {t.service for t in anchors if t.service in scene.services}
    if len(services) > 1 and mechanism.scope is None:
        cited = tuple(dict.fromkeys(t.evidence for t in anchors))[:3]
        found.append(Claim(text=f"{', '.join(sorted(services))} show it at once", evidence=cited, weight=SHARED))
    return found


def _trend(scene: Scene, anchors: list[TraitSeen]) -> list[Claim]:
    """A straight line towards the limit since long before; a bend speaks for something that happened."""
    services = {t.service for t in anchors}
    levels = [x for x in scene.observations.levels if x.service in services and x.trend > 0 and x.resource is not None]
    if levels:
        level = max(levels, key=lambda x: x.last)
        pace = quantity(level.trend, level.unit)
        text = f"{level.service} {level.metric} rises steadily, by {pace} a minute, since long before"
        return [Claim(text=text, evidence=(level.evidence,), weight=STEADY)]
    anchor = anchors[0]
    return [
        Claim(
            text=f"no steady rise towards it is seen at {anchor.service}",
            evidence=(anchor.evidence,),
            weight=NOT_STEADY,
        )
    ]


def _entry(scene: Scene) -> list[Claim]:
    """Demand comes in at the edge: its request rate grew, and no inner service grew much more than it."""
    growth = {level.service: level for level in _traffic(scene)}
    edge = [s for s in _edge(scene) if s in growth] or [scene.symptom.service]
    at_edge = [growth[s] for s in edge if s in growth]
    if not at_edge:
        return []
    ratio = max(_ratio(level) for level in at_edge)
    top = max(at_edge, key=_ratio)
    if ratio < SURGE_FROM:
        now, was = quantity(top.after, top.unit), quantity(top.before, top.unit)
        text = f"{top.service} {top.metric} stays at {now} (was {was}): no surge enters"
        return [Claim(text=text, evidence=(top.evidence,), weight=NOT_ENTERING)]
    inner = [growth[s] for s in growth if s not in edge]
    multiplied = [x for x in inner if _ratio(x) > MULTIPLIES_FROM * ratio]
    if multiplied:
        worst = max(multiplied, key=_ratio)
        grew = f"{worst.service} {worst.metric} grew {_ratio(worst):.1f}-fold"
        text = f"{grew} while the edge grew {ratio:.1f}-fold: the load is multiplied inside"
        return [Claim(text=text, evidence=(worst.evidence, top.evidence), weight=NOT_ENTERING)]
    typical = median([_ratio(x) for x in (*at_edge, *inner)])
    text = f"requests grew {ratio:.1f}-fold at the edge ({top.service}) and {typical:.1f}-fold in the middle"
    return [Claim(text=text, evidence=(top.evidence,), weight=ENTERS)]


def _traffic(scene: Scene) -> list[Level]:
    return [x for x in scene.observations.levels if x.golden is GoldenSignal.TRAFFIC and x.before > 0]


def _ratio(level: Level) -> float:
    return level.after / level.before if level.before > 0 else 1.0


def _edge(scene: Scene) -> list[str]:
    """Services that nobody in the graph calls, those with calls of their own first."""
    roots = [s for s in scene.graph if scene.graph.in_degree(s) == 0 and scene.graph.out_degree(s) > 0]
    return sorted(roots)
