"""How much one monitor's alerts are worth, from what became of those before: pure."""

from __future__ import annotations

from datetime import timedelta

from tools.evidence import Frozen

QUICKLY = timedelta(minutes=5)
"""An alert that is over this soon, before anybody took it, needed nobody."""

LOOKED_AT = timedelta(days=30)
"""How far back a monitor is judged: a month has every weekday and release of it several times."""

FLAPS = 4
FLAPS_WITHIN = timedelta(hours=1)
"""A monitor that fires this often within the time flaps: its threshold lies inside the ordinary noise of its signal."""

NOISY = 0.9
"""From this score on a monitor's alerts are not investigated unasked."""


class History(Frozen):
    """What became of one monitor's alerts within LOOKED_AT, the one that fires now left out."""

    monitor: str = ""
    alerts: int = 0
    quickly_over: int = 0
    """Over within QUICKLY, with nobody having taken them."""
    dismissed: int = 0
    """Part of an incident that people dismissed, and not quickly over."""
    lately: int = 0
    """How often the very same alert fired within FLAPS_WITHIN."""

    @property
    def seen(self) -> bool:
        return self.alerts > 0

    @property
    def flaps(self) -> bool:
        """Whether it would, with the one that fires now, have fired FLAPS times."""
        return self.lately + 1 >= FLAPS

    @property
    def noise(self) -> float:
        """The share of its alerts that needed nobody, from 0 to 1.

        Laplace's rule of succession, (k + 1) / (n + 2): a monitor of which little is known is in the middle, and NOISY
        takes at least eight alerts without an exception.
        """
        return (self.quickly_over + self.dismissed + 1) / (self.alerts + 2)

    @property
    def words(self) -> str:
        """The score in words that a person can check."""
        parts = [f"{self.quickly_over} were over within {QUICKLY.total_seconds() / 60:.0f} min by themselves"]
        if self.dismissed:
            parts.append(f"{self.dismissed} were dismissed")
        return (
            f"of {self.alerts} alerts of {self.monitor or 'this monitor'} in {LOOKED_AT.days} days {', '.join(parts)}"
        )
