"""How much the evidence speaks for and against one change, in nats.

A change convicts only if what it changed can produce this fault: the mechanism is read from its diff and held against
the fault signature, the moment, the way through the call graph, the operating point and the names they share. Weights
of evidence add up (I. J. Good, Probability and the Weighing of Evidence, 1950): each claim carries the log-likelihood
ratio it contributes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta

from agent.analysis.catalogue import EditRule, Mechanism, mechanisms
from agent.analysis.demand import demand
from agent.analysis.edits import Edit, Inert
from agent.analysis.links import links
from agent.analysis.metrics.naming import words_of
from agent.analysis.operating_point import judge
from agent.analysis.scene import DESCRIPTIVE_TRAITS, SPECIFIC, TOLERANCE, Relation, Scene
from agent.analysis.traits import TraitSeen, clock, cut
from agent.incident import Claim
from tools.evidence import ChangeEvent, ChangeKind

INERT = -6.0
NOT_IN_EFFECT = -5.0
AFTER_ONSET = -7.0
"""A change that is inert, that nobody deployed or that came later cannot have done it, unless the data are wrong."""
PRECEDED = -4.0
"""Scaled by the share of the signature that was there before the change."""
UNEXPLAINED = 0.35
"""Share of a specific trait's weight that is lost when the mechanism does not produce it."""
SIGN_ABSENT = -1.5
TYPICAL = 0.9
"""None of the traits that are nearly as typical of the mechanism as its most typical one is seen."""
OCCASION = 0.7
"""Share of a surge's weight that a change gets which took away what the surge needs."""
COINCIDES = 1.4
"""Something of the signature moved at the very moment of the change."""
AT_ONCE_HALVES = timedelta(seconds=30)
"""How late, beyond its own uncertainty, a move may be for half of the weight: processes restart and flags are polled
within half a minute, and of two changes the one that a move follows closely is the likelier cause."""
NO_WAY = -1.5
"""The call graph is known and leads from the change to nothing that fails."""
UNREADABLE = -2.0
"""Without a diff there is no mechanism to convict by."""
FLAG = 0.5
"""A flag says that something was turned, but not what it turns."""
PATIENCE = {
    "instant": timedelta(minutes=10),
    "restart": timedelta(hours=1),
    "load": timedelta(hours=1),
    "slow": timedelta(hours=2),
}
"""How long a fault of each delay class may take to show before the delay itself speaks against the change."""
PER_DOUBLING = 0.6
REACH: dict[Relation, float] = {"self": 1.0, "callee": 0.9, "caller": 0.9, "peers": 0.6, "unknown": 0.5, "apart": 0.1}
OFF_PATH = 0.35
"""A trait on a relation that the mechanism does not name."""


@dataclass(frozen=True)
class Suspicion:
    """One change under one mechanism: its score, what speaks for and against, and the edit that shows it."""

    change: ChangeEvent
    mechanism: Mechanism | None
    edit: Edit | None
    score: float
    claims: tuple[Claim, ...]
    explained: tuple[TraitSeen, ...] = ()

    @property
    def speaks_for(self) -> tuple[Claim, ...]:
        return tuple(sorted((c for c in self.claims if c.weight > 0), key=lambda c: -c.weight))

    @property
    def speaks_against(self) -> tuple[Claim, ...]:
        return tuple(sorted((c for c in self.claims if c.weight < 0), key=lambda c: c.weight))


def suspect(scene: Scene, change: ChangeEvent) -> Suspicion:
    """The change under the mechanism that suits it best."""
    reading = scene.readings[change.id]
    general = [
        c for c in (_in_effect(scene, change), _moment(scene, change), _inert(scene, change, reading.inert)) if c
    ]
    shown = list(_mechanisms_of(change, reading.edits)) if reading.inert is None else []
    if not shown:
        against = Claim(
            text=_unread(change, reading.inert), evidence=(scene.change_evidence(change),), weight=UNREADABLE
        )
        claims = tuple(general if reading.inert else [*general, against])
        return Suspicion(change, None, None, sum(c.weight for c in claims), claims)
    options = [_under(scene, change, m, edit, strength, general) for m, edit, strength in shown]
    return max(options, key=lambda s: (s.score, s.mechanism.id if s.mechanism else ""))


def _unread(change: ChangeEvent, inert: Inert | None) -> str:
    if inert:
        return f"“{cut(change.title, 50)}”: {inert.value}"
    return "its diff is not at hand" if not change.diff else "its diff shows no mechanism of the catalogue"


def _mechanisms_of(change: ChangeEvent, edits: tuple[Edit, ...]) -> list[tuple[Mechanism, Edit | None, float]]:
    """Each mechanism that the change shows, with the edit that shows it most clearly."""
    found: list[tuple[Mechanism, Edit | None, float]] = []
    for mechanism in mechanisms().values():
        if change.kind in mechanism.shown_by:
            found.append((mechanism, None, FLAG * reached(change) if change.kind is ChangeKind.FLAG else 1.0))
        if mechanism.condition or mechanism.located:
            continue
        fits = [(rule.strength, edit) for rule in mechanism.edits for edit in edits if fit(rule, edit)]
        if fits:
            strength, edit = max(fits, key=lambda f: f[0])
            found.append((mechanism, edit, strength))
    return found


