"""What is shown while an investigation runs: its timeline, growing, and one line that says it is still at work."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from agent.incident import TimelineEntry, TimelineKind
from web.terminal.printable import printable
from web.terminal.screen import Screen
from web.terminal.timeline import live_line

TOLD = {
    TimelineKind.ALERT,
    TimelineKind.DATA_GAP,
    TimelineKind.HYPOTHESIS,
    TimelineKind.MITIGATION,
    TimelineKind.APPROVAL,
    TimelineKind.ACTION,
    TimelineKind.RECOVERY,
    TimelineKind.STATUS,
    TimelineKind.ERROR,
}
"""What is worth a line of its own while somebody waits, beside the headline of each step. The rest of a step's entries
(single signals, changes, what was ruled out) are in the answer and in `whydown timeline`."""


class LiveTimeline:
    """Prints the timeline to standard error as it grows; may be called from any thread."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._started = time.monotonic()

    def __call__(self, entry: TimelineEntry) -> None:
        if entry.took is not None or entry.kind in TOLD:
            self._screen.tell(live_line(entry, f"{time.monotonic() - self._started:.1f} s"))


@contextmanager
def counting(screen: Screen, what: str) -> Generator[Callable[[int, int], None]]:
    """Show how many of how many are done, as a bar, or line by line in a pipe; the block calls it with both."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    hidden = screen.quiet or not screen.err.is_terminal
    with Progress(*columns, console=screen.err, transient=True, disable=hidden) as running:
        task = running.add_task(printable(what), total=None)

        def show(done: int, total: int) -> None:
            running.update(task, completed=done, total=total)
            if not screen.err.is_terminal:
                screen.note(f"{what}: {done} of {total}")

        yield show


@contextmanager
def watching(screen: Screen, what: str) -> Generator[LiveTimeline]:
    """Show the timeline of the block's work; on a terminal also a line with the time so far, gone when it ends."""
    if screen.quiet or not screen.err.is_terminal:
        yield LiveTimeline(screen)
        return
    columns = (SpinnerColumn("line"), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=screen.err, transient=True) as running:
        running.add_task(printable(what), total=None)
        yield LiveTimeline(screen)
