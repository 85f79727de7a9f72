"""What one monitor said about one alert, whoever the monitor is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.incident import Alert
from tools.evidence import Frozen, UtcDatetime, digest_of


class Notice(Frozen):
    """One thing that a monitor said: an alert fires, somebody took it, or it is over."""

    says: Literal["fire", "acknowledge", "resolve"]
    source: str = Field(min_length=1)
    """The kind of monitor, as in the path of its webhook."""
    key: str = Field(min_length=1)
    """The monitor's own name of what it watches: the same for every time it fires."""
    alert: Alert
    at: UtcDatetime
    """When it happened, by the monitor's clock."""
    by: str = ""
    """Who acknowledged or resolved it, where the monitor tells."""

    @property
    def episode(self) -> str:
        """Names this one time that it fired; every delivery about it carries the same."""
        return digest_of([self.source, self.key, self.alert.fired_at.isoformat()])


class Receipt(Frozen):
    """What became of one notice."""

    episode: str
    incident: str | None
    """None for an alert that a silence keeps from becoming one."""
    placed: Literal["opened", "joined", "reopened", "repeated", "silenced", "acknowledged", "resolved"]
    because: str
