"""Moments in UTC, the date said once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from web.terminal.times import Day, beside, stamp

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_another_zone_is_shown_as_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    assert stamp(datetime(2026, 11, 2, 13, tzinfo=berlin)) == "2026-11-02 12:00:00 UTC"
    assert Day.of(datetime(2026, 11, 3, 0, 30, tzinfo=berlin)).clock(NOON) == "12:00:00"


def test_a_moment_of_another_date_carries_it() -> None:
    assert Day.of(NOON).clock(NOON - timedelta(hours=13)) == "2026-11-01 23:00:00"


def test_how_far_a_moment_lies_from_the_alert() -> None:
    assert beside(NOON - timedelta(minutes=7, seconds=20), NOON, "the alert") == "7 min 20 s before the alert"
    assert beside(NOON + timedelta(seconds=30), NOON, "the alert") == "30 s after the alert"
    assert beside(NOON, NOON, "the alert") == "at the alert"
