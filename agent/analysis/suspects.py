"""Cause or victim: which service's failure is not explained by another's.

A service whose slowness or errors follow from a failing callee is a victim; the deepest unexplained failure on the way
to the symptom is where the incident began. A callee whose work is only cancelled by its caller does not fail by
itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent.analysis.scene import DESCRIPTIVE_TRAITS, SPECIFIC, TOLERANCE, Scene
from agent.analysis.traits import TraitSeen
from agent.incident import Claim

FIRST = 2.0
"""Nats for being the first to fail; halves every `FADE_MINUTES`, because onsets of victims follow within minutes."""
FADE_MINUTES = 4.0
EXPLAINED = -2.5
"""A failing callee explains a caller's failure."""
CUT_OFF = -2.0
"""Everything that fails here was cancelled by the caller."""
PAGED = 0.5
"""The service the monitor is about; a small advantage, because the loudest service is often a victim."""
INTRINSIC = 0.5
"""Share of a specific trait's weight that it gives to the service that shows it."""
APART = -3.0
UNCONNECTED = -1.2
"""No way leads from it to the symptom; none is known."""


@dataclass(frozen=True)
class Suspect:
    """One failing service and how well it explains the rest."""

    service: str
    onset: datetime
    score: float
    claims: tuple[Claim, ...]
    traits: tuple[TraitSeen, ...]


def suspects(scene: Scene) -> list[Suspect]:
    """All failing services, the likeliest origin first."""
    found = [_suspect(scene, s) for s in scene.failing]
    return sorted(found, key=lambda s: (-s.score, s.onset, s.service))


def _suspect(scene: Scene, service: str) -> Suspect:
    own = [t for t in scene.traits if t.service == service and t.trait not in DESCRIPTIVE_TRAITS]
    onset = scene.failing[service][0].onset
    claims = [
        c
        for c in (
            _first(scene, service, onset),
            _explained(scene, service, onset),
            _cut_off(own),
            _apart(scene, service),
        )
        if c
    ]
    claims.extend(_intrinsic(scene, own))
    paged = PAGED if service == scene.symptom.service else 0.0
    return Suspect(service, onset, sum(c.weight for c in claims) + paged, tuple(claims), tuple(own))


def _first(scene: Scene, service: str, onset: datetime) -> Claim:
    first = min(signals[0].onset for signals in scene.failing.values())
    minutes = (onset - first).total_seconds() / 60
    signal = scene.failing[service][0]
    return Claim(
        text=f"{service} begins to fail at {onset:%H:%M:%S}",
        evidence=(signal.evidence,),
        weight=FIRST * 0.5 ** (minutes / FADE_MINUTES),
    )


def _explained(scene: Scene, service: str, onset: datetime) -> Claim | None:
    """A callee that failed no later, on its own account, explains this service."""
    if service not in scene.graph:
        return None
    for callee in sorted(scene.graph.successors(service)):
        signals = scene.failing.get(callee)
        if not signals or signals[0].onset > onset + TOLERANCE + signals[0].onset_uncertainty:
            continue
        theirs = [t for t in scene.traits if t.service == callee and t.trait not in DESCRIPTIVE_TRAITS]
        if _only_cancelled(theirs):
            continue
        return Claim(
            text=f"{service} calls {callee}, which fails too", evidence=(signals[0].evidence,), weight=EXPLAINED
        )
    return None


def _cut_off(own: list[TraitSeen]) -> Claim | None:
    if not _only_cancelled(own):
        return None
    seen = next(t for t in own if t.trait == "cancelled_by_caller")
    return Claim(
        text=f"{seen.service} is cut off by its caller: {seen.text}", evidence=(seen.evidence,), weight=CUT_OFF
    )


def _only_cancelled(own: list[TraitSeen]) -> bool:
    """Cancelled work, and nothing but what cancelling itself produces."""
    kinds = {t.trait for t in own}
    return "cancelled_by_caller" in kinds and kinds <= {
        "cancelled_by_caller",
        "error_rate_up",
        "deadline_exceeded",
        "latency_up",
    }


def _apart(scene: Scene, service: str) -> Claim | None:
    """No way from the symptom to the service, or none known although the symptom's own calls are."""
    relation = scene.relation(service, scene.symptom.service)
    weight = {"apart": APART, "unknown": UNCONNECTED if scene.graph.degree(scene.symptom.service) else 0.0}.get(
        relation
    )
    if not weight:
        return None
    signal = scene.failing[service][0]
    return Claim(text=f"no call leads from the symptom to {service}", evidence=(signal.evidence,), weight=weight)


def first_failing(scene: Scene, ranked: list[Suspect], accused: str | None) -> str | None:
    """The service that failed first: the accused one if it failed as early as anybody, else the likeliest origin."""
    if not ranked:
        return None
    origin = ranked[0]
    own = next((s for s in ranked if s.service == accused), None)
    if own is not None and own.onset <= origin.onset + TOLERANCE:
        return own.service
    return origin.service


def _intrinsic(scene: Scene, own: list[TraitSeen]) -> list[Claim]:
    """Specific traits that are about the service itself rather than about a peer that fails."""
    found: dict[str, Claim] = {}
    for seen in sorted(own, key=lambda t: -t.weight * t.strength):
        about_peer = seen.peer is not None and seen.peer in scene.failing and seen.peer != seen.service
        if seen.weight >= SPECIFIC and not about_peer:
            weight = INTRINSIC * seen.weight * seen.strength
            found.setdefault(seen.evidence, Claim(text=seen.text, evidence=(seen.evidence,), weight=weight))
    return list(found.values())[:4]
