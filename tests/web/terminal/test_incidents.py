"""The list of incidents."""

from __future__ import annotations

import io

from rich.console import Console

from tests.web import told
from web.terminal.incidents import incidents_table


def shown(*incidents: object, width: int = 100) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(incidents_table(incidents, width))  # pyright: ignore
    return console.file.getvalue().splitlines()  # pyright: ignore


def test_an_incident_is_one_line_at_any_width() -> None:
    long = told.INCIDENT.model_copy(update={"title": "[red]x is slow " * 20, "severity": None})
    for width in (60, 100, 200):
        lines = shown(told.INCIDENT, long, width=width)
        assert len(lines) == 3
        assert lines[1].startswith(told.INCIDENT.id)
    assert "[red]x" in shown(long)[1]


def test_an_empty_list_says_what_to_do_next() -> None:
    assert "whydown demo" in shown()[0]
