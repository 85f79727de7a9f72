"""The hash chain of the timeline: pure. Each entry carries the hash of the one before it, so a change shows.

The construction is the linked log of Haber and Stornetta, "How to Time-Stamp a Digital Document" (1991): rewriting one
entry means rewriting every later one, and the head of the chain is kept elsewhere (the incident's row).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import timedelta

from agent.incident import TimelineEntry, TimelineKind
from tools.evidence import Frozen, UtcDatetime


class TimelineDraft(Frozen):
    """An entry that has not been written yet; the store gives it its place in the chain."""

    kind: TimelineKind
    text: str
    at: UtcDatetime | None = None
    """None: the moment of writing."""
    by: str = "whydown"
    node: str = ""
    evidence: tuple[str, ...] = ()
    took: timedelta | None = None
    key: str | None = None
    """Unique within the incident: a second draft with the same key is the entry already written, not a new one."""

    def entry(self, written_at: UtcDatetime) -> TimelineEntry:
        """The entry, still outside the chain."""
        fields = self.model_dump(exclude={"key", "at"})
        return TimelineEntry(seq=0, at=self.at or written_at, **fields)


def chain(previous: TimelineEntry | None, entry: TimelineEntry) -> TimelineEntry:
    """The entry at its place: the sequence number after `previous` (1 for None), linked to it and hashed."""
    linked = entry.model_copy(
        update={
            "seq": previous.seq + 1 if previous else 1,
            "previous": previous.hash if previous else "",
        }
    )
    return linked.model_copy(update={"hash": entry_hash(linked)})


def entry_hash(entry: TimelineEntry) -> str:
    """SHA-256 (hex) of the previous hash and the entry's canonical JSON without `hash`."""
    fields = entry.model_dump(mode="json", exclude={"hash"})
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((entry.previous + canonical).encode()).hexdigest()


def verify(entries: Iterable[TimelineEntry]) -> int | None:
    """The first sequence number that is missing or not as it was written; None when the whole chain stands.

    `entries` is a timeline from its first entry on. A chain that was cut at its end still stands; the store compares
    the last entry with the head it keeps (`Store.verify_timeline`).
    """
    seq, previous = 0, ""
    for entry in entries:
        seq += 1
        if entry.seq != seq or entry.previous != previous or entry.hash != entry_hash(entry):
            return seq
        previous = entry.hash
    return None
