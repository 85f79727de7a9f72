from __future__ import annotations

import pytest

from agent.intake.gate import CRITICAL, Cost, decide
from agent.intake.noise import History

KNOWN = History(monitor="slow", alerts=3)
NOISE = History(monitor="slow", alerts=20, quickly_over=20)
COST = Cost(seconds=9.4, tool_calls=34)


def test_an_ordinary_alert_is_investigated() -> None:
    assert decide("", KNOWN, 0, 10, COST).investigate


def test_an_alert_of_an_unseen_name_is_investigated() -> None:
    word = decide("info", History(monitor="new"), 0, 10, COST)
    assert word.investigate
    assert "first alert of this name" in word.because


def test_a_flapping_alert_is_skipped_with_what_it_would_have_cost() -> None:
    word = decide("critical", KNOWN.model_copy(update={"lately": 5}), 0, 10, COST)
    assert not word.investigate
    assert "fired 6 times within 1 h" in word.because
    assert "(it would have taken about 0:00:09 of work and 34 queries)" in word.because


def test_a_noisy_monitor_is_skipped() -> None:
    word = decide("warning", NOISE, 0, 10, Cost())
    assert not word.investigate
    assert "20 were over within 5 min" in word.because
    assert "nobody knows what it takes" in word.because


@pytest.mark.parametrize("severity", sorted(CRITICAL))
def test_a_noisy_monitor_that_wakes_people_is_investigated(severity: str) -> None:
    assert decide(severity.upper(), NOISE, 0, 10, COST).investigate


def test_an_hour_has_room_for_so_many() -> None:
    assert decide("", KNOWN, 9, 10, COST).investigate
    word = decide("critical", History(), 10, 10, COST)
    assert not word.investigate
    assert "10 investigations began within the last hour, 10 may" in word.because
