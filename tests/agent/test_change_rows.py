from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from agent.errors import CallerError, ConflictError, OperatorError
from agent.store import Store
from tests.agent.store_samples import MINUTE, START, WINDOW, Clock, plain, url_of
from tests.agent.values import value_of
from tools.evidence import ChangeEvent, ChangeKind, TimeWindow


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(url_of(tmp_path), Clock()) as opened:
        yield opened


def change(name: str = "c1", minutes: float = -10, title: str = "") -> ChangeEvent:
    return ChangeEvent(id=name, kind=ChangeKind.DEPLOY, at=START + minutes * MINUTE, service="basket", title=title)


def test_what_was_reported_is_there_after_a_restart(store: Store, tmp_path: Path) -> None:
    assert store.report_change(change())
    store.close()
    with Store.open(url_of(tmp_path), Clock()) as again:
        assert again.changes(WINDOW) == [change()]


def test_the_same_again_is_the_same_change(store: Store) -> None:
    assert store.report_change(change())
    assert not store.report_change(change())
    assert store.reported_changes() == (1, change().at)


def test_another_content_under_the_same_id_is_a_conflict(store: Store) -> None:
    store.report_change(change())
    with pytest.raises(ConflictError, match="'c1' was reported before with another content"):
        store.report_change(change(title="reworded"))
    assert store.changes(WINDOW) == [change()]


def test_many_reports_of_one_change_at_once_are_one(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(lambda _: store.report_change(change()), range(24))) == [False] * 23 + [True]


def test_the_window_is_half_open_and_its_changes_come_oldest_first(store: Store) -> None:
    length = WINDOW.length / MINUTE
    for name, minutes in (("until", 0), ("last", -0.001), ("since", -length), ("before", -length - 0.001)):
        store.report_change(change(name, minutes))
    assert [each.id for each in store.changes(WINDOW)] == ["since", "last"]


def test_a_limit_keeps_the_latest(store: Store) -> None:
    for number in range(5):
        store.report_change(change(f"c{number}", -number))
    window = TimeWindow(since=START - timedelta(hours=1), until=START + MINUTE)
    assert [each.id for each in store.changes(window, limit=2)] == ["c1", "c0"]
    with pytest.raises(CallerError, match="limit 0"):
        store.changes(window, limit=0)


def test_a_row_that_somebody_changed_is_not_told(store: Store, tmp_path: Path) -> None:
    store.report_change(change())
    shell = plain(tmp_path)
    shell.execute("UPDATE changes SET at = '2026-06-18 14:40:00.000000'")
    with pytest.raises(OperatorError, match="changed outside whydown"):
        store.changes(WINDOW)
    shell.execute("UPDATE changes SET value = x'00'")
    with pytest.raises(OperatorError, match="cannot be read"):
        store.changes(WINDOW)
    shell.close()


@given(value_of(ChangeEvent))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_change_comes_back_as_it_was(store: Store, reported: ChangeEvent) -> None:
    try:
        store.report_change(reported)
    except (ConflictError, CallerError):  # an id that was drawn before, or half a surrogate pair
        return
    window = TimeWindow(since=reported.at, until=reported.at + timedelta(microseconds=1))
    assert reported in store.changes(window)
