"""Where the terminal view prints: the answer to standard output, everything on the way to standard error."""

from __future__ import annotations

import shutil
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from pydantic import BaseModel
from rich.console import Console, RenderableType
from rich.text import Text

from web.terminal.printable import printable

WIDEST = 140
"""Wider than this, the eye loses the line on its way from a sentence to the evidence at the right edge."""
PIPED = (100, 40)
"""Columns and rows where nobody's terminal says otherwise (a pipe, a file, a CI log)."""


@dataclass(frozen=True)
class Screen:
    """The two consoles of a command, and what the person asked to be spared."""

    out: Console
    err: Console
    quiet: bool = False
    json: bool = False

    def show(self, view: RenderableType) -> None:
        """Print to standard output."""
        _print(self.out, view)

    def tell(self, view: RenderableType) -> None:
        """Print to standard error, unless the person asked for quiet."""
        if not self.quiet:
            _print(self.err, view)

    def write(self, text: str) -> None:
        """Write a document to standard output line by line as it is, neither wrapped nor styled."""
        self.out.file.write("".join(f"{printable(line)}\n" for line in text.splitlines()))

    def emit(self, value: BaseModel) -> None:
        """Write one value to standard output as JSON, and nothing else."""
        self.emit_json(value.model_dump_json(indent=2).encode())

    def emit_json(self, text: bytes) -> None:
        """Write JSON to standard output, and nothing else."""
        self.out.file.write(f"{text.decode()}\n")

    def warn(self, line: str) -> None:
        """Print one line of ours to standard error, also when the person asked for quiet."""
        self.err.print(Text(printable(line)))

    def busy(self, what: str) -> AbstractContextManager[object]:
        """Show on a terminal that the block is at work; the line is gone when it ends."""
        if self.quiet or not self.err.is_terminal:
            return nullcontext()
        return self.err.status(printable(what), spinner="line")

    def note(self, line: str) -> None:
        """Print one line of ours to standard error, unless the person asked for quiet."""
        if not self.quiet:
            self.warn(line)

    @property
    def interactive(self) -> bool:
        """True when a person can be asked: somebody reads what we print and can type an answer."""
        return sys.stdin.isatty() and self.err.is_terminal


def open_screen(*, color: bool = True, quiet: bool = False, json: bool = False) -> Screen:
    """Open the consoles. Colour is left out on request, for NO_COLOR (no-color.org), for TERM=dumb and into a pipe."""
    return Screen(out=_console(color, stderr=False), err=_console(color, stderr=True), quiet=quiet, json=json)


def _print(console: Console, view: RenderableType) -> None:
    """Print; into a pipe or a file without the spaces that only fill a terminal's line."""
    if console.is_terminal:
        console.print(view)
        return
    with console.capture() as printed:
        console.print(view)
    console.file.write("".join(f"{line.rstrip()}\n" for line in printed.get().splitlines()))


def _console(color: bool, *, stderr: bool) -> Console:
    console = Console(
        stderr=stderr, no_color=True if not color else None, highlight=False, markup=False, emoji=False, soft_wrap=False
    )
    width = console.width if console.is_terminal else shutil.get_terminal_size(PIPED).columns
    console.width = min(WIDEST, width)
    return console
