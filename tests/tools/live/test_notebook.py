from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tools.evidence import Source
from tools.live.notebook import MAX_NOTES, NOTE_LIMIT, Notebook


def test_a_note_is_told_once_and_in_order() -> None:
    notes = Notebook()
    for text in ("a", "b", "a"):
        notes.add(Source.LOGS, text)
    notes.add(Source.METRICS, "a")
    assert list(notes) == [(Source.LOGS, "a"), (Source.LOGS, "b"), (Source.METRICS, "a")]
    assert notes[1:] == [(Source.LOGS, "b"), (Source.METRICS, "a")]
    assert len(notes) == 3


def test_a_note_is_one_short_line_without_secrets() -> None:
    notes = Notebook()
    notes.add(Source.LOGS, "warning:\n\x1b[31mpassword=hunter2x\t" + "x" * 1000)
    [(_, text)] = notes
    assert text.isprintable()
    assert text.startswith("warning: password=[masked:value] xx")
    assert len(text) < NOTE_LIMIT + 30


def test_too_many_notes_are_counted_each_once() -> None:
    notes = Notebook()
    for _ in range(2):
        for number in range(MAX_NOTES + 7):
            notes.add(Source.LOGS, f"note {number}")
    assert len(notes) == MAX_NOTES + 1
    assert notes[-1] == (Source.LOGS, "7 more notes of live backends are not told")


def test_threads_may_write_at_once() -> None:
    notes = Notebook()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: notes.add(Source.LOGS, f"note {number % 40}"), range(2000)))
    assert len(notes) == 40
