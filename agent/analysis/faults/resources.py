"""Resources that a service uses far more of than it did: processor, memory, disk, connections.

Absolute limits mislead both ways (a service may idle at 65% of its processor), so a level is held against its own
noise; but it also has to matter, or a move from 0.5% to 2% would outshine a saturated processor.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from agent.analysis.faults.fault import GATE, Fault, beyond_noise
from agent.analysis.metrics.departure import LARGEST_SIZE
from agent.analysis.metrics.naming import is_trifling, words_of
from agent.analysis.observed import Level
from agent.figures import quantity
from agent.incident import Claim, FaultKind, Resource

KINDS: Mapping[Resource, tuple[FaultKind, str]] = {
    Resource.CPU: (FaultKind.CPU, "located_cpu"),
    Resource.MEMORY: (FaultKind.MEMORY, "located_memory"),
    Resource.DISK: (FaultKind.DISK, "located_disk"),
    Resource.CONNECTIONS: (FaultKind.SOCKET, "located_socket"),
}
NOISE_SHARE = 0.1
"""No level is taken to be steadier than a tenth of itself: load alone moves it by that much from minute to minute."""
NOISE_POINTS = 1.0
"""Nor, for a utilisation, than one point of a hundred. Where there is no ceiling, a tenth of what the services of the
system ordinarily use of it takes the place of that point."""
SATURATED = 95.0
"""Percent at which a resource is used up, however restless it was before."""
MATTERS_FROM = 0.25
"""Share of the headroom (or of what stands for it) that has to be taken."""
TENFOLD = 10.0
"""A level without a known ceiling counts as fully taken when it is ten times what it was."""
SHARED = re.compile(r"(?:^|_)(?:node|host|machine)(?:_|$)")
SHARED_WORTH = 0.5
"""What a machine uses is used by all that runs on it; it says only half as much about one service."""
OLD_WORTH = 0.5
"""What a rise is still worth that had all happened before anybody was alerted."""
AS_MUCH = 0.5
"""Memory is the cause of what else is used when it is taken at least half as much."""
BEYOND_FROM = 3.0
"""Deviations in noises below this are everyday."""


@dataclass(frozen=True)
class _Use:
    level: Level
    deviation: float
    taken: float
    """0..1: how much of what was left is taken now."""

    @property
    def score(self) -> float:
        own = SHARED_WORTH if SHARED.search(words_of(self.level.metric)) else 1.0
        return own * self.news * (beyond_noise(self.deviation, 1.0) + GATE * self.taken)

    @property
    def news(self) -> float:
        """1 for a rise that came with the alert, less for one that had been there before."""
        level = self.level
        if level.high is None or level.recent is None or level.recent <= level.usual:
            return 1.0
        return max(OLD_WORTH, min(1.0, (level.high - level.recent) / (level.high - level.usual)))


def resource_faults(levels: Sequence[Level], since: datetime) -> list[Fault]:
    """One fault per service whose use of a resource grew so much that it matters."""
    fleet = _fleet(levels)
    used: dict[str, dict[Resource, _Use]] = defaultdict(dict)
    bounded = {(x.service, x.resource) for x in levels if x.unit == "%"}
    for level in sorted(levels, key=lambda x: (x.service, x.metric, x.evidence)):
        if level.unit != "%" and (level.service, level.resource) in bounded:
            continue  # the share of its limit says more than the amount
        use = _use(level, fleet.get(level.metric, 0.0))
        if use is None or level.resource is None:
            continue
        kept = used[level.service].get(level.resource)
        if kept is None or use.score > kept.score:
            used[level.service][level.resource] = use
    return [_fault(service, uses, since) for service, uses in sorted(used.items())]


def _use(level: Level, fleet: float) -> _Use | None:
    if level.resource not in KINDS or level.high is None or level.high <= level.usual:
        return None
    if is_trifling(level.metric, level.unit, level.high):
        return None
    percent = level.unit == "%"
    least = NOISE_POINTS if percent else NOISE_SHARE * fleet
    noise = max(level.usual_spread, NOISE_SHARE * abs(level.usual), least)
    if noise <= 0:
        return None
    deviation = min(LARGEST_SIZE, (level.high - level.usual) / noise) if noise >= sys.float_info.min else LARGEST_SIZE
    taken = _taken(level, fleet, percent=percent)
    saturated = percent and level.high >= SATURATED and deviation >= 1.0
    if (deviation < BEYOND_FROM and not saturated) or taken < MATTERS_FROM:
        return None
    return _Use(level, deviation, taken)


def _taken(level: Level, fleet: float, *, percent: bool) -> float:
    high = level.high or 0.0
    if percent:
        return min(1.0, (high - level.usual) / max(100.0 - level.usual, 1.0))
    if level.resource is Resource.MEMORY:
        # Bytes have no ceiling that is known here; what a service of this system ordinarily needs stands for it.
        return min(1.0, (high - level.usual) / max(fleet, level.usual, 1e-12))
    return min(1.0, (high / max(level.usual, NOISE_SHARE * fleet, 1e-12) - 1.0) / TENFOLD)


def _fleet(levels: Sequence[Level]) -> dict[str, float]:
    """What a service of this system ordinarily uses: the median over services, per metric."""
    used: dict[str, list[float]] = defaultdict(list)
    for level in levels:
        if level.resource in KINDS:
            used[level.metric].append(level.usual)
    return {metric: median(values) for metric, values in used.items()}


def _fault(service: str, uses: Mapping[Resource, _Use], since: datetime) -> Fault:
    """The resource that explains the others: filling memory costs processor time, burning that fills no memory."""
    chosen = max(uses, key=lambda r: (uses[r].score, r.value))
    memory = uses.get(Resource.MEMORY)
    if memory is not None and memory.taken >= AS_MUCH * uses[chosen].taken:
        chosen = Resource.MEMORY
    ordered = [uses[chosen], *(use for resource, use in uses.items() if resource is not chosen)]
    kind, mechanism = KINDS[chosen]
    return Fault(
        service=service,
        mechanism=mechanism,
        kind=kind,
        score=max(use.score for use in ordered),
        claims=tuple(_claim(use) for use in ordered),
        since=since,
        metric=uses[chosen].level.metric,
    )


def _claim(use: _Use) -> Claim:
    level = use.level
    was, now = (quantity(x, level.unit, level.metric) for x in (level.usual, level.high or level.after))
    text = f"{level.service} {level.metric} {was} to {now}, {use.deviation:.0f} times its ordinary variation"
    return Claim(text=text, evidence=(level.evidence,), weight=use.score)
