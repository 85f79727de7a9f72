"""The timeline: what was done and found, by whom, and how long it took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from agent.figures import counted, duration
from agent.incident import TimelineEntry, TimelineKind
from web.terminal.claims import CITED, LABEL, QUIET, one_line
from web.terminal.printable import printable, styled

KIND_WIDTH = max(len(kind) for kind in TimelineKind)
CLOCK_WIDTH = len("15:02:40")
TOOK_WIDTH = len("99.9 ms")
WRONG = {TimelineKind.ERROR: "bold red", TimelineKind.DATA_GAP: "yellow"}
DECIDED = {TimelineKind.DIAGNOSIS, TimelineKind.APPROVAL, TimelineKind.ACTION, TimelineKind.RECOVERY}


def timeline(entries: Iterable[TimelineEntry]) -> Iterator[RenderableType]:
    """Yield the whole timeline in UTC, with the date above the entries of each day."""
    day = None
    for entry in entries:
        at = entry.at.astimezone(UTC)
        if at.date() != day:
            day = at.date()
            yield Text(f"{day} (UTC)", LABEL)
        text = Text.assemble(_said(entry), *((f"  [{' '.join(entry.evidence)}]", CITED) for _ in entry.evidence[:1]))
        yield _row(f"{at:%H:%M:%S}", entry, text)


def live_line(entry: TimelineEntry, elapsed: str) -> Table:
    """Return an entry as it happens: how far in, what, how long it took; cut to one line."""
    return _row(elapsed, entry, one_line(_said(entry)))


def chain_verdict(first_broken: int | None, count: int) -> str:
    """Say whether the hash chain stands."""
    if first_broken is None:
        return f"The chain of {counted(count, 'entry')} holds: none was changed, removed or inserted."
    return f"The chain breaks at entry {first_broken}: it is missing or not as it was written."


def _row(when: str, entry: TimelineEntry, text: Text) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0), expand=True)
    grid.add_column(width=CLOCK_WIDTH, justify="right")
    grid.add_column(width=TOOK_WIDTH, justify="right")
    grid.add_column(width=KIND_WIDTH)
    grid.add_column(ratio=1, overflow="fold")
    took = duration(entry.took) if entry.took is not None else ""
    kind = Text(entry.kind.replace("_", " "), WRONG.get(entry.kind, LABEL if entry.kind in DECIDED else ""))
    grid.add_row(Text(when, QUIET), Text(took, QUIET), kind, text)
    return grid


def _said(entry: TimelineEntry) -> Text:
    who = "" if entry.by == "whydown" else f"{printable(entry.by)}: "
    return Text(who) + styled(entry.text)
