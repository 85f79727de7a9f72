"""What every command at the keyboard works with. Light: a list of incidents must not wait for the graph's imports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import CallerError
from agent.settings import Settings
from agent.store import Store
from web.terminal.screen import Screen

if TYPE_CHECKING:
    from tools.backend import Backend


@dataclass(frozen=True)
class Desk:
    """Where to print, what is known, and how this installation works."""

    screen: Screen
    store: Store
    settings: Settings


def backend_of(store: Store, incident_id: str) -> Backend:
    """Return the backend that an incident is investigated from; raises CallerError where it is not a recording."""
    from tools.recorded import read_recording, recorded_backend  # pandas and its readers

    folder = store.recording_of(incident_id)
    if folder is None:
        raise CallerError(f"incident {incident_id!r} has no recording, and there is no live backend")
    return recorded_backend(read_recording(Path(folder)))


def utc_now() -> datetime:
    return datetime.now(UTC)
