"""Ctrl-C, and a polite kill: the first ends the work at its next safe point, the second ends the process at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event
from types import FrameType

from web.terminal.exits import ExitCode
from web.terminal.screen import Screen

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stoppable(screen: Screen) -> Generator[Event]:
    """Yield the event that a first signal sets. Only the main thread may use it, as Python demands of handlers.

    An exception thrown into the middle of a transaction would have to be expected everywhere; an event is read where
    it does no harm. The second signal may end the process wherever it is: what was written is on disk already.
    """
    stop = Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            screen.err.show_cursor(True)
            os._exit(ExitCode.INTERRUPTED)
        stop.set()

    before = {each: signal.signal(each, on_signal) for each in SIGNALS}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
