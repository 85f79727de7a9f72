"""What an incident is investigated from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import CallerError
from agent.settings import Settings
from agent.store import Store

if TYPE_CHECKING:
    from tools.backend import Backend


def backend_of(store: Store, incident_id: str, settings: Settings) -> Backend:
    """Return what an incident is investigated from: its recording, or the live backends of this installation.

    Raises CallerError where it has no recording and no backend is configured, OperatorError for a wrong setting.
    """
    from agent.backends import live_backend, read_backends  # pandas, its readers and the clients of the vendors
    from tools.recorded import read_recording, recorded_backend

    folder = store.recording_of(incident_id)
    if folder is not None:
        return recorded_backend(read_recording(Path(folder)))
    config = read_backends(settings)
    if not config.live:
        raise CallerError(f"incident {incident_id!r} has no recording, and no backend is configured: whydown doctor")
    return live_backend(config, store)
