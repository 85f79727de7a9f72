"""The timeline as text."""

from __future__ import annotations

import io
from datetime import timedelta

from rich.console import Console, Group

from agent.incident import TimelineEntry, TimelineKind
from tests.web import told
from web.terminal.timeline import chain_verdict, live_line, timeline


def entry(seq: int, text: str, minutes: float = 0, **more: object) -> TimelineEntry:
    at = told.FIRED + timedelta(minutes=minutes)
    fields: dict[str, object] = {"seq": seq, "at": at, "kind": TimelineKind.EVIDENCE, "text": text}
    return TimelineEntry.model_validate(fields | more)


def lines(*entries: TimelineEntry, width: int = 100) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(Group(*timeline(entries)))
    return console.file.getvalue().splitlines()  # pyright: ignore


def test_the_date_is_said_once_a_day_and_is_utc() -> None:
    shown = lines(entry(1, "first"), entry(2, "second", 1), entry(3, "next day", 24 * 60))
    assert [line for line in shown if "UTC" in line] == ["2026-11-02 (UTC)", "2026-11-03 (UTC)"]
    assert shown[1].split()[:2] == ["15:10:00", "evidence"]


def test_an_entry_says_who_what_how_long_and_from_which_evidence() -> None:
    took = timedelta(milliseconds=310)
    [_, line] = lines(entry(1, "412 series read", by="mara", took=took, evidence=("E1a2b3c4d", "E2")))
    assert "mara: 412 series read  [E1a2b3c4d E2]" in line
    assert line.startswith("15:10:00  310 ms evidence")


def test_a_live_line_is_one_line_however_long_or_hostile_the_text() -> None:
    console = Console(file=io.StringIO(), width=60)
    console.print(live_line(entry(1, "[red]x\n" + "\x1b[2Jword " * 40), "1.2 s"))
    shown = console.file.getvalue()  # pyright: ignore
    assert len(shown.splitlines()) == 1
    assert "[red]x" in shown
    assert "\x1b" not in shown


def test_the_chain_is_told_in_words() -> None:
    assert chain_verdict(None, 34) == "The chain of 34 entries holds: none was changed, removed or inserted."
    assert "breaks at entry 12" in chain_verdict(12, 34)
