"""The read tools for changes and for providers' status feeds."""

from __future__ import annotations

from datetime import timedelta

from pydantic import JsonValue

from tools.answer import Answer, value_answer
from tools.backend import Changes
from tools.evidence import ChangeEvent, Query, Source, TimeWindow, ToolError
from tools.moments import iso
from tools.redaction import masked
from tools.words import counted, did_you_mean

LOOKBACK = timedelta(days=7)
"""How far before the window changes are read: a weekly release is in sight, and slow faults (leaks, full disks,
certificates) begin long before they are felt."""

_NAMED = 5
"""Changes that a summary names; the result has them all."""


def changes(changes: Changes, window: TimeWindow) -> Answer:
    """Deploys, settings, flags, migrations and other changes of the window and of the week before it, with their diffs.

    Oldest first. Raises ToolError.
    """
    found = changes.changes(_reaching_back(window))
    result: JsonValue = [masked(change.model_dump(mode="json")) for change in found]
    named = "; ".join(_line(change) for change in found[:_NAMED])
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    summary = f"{counted(len(found), 'change')}: {named}{more}" if found else "no change in the window"
    return value_answer(Source.CHANGES, Query(tool="changes"), window, summary, result)


def change(changes: Changes, window: TimeWindow, id: str) -> Answer:
    """One change of the window or of the week before it, whole. Raises ToolError when there is none of this id."""
    found = {each.id: each for each in changes.changes(_reaching_back(window))}
    if id not in found:
        raise ToolError(Source.CHANGES, f"no change {id!r} in {window}{did_you_mean(id, found)}")
    result = masked(found[id].model_dump(mode="json"))
    return value_answer(Source.CHANGES, Query(tool="change", arguments={"id": id}), window, _line(found[id]), result)


def status_events(changes: Changes, window: TimeWindow) -> Answer:
    """Entries of providers' status feeds that overlap the window, oldest first. Raises ToolError."""
    found = changes.status_events(window)
    result: JsonValue = [masked(event.model_dump(mode="json")) for event in found]
    named = "; ".join(
        f"{event.provider} {event.service} {event.status} since {iso(event.started_at)}" for event in found[:_NAMED]
    )
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    summary = (
        f"{counted(len(found), 'status entry', 'status entries')}: {named}{more}"
        if found
        else "no status entry in the window"
    )
    return value_answer(Source.STATUS, Query(tool="status_events"), window, summary, result)


def _reaching_back(window: TimeWindow) -> TimeWindow:
    return TimeWindow(since=window.since - LOOKBACK, until=window.until)


def _line(change: ChangeEvent) -> str:
    of = f" of {change.service}" if change.service else ""
    title = f' "{masked(change.title)}"' if change.title else ""
    return (
        f"{change.id}: {change.kind.value}{of} at {iso(change.at)}{title}{'' if change.in_effect else ', not deployed'}"
    )
