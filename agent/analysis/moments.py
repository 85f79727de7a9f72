"""When an incident may have begun, as far as its alert tells."""

from __future__ import annotations

from datetime import datetime, timedelta

AROUND_THE_ALERT = (timedelta(seconds=-120), timedelta(seconds=-60), timedelta(0), timedelta(seconds=60))
"""A monitor that looks once a minute fires up to two minutes late; clocks and hand-set times are off by up to one."""


def candidate_moments(split: datetime, fired_at: datetime) -> tuple[datetime, ...]:
    """Moments worth trying as the beginning, in order of time: the one the symptom shows, and those around the alert."""
    return tuple(sorted({split, *(fired_at + shift for shift in AROUND_THE_ALERT)}))
