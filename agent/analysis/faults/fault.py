"""A fault that was located: which service is broken, and how, whoever or whatever broke it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from agent.incident import Claim, FaultKind

GATE = 4.0
"""Nats for a fault that is complete (a processor fully taken, every call delayed); a part of it gives a part of them."""


@dataclass(frozen=True)
class Fault:
    """One service under one kind of fault; `score` in nats against ordinary noise."""

    service: str
    mechanism: str
    """Id of a located mechanism of the catalogue."""
    kind: FaultKind
    score: float
    claims: tuple[Claim, ...]
    since: datetime
    metric: str | None = None
    region: str | None = None


def beyond_noise(deviation: float, noise: float) -> float:
    """Nats for a deviation of so many noises. It grows with the logarithm only: tails are never as thin as they look."""
    return math.log1p(max(0.0, deviation) / noise)
