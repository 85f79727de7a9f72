"""Where things are printed, and what a person asked to be spared."""

from __future__ import annotations

import pytest
from rich.table import Table

from web.terminal.screen import WIDEST, open_screen

Printed = pytest.CaptureFixture[str]


def test_the_answer_and_what_is_beside_it_go_their_own_ways(capsys: Printed) -> None:
    screen = open_screen()
    screen.show("answer")
    screen.tell("progress")
    screen.warn("warning\nin one line")
    printed = capsys.readouterr()
    assert printed.out == "answer\n"
    assert printed.err == "progress\nwarning in one line\n"


def test_quiet_keeps_the_answer_and_the_warnings(capsys: Printed) -> None:
    screen = open_screen(quiet=True)
    screen.show("answer")
    screen.tell("progress")
    screen.note("a note")
    screen.warn("warning")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("answer\n", "warning\n")


def test_a_pipe_gets_no_spaces_that_only_fill_a_line(capsys: Printed) -> None:
    grid = Table.grid(expand=True)
    grid.add_row("short")
    open_screen().show(grid)
    assert capsys.readouterr().out == "short\n"


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("120", 120), ("900", WIDEST)])
def test_a_pipe_is_as_wide_as_it_was_told(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert open_screen().out.width == width


def test_a_document_is_written_as_it_is_but_cannot_steer_the_terminal(capsys: Printed) -> None:
    open_screen().write("# " + "long " * 60 + "\n[red]x\x1b[2J\n")
    assert capsys.readouterr().out == "# " + "long " * 60 + "\n[red]x\n"


def test_nobody_can_be_asked_in_a_pipe() -> None:
    assert not open_screen().interactive
