"""Whether an incident is worth an investigation unasked: pure. Whatever is skipped says why and what it would have cost.

Nothing is hidden by it: the incident is there, and a person can have it investigated.
"""

from __future__ import annotations

from datetime import timedelta

from agent.intake.noise import FLAPS_WITHIN, NOISY, History
from tools.evidence import Frozen

CRITICAL = frozenset({"critical", "page", "emergency", "fatal", "p1", "sev1", "high", "error"})
"""Monitors' own words for what wakes people up. Such an alert is investigated however noisy its monitor was."""


class Cost(Frozen):
    """What an investigation takes here: medians of the latest ones; None before there was any."""

    seconds: float | None = None
    tool_calls: int | None = None

    @property
    def words(self) -> str:
        if self.seconds is None or self.tool_calls is None:
            return "the first investigation here, so nobody knows what it takes"
        return f"about {timedelta(seconds=round(self.seconds))} of work and {self.tool_calls} queries"


class Gate(Frozen):
    """The word on one incident."""

    investigate: bool
    because: str


def decide(severity: str, history: History, started_lately: int, most_per_hour: int, cost: Cost) -> Gate:
    """Whether to investigate an incident that an alert has just opened or brought back.

    `started_lately` investigations began within the last hour, `most_per_hour` may.
    """
    if started_lately >= most_per_hour:
        return _skipped(f"{started_lately} investigations began within the last hour, {most_per_hour} may", cost)
    if not history.seen:
        return Gate(investigate=True, because="the first alert of this name that whydown has seen")
    if history.flaps:
        times = f"{history.lately + 1} times within {FLAPS_WITHIN.total_seconds() / 3600:.0f} h"
        return _skipped(f"it flaps: the same alert fired {times}", cost)
    if history.noise >= NOISY and severity.casefold() not in CRITICAL:
        return _skipped(f"its monitor is noisy: {history.words}", cost)
    return Gate(investigate=True, because="nothing speaks against it")


def _skipped(because: str, cost: Cost) -> Gate:
    return Gate(investigate=False, because=f"{because} (it would have taken {cost.words})")
