"""Moments in UTC, the date said once: nobody has to guess whose midnight it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from agent.figures import duration


@dataclass(frozen=True)
class Day:
    """The date that a view has named; a moment of another date carries its own."""

    date: date

    @classmethod
    def of(cls, moment: datetime) -> Day:
        return cls(moment.astimezone(UTC).date())

    def clock(self, moment: datetime) -> str:
        """Return HH:MM:SS in UTC, with the date in front when it is another one."""
        at = moment.astimezone(UTC)
        return f"{at:%H:%M:%S}" if at.date() == self.date else f"{at:%Y-%m-%d %H:%M:%S}"

    def __str__(self) -> str:
        return self.date.isoformat()


def stamp(moment: datetime) -> str:
    """Return a moment that stands alone: 2026-11-02 15:02:40 UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def beside(moment: datetime, other: datetime, what: str) -> str:
    """Return where `moment` lies as seen from `other`: "7 min 20 s before the alert"."""
    apart = other - moment
    if abs(apart) < timedelta(seconds=1):
        return f"at {what}"
    return f"{duration(abs(apart))} {'before' if apart > timedelta() else 'after'} {what}"
