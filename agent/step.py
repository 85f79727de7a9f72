"""What a node is: it hands back a `Step`, stops when asked to, is timed, and tells its entries once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter
from typing import Any, TypeVar

from langgraph.runtime import Runtime

from agent.investigation import Investigation
from agent.store import TimelineDraft
from agent.time_limit import Stopped

S = TypeVar("S")


@dataclass(frozen=True)
class Step:
    """What a node hands back: fields of the state, and what it adds to the timeline, its headline first."""

    changes: dict[str, Any] = field(default_factory=dict[str, Any])
    entries: Sequence[TimelineDraft] = ()


def as_node(
    work: Callable[[S, Investigation], Step], name_of: Callable[[S], str] | None = None
) -> Callable[..., dict[str, Any]]:
    """A node of the graph around `work`, named after the function, or by `name_of` for the branches of a fan-out.

    A node that a crash interrupted runs again from its top. Its entries carry keys made of the node's name and their
    order, so that the second run adds none that the first already wrote.
    """

    def node(state: S, runtime: Runtime[Investigation]) -> dict[str, Any]:
        desk = runtime.context
        if desk.stop.is_set():
            raise Stopped
        name = work.__name__ if name_of is None else name_of(state)
        started = perf_counter()
        done = work(state, desk)
        seconds = perf_counter() - started
        desk.tell(
            [
                draft.model_copy(
                    update={
                        "node": work.__name__,
                        "key": f"{desk.round.prefix}{name}:{position}",
                        "took": timedelta(seconds=seconds) if position == 0 else None,
                    }
                )
                for position, draft in enumerate(done.entries)
            ]
        )
        return {**done.changes, "seconds": {name: seconds}}

    return node
