"""Causes that nobody changed: surges, expiries, outages, full disks, lost packets.

They are mechanisms of the same catalogue, weighed by the same signature; what a diff is for a change, a measured
circumstance is for them (the surge enters at the edge, the disk fills on a straight line, the provider says so itself).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.analysis.catalogue import Mechanism, mechanisms
from agent.analysis.demand import demand
from agent.analysis.faults.fault import Fault
from agent.analysis.guilt import UNEXPLAINED
from agent.analysis.scene import DESCRIPTIVE_TRAITS, SPECIFIC, TOLERANCE, Scene
from agent.analysis.suspects import Suspect
from agent.analysis.traits import TraitSeen
from agent.figures import quantity
from agent.incident import Claim, FaultKind

PRIOR = -0.7
"""About one incident in three has no change behind it (Google, Site Reliability Engineering, chapter 8: roughly 70% of
outages are due to changes)."""
STEADY = 2.0
NOT_STEADY = -1.5
BROKEN_OFF = frozenset({FaultKind.CODE_EXCEPTION, FaultKind.WRONG_RETURN})
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


def conditions(scene: Scene, ranked: list[Suspect], located: Sequence[Fault] = ()) -> list[Condition]:
    """Every condition of which a needed trait is seen, best first; `located` faults count against what explains none."""
    found = [c for m in mechanisms().values() if m.condition and (c := _condition(scene, m, ranked, located))]
    return sorted(found, key=lambda c: (-c.score, c.mechanism.id))


def _condition(scene: Scene, mechanism: Mechanism, ranked: list[Suspect], located: Sequence[Fault]) -> Condition | None:
    anchors = [
        t
        for t in scene.traits
        if t.trait in mechanism.needs and t.onset <= scene.onset + scene.onset_uncertainty + TOLERANCE
    ]
    if not anchors or (_nothing_fails(scene) and all(t.trait in DESCRIPTIVE_TRAITS for t in anchors)):
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
    claims.extend(_left_unexplained(mechanism, anchors, located[:1]))
    service = _where(scene, mechanism, anchor, ranked)
    explained = tuple(sorted(best.values(), key=lambda t: -t.weight * t.strength))
    return Condition(mechanism, service, PRIOR + sum(c.weight for c in claims), tuple(claims), explained)


def _nothing_fails(scene: Scene) -> bool:
    """More traffic that nobody feels is a good day, and no condition that anything suffers from."""
    return not scene.failing and scene.symptom_onset is None


def _left_unexplained(mechanism: Mechanism, anchors: Sequence[TraitSeen], located: Sequence[Fault]) -> list[Claim]:
    """The clearest located fault, if its own sign is none that the condition produces.

    Code that breaks off at the very service that says what is wrong breaks off because of it.
    """
    found: list[Claim] = []
    said = {anchor.service for anchor in anchors}
    for fault in located:
        if fault.kind is mechanism.fault:
            continue
        if fault.kind in BROKEN_OFF and fault.service in said and mechanism.produces.get("error_rate_up", 0.0) > 0:
            continue
        produced = mechanisms()[fault.mechanism].produces
        if not any(mechanism.produces.get(trait, 0.0) > 0 for trait, share in produced.items() if share == 1.0):
            leading = fault.claims[0]
            text = f"does not explain: {leading.text}"
            found.append(Claim(text=text, evidence=leading.evidence, weight=-UNEXPLAINED * fault.score))
    return found


def _where(scene: Scene, mechanism: Mechanism, anchor: TraitSeen, ranked: list[Suspect]) -> str:
    """The service a condition is about: where its needed trait is seen, or for a declared outage who fails on it."""
    if anchor.trait == "provider_declares" or anchor.service not in scene.services:
        return ranked[0].service if ranked else scene.symptom.service
    if mechanism.scope == "entry":  # the whole system is under load; what gives way is what was noticed
        return scene.symptom.service if scene.symptom.service in scene.failing else anchor.service
    return anchor.service


def _circumstances(scene: Scene, mechanism: Mechanism, anchors: list[TraitSeen]) -> list[Claim]:
    found: list[Claim] = []
    if mechanism.scope == "trend":
        found.extend(_trend(scene, anchors))
    if mechanism.scope == "entry":
        found.extend(demand(scene))
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
