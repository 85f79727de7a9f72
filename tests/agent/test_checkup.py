"""Looking at backends: what answers, what fails, what is late, and what is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import sleep

import pytest

from agent.checkup import Checkup, Part, check_up
from tools.evidence import Source, TimeWindow, ToolError
from tools.live.sighting import Sighting

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Looks:
    """A backend that shows what it was made with, or raises it."""

    def __init__(self, shows: Sighting | Exception, after: float = 0.0) -> None:
        self.shows, self.after = shows, after
        self.asked: TimeWindow | None = None

    def look(self, window: TimeWindow) -> Sighting:
        self.asked = window
        sleep(self.after)
        if isinstance(self.shows, Exception):
            raise self.shows
        return self.shows


def sighting(**fields: object) -> Sighting:
    return Sighting.model_validate({"source": Source.METRICS, "name": "meter 2.0 at http://m", **fields})


def checked(*backends: Looks, seconds: float = 5.0) -> Checkup:
    parts = [Part(Source.METRICS, "metrics: meter", backend) for backend in backends]
    return check_up(parts, NOW, "whydown.toml", seconds)


def test_what_answers_is_shown_and_the_last_hour_was_asked_for() -> None:
    backend = Looks(sighting(facts=("3 series",), newest=NOW, clock=NOW))
    checkup = checked(backend)
    assert checkup.healthy
    assert checkup.parts[0].name == "meter 2.0 at http://m"
    assert checkup.parts[0].warnings == ()
    assert backend.asked == TimeWindow(since=NOW - timedelta(hours=1), until=NOW)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ToolError(Source.METRICS, "meter answered 401"), "meter answered 401"),
        (ConnectionError("gone"), "ConnectionError: gone"),
    ],
)
def test_what_fails_is_a_line(raised: Exception, said: str) -> None:
    checkup = checked(Looks(raised), Looks(sighting()))
    assert not checkup.healthy
    assert [part.trouble for part in checkup.parts] == [said, ""]


def test_what_hangs_is_given_up() -> None:
    checkup = checked(Looks(sighting(), after=1.0), seconds=0.05)
    assert "no answer within 0.05 s" in checkup.parts[0].trouble


@pytest.mark.parametrize(("apart", "said"), [(60, "60 s ahead of ours"), (-60, "60 s behind ours")])
def test_a_wrong_clock_is_told(apart: int, said: str) -> None:
    part = checked(Looks(sighting(clock=NOW + timedelta(seconds=apart)))).parts[0]
    assert part.skew_seconds == pytest.approx(apart, abs=1)
    assert said in part.warnings[0]


def test_a_clock_that_is_a_second_off_is_nothing() -> None:
    assert checked(Looks(sighting(clock=NOW + timedelta(seconds=1)))).parts[0].warnings == ()


def test_what_receives_nothing_any_more_is_told() -> None:
    part = checked(Looks(sighting(newest=NOW - timedelta(minutes=25), troubles=("no histogram",)))).parts[0]
    assert part.warnings == ("its newest entry is 25 minutes old; look at what ships to it", "no histogram")


def test_what_is_not_configured_says_what_that_means_and_what_to_write() -> None:
    checkup = check_up([], NOW, None, 1.0)
    assert not checkup.healthy
    assert checkup.missing[0].source is Source.METRICS
    assert "[metrics]" in checkup.missing[0].example
    assert Source.METRICS not in {each.source for each in checked(Looks(sighting())).missing}
