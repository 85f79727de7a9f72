"""What live backends have to say about their own answers: what was cut, partial, repaired or late."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import overload

from tools.evidence import Source
from tools.live.one_line import one_line
from tools.redaction import masked_text

MAX_NOTES = 50
"""More would bury the answer; the last one says that there were more."""
NOTE_LIMIT = 300
"""Characters of one note: servers put whole queries into their warnings."""


class Notebook(Sequence[tuple[Source, str]]):
    """Notes of one investigation's backends, each said once, in the order they came. Safe between threads."""

    def __init__(self) -> None:
        self._notes: list[tuple[Source, str]] = []
        self._left_out: set[tuple[Source, str]] = set()
        self._lock = Lock()

    def add(self, source: Source, text: str) -> None:
        """Note it on one line, secrets masked."""
        note = (source, one_line(masked_text(text), NOTE_LIMIT))
        with self._lock:
            if note in self._notes:
                return
            if len(self._notes) < MAX_NOTES:
                self._notes.append(note)
            else:
                self._left_out.add(note)

    def _all(self) -> list[tuple[Source, str]]:
        with self._lock:
            notes = list(self._notes)
            if self._left_out:
                source, _ = notes[-1]
                notes.append((source, f"{len(self._left_out)} more notes of live backends are not told"))
            return notes

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, index: int) -> tuple[Source, str]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[Source, str]]: ...
    def __getitem__(self, index: int | slice) -> tuple[Source, str] | list[tuple[Source, str]]:
        return self._all()[index]
