"""Which traces are read when a backend holds more than can be: the same number in every stretch of the window.

Tracing backends answer a search with some traces, often the latest, and do not say how many there are. So the window is
cut into equal stretches and each is asked for the same number of traces of a service: what happened in a stretch never
decides how much of it is read, or a busy minute would look like a change. Where a search came back full, traces with an
error are asked for in addition, in every stretch alike, because a rare failure may be missing among the others; shares of
errors are then too high by the same rule before and after, which the note says. Slow traces are not picked: durations
of a fair sample tell a shift, durations of picked traces tell how they were picked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

from tools.evidence import TimeWindow
from tools.live.errands import Errands
from tools.live.span_rows import Span

STRETCHES = 12
"""Of a window: five to ten minutes each in the usual one, so that an onset lies between two of them."""
ENOUGH = 20
"""Traces of a service in every stretch beyond which it is not asked for by name: it was seen with its callers."""
FAILED_PART = 4
"""For so many traces of a full search one with an error is asked for in addition."""

Trace = Sequence[Span]
Search = Callable[[str, TimeWindow, int, bool], dict[str, Trace]]
"""Service, stretch, most traces, only those with an error -> whole traces by id. Raises ToolError."""


@dataclass
class Sampled:
    """What was read."""

    traces: dict[str, Trace] = field(default_factory=dict[str, Trace])
    full: int = 0
    """Searches that held more than was asked for."""
    searches: int = 0

    @property
    def words(self) -> str:
        """What a reader has to know of a sample; "" when everything was read."""
        if not self.full:
            return ""
        return (
            f"read {len(self.traces):,} traces, the same number in each of {STRETCHES} stretches of the window: of "
            f"{self.full} of {self.searches} searches there were more. Rates of requests cannot be told from them, and "
            "where errors are rare their share is too high, before and after alike"
        )


@dataclass(frozen=True)
class Sampler:
    """Reads traces of many services within a budget of traces."""

    search: Search
    errands: Errands
    most_traces: int

    def read(self, services: Sequence[str], window: TimeWindow) -> Sampled:
        """Traces of the services, asked for in their order until the others were seen often enough with them."""
        stretches = stretches_of(window)
        found = Sampled()
        seen: list[dict[str, set[str]]] = [{} for _ in stretches]
        per_stretch = max(ENOUGH, self.most_traces // len(stretches))
        for service in services:
            if all(len(of_stretch.get(service, ())) >= ENOUGH for of_stretch in seen):
                continue
            spent = max(len(set[str]().union(*of_stretch.values())) for of_stretch in seen)
            limit = max(ENOUGH, per_stretch - spent)
            full = self._read_all(service, stretches, limit, found, seen, only_failed=False)
            if full:
                self._read_all(service, stretches, max(1, limit // FAILED_PART), found, seen, only_failed=True)
        return found

    def _read_all(
        self,
        service: str,
        stretches: Sequence[TimeWindow],
        limit: int,
        found: Sampled,
        seen: list[dict[str, set[str]]],
        *,
        only_failed: bool,
    ) -> int:
        """Search every stretch for one service; returns how many searches came back full."""

        def ask(place: int) -> tuple[int, dict[str, Trace]]:
            return place, self.search(service, stretches[place], limit, only_failed)

        questions = [lambda place=place: ask(place) for place in range(len(stretches))]
        full = 0
        for place, traces in self.errands.run(questions, f"traces of {service} are missing in part"):
            found.traces |= {trace: spans for trace, spans in traces.items() if trace not in found.traces}
            full += len(traces) >= limit
            for trace, spans in traces.items():
                for name in {span.service for span in spans}:
                    seen[place].setdefault(name, set()).add(trace)
        if not only_failed:
            found.full += full
            found.searches += len(stretches)
        return full


def stretches_of(window: TimeWindow) -> list[TimeWindow]:
    """The window in STRETCHES equal parts, or as many as it has microseconds."""
    parts = max(1, min(STRETCHES, window.length // timedelta(microseconds=1)))
    step = window.length / parts
    edges = [window.since + step * place for place in range(parts)] + [window.until]
    return [TimeWindow(since=since, until=until) for since, until in pairwise(edges)]
