from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import stored_changes
from agent.store import Store
from agent.stored_changes import StoredChanges
from tests.agent.store_samples import WINDOW, Clock, plain, url_of
from tests.agent.test_change_rows import change
from tools.evidence import Source, ToolError
from tools.live.notebook import Notebook


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(url_of(tmp_path), Clock()) as opened:
        yield opened


def test_reported_changes_answer(store: Store) -> None:
    store.report_change(change("b", -5))
    store.report_change(change("a", -9))
    notes = Notebook()
    assert [each.id for each in StoredChanges(store, notes).changes(WINDOW)] == ["a", "b"]
    assert len(notes) == 0


def test_too_many_are_cut_and_noted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_changes, "MOST_CHANGES", 2)
    for number in range(4):
        store.report_change(change(f"c{number}", -number - 1))
    notes = Notebook()
    assert [each.id for each in StoredChanges(store, notes).changes(WINDOW)] == ["c1", "c0"]
    assert list(notes) == [
        (Source.CHANGES, "more than 2 changes were reported; those before 2026-06-18T14:58:00Z are left out")
    ]


def test_a_store_that_cannot_be_read_is_a_tool_error(store: Store, tmp_path: Path) -> None:
    store.report_change(change())
    shell = plain(tmp_path)
    shell.execute("UPDATE changes SET value = x'00'")
    shell.close()
    with pytest.raises(ToolError, match="changed outside whydown"):
        StoredChanges(store, Notebook()).changes(WINDOW)


def test_what_the_doctor_sees(store: Store) -> None:
    backend = StoredChanges(store, Notebook())
    assert "POST one to /changes" in backend.look(WINDOW).troubles[0]
    store.report_change(change())
    store.report_change(change("later", 60))
    seen = backend.look(WINDOW)
    assert seen.facts == ("2 changes, 1 of them in the window",)
    assert (seen.services, seen.newest, seen.troubles) == (("basket",), change("later", 60).at, ())
