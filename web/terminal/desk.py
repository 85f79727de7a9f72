"""What every command at the keyboard works with. Light: a list of incidents must not wait for the graph's imports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from agent.settings import Settings
from agent.store import Store
from web.terminal.screen import Screen


@dataclass(frozen=True)
class Desk:
    """Where to print, what is known, and how this installation works."""

    screen: Screen
    store: Store
    settings: Settings


def utc_now() -> datetime:
    return datetime.now(UTC)
