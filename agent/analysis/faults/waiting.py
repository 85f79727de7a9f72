"""Whose waiting and whose failures are its own, and whose are only passed on.

The excess of a caller contains that of its callees. What is left after theirs is taken off is its own. Where nobody
knows who calls whom, the innermost of several services with the same excess is the one that was quickest before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import networkx as nx

from agent.analysis.faults.fault import GATE, Fault, beyond_noise
from agent.analysis.observed import Excess
from agent.figures import quantity
from agent.incident import Claim, FaultKind, GoldenSignal
from tools.evidence import TimeWindow, evidence_id

CALLERS_VIEW = re.compile(r"(?:^|[_\W])(?:client|remote|upstream|outbound|egress)$", re.IGNORECASE)
"""Nodes that stand for how a caller sees somebody else; they are slow when the other one is."""
BEYOND_FROM: Mapping[GoldenSignal, float] = {GoldenSignal.LATENCY: 4.5, GoldenSignal.ERRORS: 3.5}
"""Excess in noises from which it counts: at least four failures where there were none. Latency has the longer tail."""
FELT: Mapping[GoldenSignal, float] = {GoldenSignal.LATENCY: 0.02, GoldenSignal.ERRORS: 0.0005}
"""Share of what is usual at the symptom that an excess has to reach, to be felt there at all."""
PART_OF = r"(?:::|[/.:])\w"
"""How names of parts go on after the name of the whole."""
GUESSED = 0.8
"""What each place of an order that was guessed is worth beside the one before it."""
SAME = 0.5
"""Services within this share of the largest excess may carry the same one."""


def waiting_faults(
    excesses: Sequence[Excess], graph: nx.DiGraph[str], symptom: str, golden: GoldenSignal, window: TimeWindow
) -> list[Fault]:
    """One fault per service with an excess of its own in latency or errors.

    `symptom` is the service that the alert is about, `golden` the signal.
    """
    found: list[Fault] = []
    waiting = {x.service: x.usual for x in excesses if x.golden is GoldenSignal.LATENCY}
    for signal in (GoldenSignal.LATENCY, GoldenSignal.ERRORS):
        of = {x.service: x for x in excesses if x.golden is signal}
        felt = FELT[signal] * (of[symptom].usual if symptom in of else 0.0)
        moved = {s: x for s, x in of.items() if x.amount > max(BEYOND_FROM[signal] * x.noise, felt)}
        if moved:
            factor = 1.0 if signal is golden else 0.5
            known = any(graph.degree(s) for s in moved if s in graph)
            own = _own(moved, graph) if known else _innermost(moved, waiting)
            found += _faults(moved, own, factor, window)
    return found


def _faults(moved: Mapping[str, Excess], own: Mapping[str, float], factor: float, window: TimeWindow) -> list[Fault]:
    largest = max((x.amount for x in moved.values()), default=0.0)
    found: list[Fault] = []
    for service, amount in own.items():
        if amount <= 0:
            continue
        excess = moved[service]
        score = factor * (beyond_noise(min(amount, excess.amount), excess.noise) + GATE * amount / largest)
        claim = _claim(excess, amount, score, window)
        found.append(_fault(excess, score, claim))
    return found


def _own(moved: Mapping[str, Excess], graph: nx.DiGraph[str]) -> dict[str, float]:
    """What is left of each service's excess when that of its callees is taken off.

    A callee that nobody called before is its caller's doing, and a caller's view explains nothing; neither is a cause.
    """
    found: dict[str, float] = {}
    for service, excess in moved.items():
        if _is_hearsay(excess):
            continue
        callees = graph.successors(service) if service in graph else ()
        passed_on = sum(moved[c].amount for c in callees if c in moved and not _is_hearsay(moved[c]))
        found[service] = excess.amount - passed_on
    return found


def _is_hearsay(excess: Excess) -> bool:
    return excess.new or CALLERS_VIEW.search(excess.service) is not None


def _innermost(moved: Mapping[str, Excess], waiting: Mapping[str, float]) -> dict[str, float]:
    """Without a graph: of those that carry about the same excess, the one that ordinarily takes the least time.

    What is called takes a part of the time of what calls it, so the innermost is the quickest. What is named as a part
    of another (`store` and `store::table`) is inside it. A guess, and weighed as one.
    """
    real = {s: x for s, x in moved.items() if not _is_hearsay(x)}
    largest = max((x.amount for x in real.values()), default=0.0)
    same = sorted(
        (x for x in real.values() if x.amount >= SAME * largest),
        key=lambda x: (waiting.get(x.service, x.usual), x.service),
    )
    inner = [x.service for x in same]
    for part in sorted(inner, key=len):
        whole = next((s for s in inner if s != part and re.match(re.escape(s) + PART_OF, part)), None)
        if whole is not None and inner.index(whole) < inner.index(part):
            inner.remove(part)
            inner.insert(inner.index(whole), part)
    return {service: GUESSED ** (place + 1) * largest for place, service in enumerate(inner)}


def _fault(excess: Excess, score: float, claim: Claim) -> Fault:
    slow = excess.golden is GoldenSignal.LATENCY
    return Fault(
        service=excess.service,
        mechanism="located_slowness" if slow else "located_failures",
        kind=FaultKind.UNKNOWN,
        score=score,
        claims=(claim,),
        since=excess.since,
        metric=str(excess.query.arguments["metric"]),
    )


def _claim(excess: Excess, own: float, score: float, window: TimeWindow) -> Claim:
    if excess.golden is GoldenSignal.LATENCY:
        total, rest = quantity(excess.amount, "s"), quantity(min(own, excess.amount), "s")
        text = f"requests to {excess.service} waited {total} longer than usual, {rest} of it not for its callees"
    else:
        total, rest = quantity(excess.amount), quantity(min(own, excess.amount))
        text = f"{total} more requests to {excess.service} failed than usual, {rest} of them not through its callees"
    return Claim(text=text, evidence=(evidence_id(excess.query, window),), weight=score)
