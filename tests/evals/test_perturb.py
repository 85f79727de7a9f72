from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from agent.errors import CallerError
from agent.parse_alert import parse_alert
from evals.perturb import PLAIN, Part, Variant, holds, perturbed, shifted, variant_of, variants_of, without
from evals.recordings import SUITE
from tools.evidence import Source
from tools.recorded import Recording, recorded_backend

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"
MINUTE = timedelta(minutes=1)


@cache
def whole() -> Recording:
    recording = SUITE.load(FIXTURES, "story-reads-time-out").recording
    assert all(holds(recording, part) for part in Part)
    return recording


@pytest.mark.parametrize("part", list(Part))
def test_a_part_that_is_taken_away_was_not_recorded(part: Part) -> None:
    worse = without(whole(), (part,))
    assert not holds(worse, part)
    assert all(holds(worse, other) for other in Part if other is not part)
    assert len(worse.missing) == len(whole().missing) + 1
    assert len(worse.notes) == len(whole().notes) + 1
    assert worse.window == whole().window
    assert worse.alert == whole().alert


def test_the_backend_says_that_it_is_not_there() -> None:
    backend = recorded_backend(without(whole(), (Part.LOGS, Part.TRACES, Part.GRAPH)))
    assert (backend.logs, backend.traces, backend.topology) == (None, None, None)
    assert backend.metrics is not None
    assert Source.TOPOLOGY in {source for source, _ in backend.notes}


def test_the_original_is_left_as_it_was() -> None:
    before = (whole().logs, dict(whole().alert))
    perturbed(whole(), Variant(without=(Part.LOGS,), shift=MINUTE))
    assert whole().logs is before[0]
    assert whole().alert == before[1]


@pytest.mark.parametrize("shift", [MINUTE, -MINUTE, timedelta(seconds=0.5)])
def test_the_alert_fires_later_or_earlier(shift: timedelta) -> None:
    moved = shifted(whole(), shift)
    assert parse_alert(moved.alert).fired_at == parse_alert(whole().alert).fired_at + shift
    assert moved.metrics is whole().metrics


def test_every_time_of_an_alert_moves_and_nothing_else() -> None:
    alert = {
        "service": "gate",
        "startsAt": "2026-04-01T10:20:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "observed": 1775038800,
        "day": "2026-04-01",
        "summary": "since 2026-04-01T10:20:00Z",
        "labels": {"first_seen": "2026-04-01 10:19:00+00:00", "zone": "a"},
        "samples": ["2026-04-01T10:18:00Z", 3],
    }
    moved = shifted(replace(whole(), alert=alert), MINUTE).alert
    assert moved == {
        **alert,
        "startsAt": "2026-04-01T10:21:00+00:00",
        "labels": {"first_seen": "2026-04-01T10:20:00+00:00", "zone": "a"},
        "samples": ["2026-04-01T10:19:00+00:00", 3],
    }


def test_variants_carry_names_a_person_reads() -> None:
    names = [variant.name for variant in variants_of(SUITE)]
    assert names[:3] == ["plain", "alert 60 s late", "alert 60 s early"]
    assert set(names[3:]) == {"without logs", "without traces", "without graph", "without changes"}
    assert variant_of(["traces", "logs"], -1.5).name == "without logs, without traces, alert 1.5 s early"
    assert variant_of([], 0) == PLAIN


def test_a_variant_applies_where_there_is_something_to_take_away() -> None:
    bare = without(whole(), (Part.LOGS,))
    assert not Variant(without=(Part.LOGS,)).applies_to(bare)
    assert Variant(without=(Part.LOGS,)).applies_to(whole())
    assert Variant(shift=MINUTE).applies_to(bare)
    assert not PLAIN.applies_to(whole())


def test_an_unknown_part_is_one_line() -> None:
    with pytest.raises(CallerError, match=r"^--without spans: it is one of metrics, logs, traces, graph, changes$"):
        variant_of(["spans"], 0)