def reached(change: ChangeEvent) -> float:
    """The share of requests that a flag newly reaches: 10%->25% is 0.15; a switch without percentages reaches all."""
    percent = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*%\s*$")
    before, after = (percent.match(value or "") for value in (change.before, change.after))
    if after is None:
        return 1.0
    share = abs(float(after[1]) - (float(before[1]) if before else 0.0)) / 100
    return min(1.0, max(0.01, share))


def fit(rule: EditRule, edit: Edit) -> bool:
    """True when the edit is one of the facts that the rule describes."""
    if edit.kind not in rule.kind or (rule.loop and not edit.in_loop):
        return False
    if rule.section is not None and edit.section != rule.section:
        return False
    moved = {
        None: True,
        "lowered": edit.lowered,
        "raised": edit.raised,
        "changed": edit.before != edit.after,
        "gone": edit.before is not None and edit.after is None,
    }
    if not moved[rule.move]:
        return False
    if rule.name is not None and not rule.name.search(words_of(edit.name)):
        return False
    pairs = ((rule.path, edit.path), (rule.line, edit.line), (rule.source, edit.before), (rule.target, edit.after))
    return all(pattern is None or pattern.search((text or "").lower()) for pattern, text in pairs)


def _under(
    scene: Scene, change: ChangeEvent, mechanism: Mechanism, edit: Edit | None, strength: float, general: list[Claim]
) -> Suspicion:
    targets = scene.targets(change)
    claims = [*general, *_delay(scene, change, mechanism)]
    claims.append(_shown(scene, change, mechanism, edit, strength))
    signature, explained = _signature(scene, change, mechanism, targets)
    claims.extend(signature)
    claims.extend(_under_load(scene, mechanism))
    bites = judge(scene, targets, edit, mechanism.bites) if edit else None
    edits = scene.readings[change.id].edits
    claims.extend(c for c in (bites, _coincidence(scene, change, mechanism, targets), links(scene, change, edits)) if c)
    return Suspicion(change, mechanism, edit, sum(c.weight for c in claims), tuple(claims), explained)


def _under_load(scene: Scene, mechanism: Mechanism) -> list[Claim]:
    """Capacity that was taken away is missed when demand grows: the surge is then no rival but the occasion."""
    if not mechanism.under_load:
        return []
    return [c.model_copy(update={"weight": OCCASION * c.weight}) for c in demand(scene) if c.weight > 0]


def _shown(scene: Scene, change: ChangeEvent, mechanism: Mechanism, edit: Edit | None, strength: float) -> Claim:
    """The mechanism as the diff shows it: near-certain reading weighs nothing, a vague one costs."""
    moved = f" {change.before or ''} to {change.after or ''}" if change.before or change.after else ""
    what = f"“{cut(edit.line, 80)}” in {edit.path}" if edit else f"{change.kind} {change.title}{moved}"
    weight = math.log(strength) + (0.0 if mechanism.generic else 0.5)
    return Claim(text=f"{mechanism.title}: {what}", evidence=(scene.change_evidence(change),), weight=weight)


def _signature(
    scene: Scene, change: ChangeEvent, mechanism: Mechanism, targets: tuple[str, ...]
) -> tuple[list[Claim], tuple[TraitSeen, ...]]:
    """Each trait once, where it is clearest for this change: produced, unexplained or refuting."""
    claims: list[Claim] = []
    explained: list[TraitSeen] = []
    best: dict[str, tuple[float, TraitSeen]] = {}
    lost: dict[str, tuple[float, TraitSeen]] = {}
    for seen in scene.traits:
        reach = _reach(scene, mechanism, targets, seen)
        early = seen.onset < change.at - TOLERANCE - seen.onset_uncertainty
        produced = 0.0 if early else mechanism.produces.get(seen.trait, 0.0)
        gain = seen.weight * seen.strength * produced * reach
        if gain > best.get(seen.trait, (0.0, seen))[0]:
            best[seen.trait] = (gain, seen)
        elif not produced and seen.weight >= SPECIFIC and seen.trait not in DESCRIPTIVE_TRAITS:
            lost[seen.trait] = max(
                lost.get(seen.trait, (0.0, seen)),
                (seen.weight * seen.strength * _nearness(scene, seen), seen),
                key=lambda x: x[0],
            )
    for gain, seen in sorted(best.values(), key=lambda x: -x[0]):
        claims.append(Claim(text=seen.text, evidence=(seen.evidence,), weight=gain))
        explained.append(seen)
    for trait, (weight, seen) in sorted(lost.items()):
        if trait in best:
            continue
        factor = -1.0 if trait in mechanism.refutes else -UNEXPLAINED
        claims.append(Claim(text=f"does not explain: {seen.text}", evidence=(seen.evidence,), weight=factor * weight))
    typical = [t for t, p in mechanism.produces.items() if p >= TYPICAL * max(mechanism.produces.values())]
    if not any(t in best for t in typical):
        says = " and ".join(sorted(t.replace("_", " ") for t in typical))
        text = f"its typical sign ({says}) is not seen"
        claims.append(Claim(text=text, evidence=(scene.change_evidence(change),), weight=SIGN_ABSENT))
    return claims, tuple(explained)


