"""Answers with the changes that were reported to us, for everything that no other backend knows of."""

from __future__ import annotations

from agent.errors import WhydownError
from agent.store import Store
from tools.evidence import ChangeEvent, Source, TimeWindow, ToolError
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting
from tools.words import counted

MOST_CHANGES = 1_000
"""Changes of one answer, the latest: with a diff in each, more would not fit beside the analysis."""


class StoredChanges:
    """What came in by `POST /changes`."""

    def __init__(self, store: Store, notes: Notebook) -> None:
        self._store = store
        self._notes = notes

    def changes(self, window: TimeWindow) -> list[ChangeEvent]:
        """Reported changes of the window, oldest first. Raises ToolError."""
        try:
            found = self._store.changes(window, MOST_CHANGES + 1)
        except WhydownError as error:
            raise ToolError(Source.CHANGES, str(error)) from error
        if len(found) > MOST_CHANGES:
            first = found[1].at
            text = (
                f"more than {MOST_CHANGES} changes were reported; those before {first:%Y-%m-%dT%H:%M:%SZ} are left out"
            )
            self._notes.add(Source.CHANGES, text)
        return found[-MOST_CHANGES:]

    def look(self, window: TimeWindow) -> Sighting:
        """How many changes were ever reported, and which services they name in the window. Raises ToolError."""
        found = self.changes(window)
        try:
            number, newest = self._store.reported_changes()
        except WhydownError as error:
            raise ToolError(Source.CHANGES, str(error)) from error
        idle = "nobody ever reported a change; let the delivery pipeline POST one to /changes"
        return Sighting(
            source=Source.CHANGES,
            name="changes reported by POST /changes",
            facts=(f"{counted(number, 'change')}, {len(found)} of them in the window",),
            services=tuple(sorted({change.service for change in found if change.service})),
            newest=newest,
            troubles=() if number else (idle,),
        )
