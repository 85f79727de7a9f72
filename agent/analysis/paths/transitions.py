"""What was done, event by event: after which step of a request came what."""

from __future__ import annotations

from dataclasses import dataclass

from agent.analysis.paths.stretches import Ints


@dataclass(frozen=True)
class Transitions:
    """Events in any order. Two of one `group` had the choice between the same followers."""

    at: Ints
    """When the step was taken, microseconds since 1970."""
    done: Ints
    """When what followed was there, or when it was certain that nothing would."""
    trace: Ints
    """Code of the trace, the same in all tables."""
    group: Ints
    follower: Ints

    def __len__(self) -> int:
        return len(self.at)
