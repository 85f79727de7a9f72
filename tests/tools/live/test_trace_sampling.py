from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tools.evidence import Source, TimeWindow, ToolError
from tools.live.errands import Errands
from tools.live.notebook import Notebook
from tools.live.span_rows import Span
from tools.live.trace_sampling import ENOUGH, STRETCHES, Sampler, Trace, stretches_of

SINCE = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
WINDOW = TimeWindow(since=SINCE, until=SINCE + timedelta(hours=2))


class Held:
    """A backend that holds so many traces of a service per second, 1 in 50 of them failed, and remembers what it was asked."""

    def __init__(self, before: float, after: float, broke: datetime) -> None:
        self.asked: Counter[tuple[str, bool]] = Counter()
        self.per_second = (before, after)
        self.broke = broke

    def search(self, service: str, stretch: TimeWindow, limit: int, failed: bool) -> dict[str, Trace]:
        self.asked[service, failed] += 1
        rate = self.per_second[stretch.since >= self.broke]
        count = int(rate * stretch.length.total_seconds()) // (50 if failed else 1)
        first = int(stretch.since.timestamp())
        names = [f"{service}-{'failed' if failed else 'any'}-{first}-{n}" for n in range(min(limit, count))]
        return {name: self.trace(name, service, stretch) for name in names}

    @staticmethod
    def trace(name: str, service: str, stretch: TimeWindow) -> Trace:
        start = int(stretch.since.timestamp() * 1e6)
        return [Span(name, f"{name}-{each}", "", each, "op", start, 1.0) for each in (service, "db")]


def sampler(held: Held, notes: Notebook, most: int = 1_200) -> Sampler:
    return Sampler(held.search, Errands(notes, 20.0), most)


def test_stretches_cover_the_window_without_a_gap() -> None:
    stretches = stretches_of(WINDOW)
    assert len(stretches) == STRETCHES
    assert (stretches[0].since, stretches[-1].until) == (WINDOW.since, WINDOW.until)
    assert all(one.until == next_one.since for one, next_one in pairwise(stretches))


def test_a_window_of_a_microsecond_is_one_stretch() -> None:
    short = TimeWindow(since=SINCE, until=SINCE + timedelta(microseconds=1))
    assert stretches_of(short) == [short]


def test_a_surge_does_not_change_how_much_is_read() -> None:
    held, notes = Held(1.0, 100.0, SINCE + timedelta(hours=1)), Notebook()
    found = sampler(held, notes).read(["web"], WINDOW)
    per_stretch = Counter(name.split("-")[2] for name in found.traces if "any" in name)
    assert set(per_stretch.values()) == {100}
    assert found.full == STRETCHES
    assert "the same number in each of 12 stretches" in found.words


def test_failed_traces_are_added_where_there_are_more_in_every_stretch_alike() -> None:
    held = Held(1.0, 1.0, SINCE)
    found = sampler(held, Notebook()).read(["web"], WINDOW)
    per_stretch = Counter(name.split("-")[2] for name in found.traces if "failed" in name)
    assert len(per_stretch) == STRETCHES
    assert len(set(per_stretch.values())) == 1
    assert held.asked == {("web", False): STRETCHES, ("web", True): STRETCHES}


def test_all_there_is_needs_no_words() -> None:
    held = Held(0.01, 0.01, SINCE)
    found = sampler(held, Notebook()).read(["web", "db"], WINDOW)
    assert found.words == ""
    assert ("web", True) not in held.asked


def test_a_service_that_was_seen_enough_is_not_asked_for() -> None:
    held = Held(1.0, 1.0, SINCE)
    sampler(held, Notebook()).read(["web", "db"], WINDOW)
    assert ("db", False) not in held.asked


def test_a_service_of_its_own_is_seen_even_when_the_budget_is_spent() -> None:
    held = Held(1.0, 1.0, SINCE)
    found = sampler(held, Notebook(), 240).read(["web", "worker"], WINDOW)
    own = [name for name in found.traces if name.startswith("worker-any")]
    assert len(own) == ENOUGH * STRETCHES


def test_a_search_that_fails_is_a_note() -> None:
    held, notes = Held(0.01, 0.01, SINCE), Notebook()

    def search(service: str, stretch: TimeWindow, limit: int, failed: bool) -> dict[str, Trace]:
        if stretch.since == SINCE:
            raise ToolError(Source.TRACES, "broke off")
        return held.search(service, stretch, limit, failed)

    Sampler(search, Errands(notes, 20.0), 1_200).read(["web"], WINDOW)
    assert "traces of web are missing in part: 1 of 12 questions failed: broke off" in str(list(notes))
