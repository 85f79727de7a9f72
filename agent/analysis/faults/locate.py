"""Where is it broken? Each kind of fault is looked for where it shows; the clearest leads.

A fault shows in one kind of telemetry and hardly in the others, so averaging would bury it: the strength of the
evidence decides between kinds, and only then are services compared within a kind. A resource that runs out explains
the slow calls and broken paths of its own service, so those are not weighed against it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from agent.analysis.faults.code import code_faults
from agent.analysis.faults.fault import Fault
from agent.analysis.faults.network import network_faults
from agent.analysis.faults.resources import resource_faults
from agent.analysis.faults.waiting import waiting_faults
from agent.analysis.scene import Scene
from agent.incident import FaultKind

EXPLAINS_FROM = 4.0
"""Nats from which a resource fault explains what else is odd about its service."""
SLOWS = frozenset({FaultKind.CPU, FaultKind.DISK})
"""What makes calls slow when it runs short. Memory and connections also pile up because calls are slow."""
CONFIRMS = 0.3
"""Share of the weight that other kinds of evidence add to the leading one of the same service."""


def locate(scene: Scene) -> list[Fault]:
    """One fault per service that shows one, the clearest first."""
    seen = scene.observations
    resources = resource_faults(seen.levels, scene.onset)
    explained = {f.service for f in resources if f.kind in SLOWS and f.score >= EXPLAINS_FROM}
    found = [
        *resources,
        *network_faults(seen.calls, explained, seen.window),
        *code_faults(seen.breaks, seen.window),
        *waiting_faults(seen.excesses, scene.graph, scene.symptom.service, scene.symptom.signal, seen.window),
    ]
    by_service: dict[str, list[Fault]] = defaultdict(list)
    for fault in found:
        by_service[fault.service].append(fault)
    return sorted(map(_together, by_service.values()), key=lambda f: (-f.score, f.service))


def _together(faults: list[Fault]) -> Fault:
    """The clearest fault of one service, confirmed by whatever else is odd about it."""
    leading, *others = sorted(faults, key=lambda f: (-f.score, f.mechanism))
    claims = (*leading.claims, *(claim for fault in others for claim in fault.claims))
    return replace(leading, score=leading.score + CONFIRMS * sum(f.score for f in others), claims=claims)