def _nearness(scene: Scene, seen: TraitSeen) -> float:
    """Traits far from the symptom in the graph are somebody else's trouble more often."""
    relation = scene.relation(scene.symptom.service, seen.service)
    return {"self": 1.0, "callee": 1.0, "caller": 0.8, "unknown": 0.6, "peers": 0.5, "apart": 0.3}[relation]


def _reach(scene: Scene, mechanism: Mechanism, targets: tuple[str, ...], seen: TraitSeen) -> float:
    """How well a trait at `seen.service` can come from one of the changed services."""
    if not targets:
        return REACH["unknown"]
    best = 0.0
    for position, target in enumerate(targets):
        relation = scene.relation(target, seen.service)
        named = (
            relation in mechanism.where
            or relation in {"self", "unknown"}
            or (relation == "caller" and seen.weight < SPECIFIC)
        )
        factor = REACH[relation] * (1.0 if named else OFF_PATH) * (1.0 if position == 0 else 0.85)
        best = max(best, factor)
    return best


def _in_effect(scene: Scene, change: ChangeEvent) -> Claim | None:
    if change.in_effect:
        return None
    return Claim(text="no deploy carried it", evidence=(scene.change_evidence(change),), weight=NOT_IN_EFFECT)


def _inert(scene: Scene, change: ChangeEvent, inert: Inert | None) -> Claim | None:
    if inert is None:
        return None
    return Claim(text=inert.value, evidence=(scene.change_evidence(change),), weight=INERT)


def _moment(scene: Scene, change: ChangeEvent) -> Claim | None:
    """After the onset, or after a share of the failures had already begun."""
    if change.at > scene.onset + scene.onset_uncertainty + TOLERANCE:
        text = f"it took effect at {clock(change.at)}, after the symptom began at {clock(scene.onset)}"
        return Claim(text=text, evidence=(scene.change_evidence(change),), weight=AFTER_ONSET)
    failures = [t for t in scene.traits if t.trait not in DESCRIPTIVE_TRAITS and t.trait != "provider_declares"]
    weighed = [(t, t.weight * t.strength * _nearness(scene, t)) for t in failures]
    early = [(t, w) for t, w in weighed if t.onset < change.at - TOLERANCE - t.onset_uncertainty]
    total = sum(w for _, w in weighed)
    if not early or not total:
        return None
    share = sum(w for _, w in early) / total
    first = max(early, key=lambda x: x[1])[0]
    return Claim(
        text=f"before it, at {clock(first.onset)}: {first.text}",
        evidence=(scene.change_evidence(change), first.evidence),
        weight=PRECEDED * share,
    )


def _delay(scene: Scene, change: ChangeEvent, mechanism: Mechanism) -> list[Claim]:
    """The time from the change to the first of its signs, against the patience of its delay class."""
    waited = scene.onset - change.at
    patience = PATIENCE[mechanism.delay]
    if waited <= patience:
        return []
    weight = -PER_DOUBLING * math.log2(waited / patience)
    minutes = waited.total_seconds() / 60
    text = f"it was in effect for {minutes:.0f} minutes before the symptom began"
    return [Claim(text=text, evidence=(scene.change_evidence(change),), weight=max(weight, -3.0))]


def _at_once(gap: timedelta, seen: TraitSeen) -> float:
    late = max(timedelta(0), gap - seen.onset_uncertainty)
    return 0.5 ** (late / AT_ONCE_HALVES)


def _coincidence(scene: Scene, change: ChangeEvent, mechanism: Mechanism, targets: tuple[str, ...]) -> Claim | None:
    """A lasting move of the signature that begins with the change, at the changed service or next to it."""
    best: tuple[float, TraitSeen] | None = None
    for seen in scene.traits:
        gap = seen.onset - change.at
        if not -(seen.onset_uncertainty + timedelta(seconds=30)) <= gap <= TOLERANCE + seen.onset_uncertainty:
            continue
        produced = mechanism.produces.get(seen.trait, 0.0)
        weight = COINCIDES * produced * seen.strength * _reach(scene, mechanism, targets, seen) * _at_once(gap, seen)
        if weight > 0.2 and (best is None or weight > best[0]):
            best = (weight, seen)
    if best is None:
        return None
    weight, seen = best
    return Claim(
        text=f"{seen.text}, the moment it took effect ({clock(change.at)})",
        evidence=(seen.evidence, scene.change_evidence(change)),
        weight=weight,
    )
