"""Times in which alerts are expected: maintenance windows and silences. Pure.

Their alerts are kept and can be read, they only do not become incidents.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from agent.incident import Alert
from tools.evidence import Frozen, UtcDatetime

FIELDS = ("service", "monitor", "metric", "severity")


class Matcher(Frozen):
    """One condition on an alert: a field of it (service, monitor, metric, severity) or else a label has this value."""

    name: str = Field(min_length=1, max_length=200)
    value: str = Field(max_length=200)

    def matches(self, alert: Alert) -> bool:
        if self.name in FIELDS:
            return getattr(alert, self.name) == self.value
        return alert.labels.get(self.name) == self.value


class Silence(Frozen):
    """A named person's word that alerts which match every condition are expected in [since, until)."""

    id: str
    kind: Literal["maintenance", "silence"]
    matchers: tuple[Matcher, ...] = Field(min_length=1, max_length=20)
    since: UtcDatetime
    until: UtcDatetime
    by: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=1_000)

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until <= self.since:
            raise ValueError(f"until {self.until.isoformat()} must be after since {self.since.isoformat()}")
        return self

    def covers(self, alert: Alert, at: datetime) -> bool:
        """Whether an alert that fires at `at` is expected."""
        return self.since <= at < self.until and all(matcher.matches(alert) for matcher in self.matchers)

    @property
    def words(self) -> str:
        """Why an alert that it covers becomes no incident."""
        what = "planned maintenance" if self.kind == "maintenance" else "silenced"
        return f"{what} until {self.until:%H:%M} UTC by {self.by}: {self.reason}"


def covering(silences: Iterable[Silence], alert: Alert, at: datetime) -> Silence | None:
    """The silence that covers the alert; of several, the one that ends last."""
    return max((each for each in silences if each.covers(alert, at)), key=lambda each: each.until, default=None)
