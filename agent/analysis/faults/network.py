"""Delay between services: calls that take longer for the caller than for the callee.

A delay at one service's network shows on all calls to it and from it, and on no others; that tells whose network it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from math import log1p

from agent.analysis.faults.fault import GATE, Fault, beyond_noise
from agent.analysis.observed import CallGap
from agent.figures import quantity
from agent.incident import Claim, FaultKind
from tools.evidence import TimeWindow, evidence_id

NOISE_MS = 0.5
NOISE_SHARE = 0.1
"""No gap is steadier than half a millisecond, or a tenth of itself."""
GROWN_FROM = 5.0
"""Growth in noises from which a gap counts as grown."""
DELAYED = 10.0
"""Times its usual duration by which a call grows that is delayed beyond doubt."""
FELT_FROM = 0.3
"""Share by which the whole call has to become slower through it."""


def network_faults(calls: Sequence[CallGap], explained: Set[str], window: TimeWindow) -> list[Fault]:
    """One fault per service whose calls have a grown gap; calls of `explained` services are left out on both ends."""
    calls = [c for c in calls if not {c.caller, c.callee} & explained]
    grown = {(c.caller, c.callee): c for c in calls if _is_grown(c)}
    if not grown:
        return []
    touching: dict[str, list[CallGap]] = defaultdict(list)
    for call in calls:
        touching[call.caller].append(call)
        touching[call.callee].append(call)
    whole = sum(map(_weight, grown.values()))
    found: list[Fault] = []
    for service, own in sorted(touching.items()):
        hit = [c for c in own if (c.caller, c.callee) in grown]
        if hit:
            share = sum(map(_weight, hit)) / whole
            gate = GATE * share * len(hit) / len(own) * max(map(_slowed, hit))
            found.append(_fault(service, hit, gate, window))
    return found


def _fault(service: str, hit: list[CallGap], gate: float, window: TimeWindow) -> Fault:
    hit = sorted(hit, key=lambda c: -_weight(c))
    return Fault(
        service=service,
        mechanism="located_network_delay",
        kind=FaultKind.NETWORK_DELAY,
        score=_weight(hit[0]) + gate,
        claims=tuple(_claim(c, window) for c in hit),
        since=min(c.since for c in hit),
    )


def _noise(call: CallGap) -> float:
    return max(call.spread, NOISE_MS, NOISE_SHARE * abs(call.before))


def _is_grown(call: CallGap) -> bool:
    growth = call.after - call.before
    usual = max(call.before, 0.0) + call.server_before
    return growth >= GROWN_FROM * _noise(call) and growth >= FELT_FROM * usual


def _slowed(call: CallGap) -> float:
    """0..1: how much slower the whole call became, in e-folds of what is a delay beyond doubt."""
    usual = max(call.before, 0.0) + call.server_before
    return min(1.0, log1p((call.after - call.before) / max(usual, NOISE_MS)) / log1p(DELAYED))


def _weight(call: CallGap) -> float:
    return beyond_noise(call.after - call.before, _noise(call))


def _claim(call: CallGap, window: TimeWindow) -> Claim:
    was, now = quantity(call.before, "ms"), quantity(call.after, "ms")
    server = quantity(call.server_after, "ms")
    text = f"{call.caller} waits {now} longer for {call.callee} than {call.callee} works ({server}); it was {was}"
    return Claim(text=text, evidence=(evidence_id(call.query, window),), weight=_weight(call))
