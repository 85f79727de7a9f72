"""What an investigation may spend: a nudge first, then a stop with what is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from agent.settings import Settings
from agent.state import IncidentState

NUDGE_AT = 0.8
"""Share of the budget after which only what claims already rest on is fetched, and nothing new is asked."""


@dataclass
class Budget:
    """Calls and working seconds of one investigation, those of earlier nodes included."""

    settings: Settings
    state: IncidentState
    calls: int = 0
    """Calls made by the present node."""
    _since: float = field(default_factory=monotonic)

    @property
    def used(self) -> float:
        """Share that is spent, of calls or of seconds, whichever is more."""
        seconds = self.state.working_seconds + monotonic() - self._since
        calls = self.state.tool_calls + self.calls
        return max(calls / self.settings.budget_tool_calls, seconds / self.settings.budget_seconds)

    @property
    def nudged(self) -> bool:
        return self.used >= NUDGE_AT

    @property
    def spent(self) -> bool:
        return self.used >= 1

    def __str__(self) -> str:
        return f"budget of {self.settings.budget_tool_calls} tool calls and {self.settings.budget_seconds:g} s"
