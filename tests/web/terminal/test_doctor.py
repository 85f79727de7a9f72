"""What a newcomer and a tired operator read of the backends."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from agent.checkup import EXAMPLE, Checkup, Missing, PartSeen
from tools.evidence import Source
from tools.live.sighting import Sighting
from web.terminal.doctor import checkup_view

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def shown(checkup: Checkup) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(checkup_view(checkup, 100))
    return console.file.getvalue()  # pyright: ignore


def test_an_empty_machine_tells_the_next_step() -> None:
    missing = tuple(Missing(source=s, means="nothing is seen", example=e) for s, e in EXAMPLE.items())
    text = shown(Checkup(at=AT, file=None, missing=missing))
    assert "whydown demo" in text
    assert text.index("whydown.toml") < text.index("[metrics]") < text.index("whydown doctor again")


def test_each_backend_is_told_with_what_it_sees_and_what_limits_it() -> None:
    sighting = Sighting(
        source=Source.METRICS,
        name="meter at http://m",
        facts=("1,204 series",),
        services=tuple(f"service-{n}" for n in range(20)),
        newest=AT - timedelta(seconds=9),
    )
    seen = PartSeen(
        source=Source.METRICS,
        name="meter at http://m",
        seconds=0.2,
        sighting=sighting,
        skew_seconds=1.0,
        warnings=("late",),
    )
    down = PartSeen(source=Source.LOGS, name="lines", seconds=5, trouble="lines at http://l cannot be reached")
    text = shown(Checkup(at=AT, file="whydown.toml", parts=(seen, down)))
    for part in (
        "answers",
        "1,204 series",
        "service-0",
        "and 8 more",
        "9 s old",
        "+1 s",
        "! late",
        "FAILS",
        "cannot be",
    ):
        assert part in text
