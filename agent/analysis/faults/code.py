"""Code that goes another way: an exception, a wrong value, a step that is skipped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import log1p

from agent.analysis.faults.fault import Fault
from agent.analysis.observed import PathBreak
from agent.analysis.traits import cut
from agent.incident import Claim, FaultKind
from tools.evidence import TimeWindow, evidence_id

NOTICED_ONLY = 0.25
"""Share of its weight that a break keeps when in every trace something broke elsewhere before it."""
PER_LOG = 2.2
"""Nats per e-fold of the statistic. Lines of one request are not independent, so that the statistic itself overstates."""
TOLD = 3


def code_faults(breaks: Sequence[PathBreak], window: TimeWindow) -> list[Fault]:
    """One fault per service whose requests leave their usual path."""
    by_service: dict[str, list[PathBreak]] = defaultdict(list)
    for one in breaks:
        by_service[one.service].append(one)
    return [_fault(service, own, window) for service, own in sorted(by_service.items())]


def _fault(service: str, own: list[PathBreak], window: TimeWindow) -> Fault:
    own = sorted(own, key=lambda b: (-_weight(b), b.step))
    worst = own[0]
    kind = FaultKind.CODE_EXCEPTION if worst.raised else FaultKind.WRONG_RETURN
    return Fault(
        service=service,
        mechanism=f"located_{kind.value}",
        kind=kind,
        score=_weight(worst),
        claims=tuple(_claim(b, window) for b in own[:TOLD]),
        since=worst.since,
        region=f"between “{worst.step}” and “{worst.usual}”",
    )


def _weight(one: PathBreak) -> float:
    return PER_LOG * log1p(max(0.0, one.strength) * (NOTICED_ONLY + (1 - NOTICED_ONLY) * one.first))


def _claim(one: PathBreak, window: TimeWindow) -> Claim:
    instead = f"“{cut(one.instead, 60)}” follows" if one.instead else "the path ends"
    text = (
        f"{one.service}: after “{cut(one.step, 60)}” {instead} in {one.instead_after:.0%} of {one.count_after} requests "
        f"({one.instead_before:.0%} before) instead of “{cut(one.usual, 60)}”"
    )
    return Claim(text=text, evidence=(evidence_id(one.query, window),), weight=_weight(one))
