from __future__ import annotations

from hypothesis import given, strategies as st

from agent.intake.noise import FLAPS, NOISY, History


def test_a_monitor_of_which_nothing_is_known_is_in_the_middle() -> None:
    assert History().noise == 0.5
    assert not History().seen


def test_it_takes_eight_alerts_without_an_exception_to_be_noisy() -> None:
    assert History(alerts=7, quickly_over=7).noise < NOISY
    assert History(alerts=8, quickly_over=6, dismissed=2).noise >= NOISY


def test_the_words_can_be_checked() -> None:
    words = History(monitor="slow", alerts=9, quickly_over=7, dismissed=1).words
    assert words == "of 9 alerts of slow in 30 days 7 were over within 5 min by themselves, 1 were dismissed"


def test_it_flaps_with_the_one_that_fires_now() -> None:
    assert not History(lately=FLAPS - 2).flaps
    assert History(lately=FLAPS - 1).flaps


@given(st.integers(0, 500), st.data())
def test_the_score_is_a_share_and_grows_with_what_needed_nobody(alerts: int, data: st.DataObject) -> None:
    quick = data.draw(st.integers(0, alerts))
    noise = History(alerts=alerts, quickly_over=quick).noise
    assert 0 < noise < 1
    if quick < alerts:
        assert History(alerts=alerts, quickly_over=quick + 1).noise > noise
