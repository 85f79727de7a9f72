from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import CallerError, OperatorError
from agent.incident import TimelineEntry
from agent.store import Store
from agent.timeline import verify
from tests.agent.store_samples import MINUTE, START, Clock, draft, incident_in, plain, url_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(url_of(tmp_path), Clock()) as opened:
        yield opened


def test_entries_are_chained_in_the_order_they_came(store: Store) -> None:
    incident, other = incident_in(store), incident_in(store, "web")
    first = store.append(incident, [draft("a"), draft("b")], None)
    store.append(other, [draft("elsewhere")], None)
    second = store.append(incident, [draft("c")], None)
    assert store.timeline(incident) == first + second
    assert [entry.text for entry in first + second] == ["a", "b", "c"]
    assert [entry.seq for entry in first + second] == [1, 2, 3]
    assert verify(store.timeline(incident)) is None
    assert store.verify_timeline(incident) is None


def test_only_what_is_new_is_read(store: Store) -> None:
    incident = incident_in(store)
    entries = store.append(incident, [draft(str(n)) for n in range(5)], None)
    assert store.timeline(incident, after_seq=3) == entries[3:]
    assert store.timeline(incident, after_seq=5) == []


@pytest.mark.parametrize("after", [-1, 2**70])
def test_a_sequence_number_that_cannot_be_is_the_callers_error(store: Store, after: int) -> None:
    with pytest.raises(CallerError, match="after_seq"):
        store.timeline(incident_in(store), after)


def test_an_entry_takes_the_clocks_time_or_its_own(store: Store) -> None:
    incident = incident_in(store)
    earlier = draft().model_copy(update={"at": START - MINUTE})
    assert [entry.at for entry in store.append(incident, [draft(), earlier], None)] == [START, START - MINUTE]


def test_nothing_to_append_is_nothing_appended(store: Store) -> None:
    incident = incident_in(store)
    assert store.append(incident, [], None) == []
    assert store.timeline(incident) == []
    assert store.verify_timeline(incident) is None


def test_a_node_that_runs_again_writes_its_entries_once(store: Store) -> None:
    incident = incident_in(store)
    first = store.append(incident, [draft("a", "triage:1"), draft("b", "triage:2")], None)
    again = store.append(incident, [draft("worded otherwise", "triage:1"), draft("b", "triage:2")], None)
    assert again == first
    longer = store.append(incident, [draft("b", "triage:2"), draft("new", "triage:3"), draft("unnamed")], None)
    assert longer[0] == first[1]
    assert [entry.seq for entry in longer] == [2, 3, 4]
    assert len(store.timeline(incident)) == 4


def test_a_key_twice_in_one_call_is_one_entry(store: Store) -> None:
    incident = incident_in(store)
    one, two = store.append(incident, [draft("a", "k"), draft("b", "k")], None)
    assert one == two
    assert store.timeline(incident) == [one]


def test_the_same_key_in_another_incident_is_another_entry(store: Store) -> None:
    for service in ("basket", "web"):
        incident = incident_in(store, service)
        store.append(incident, [draft("a", "k")], None)
        assert len(store.timeline(incident)) == 1


FORGED = {
    "at": "2026-06-18 15:00:00.000001",
    "kind": "error",
    "text": "nothing happened",
    "by": "nobody",
    "node": "other",
    "evidence": '["E1"]',
    "took": 13_000,
    "previous": "0" * 64,
    "hash": "0" * 64,
}


def test_every_stored_field_is_tried() -> None:
    assert {*FORGED, "seq"} == set(TimelineEntry.model_fields)


def forge(folder: Path, statement: str, *values: object) -> None:
    connection = plain(folder)
    connection.execute(statement, values)
    connection.close()


@pytest.mark.parametrize("column", FORGED)
@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_field_changed_behind_our_back_shows(store: Store, tmp_path: Path, column: str, seq: int) -> None:
    incident = incident_in(store)
    store.append(incident, [draft("a"), draft("b"), draft("c")], None)
    forge(tmp_path, f'UPDATE timeline SET "{column}" = ? WHERE seq = ?', FORGED[column], seq)
    assert store.verify_timeline(incident) == seq


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_an_entry_deleted_behind_our_back_shows_even_at_the_end(store: Store, tmp_path: Path, seq: int) -> None:
    incident = incident_in(store)
    store.append(incident, [draft("a"), draft("b"), draft("c")], None)
    forge(tmp_path, "DELETE FROM timeline WHERE seq = ?", seq)
    assert store.verify_timeline(incident) == seq


def test_a_timeline_that_is_gone_shows(store: Store, tmp_path: Path) -> None:
    incident = incident_in(store)
    store.append(incident, [draft("a"), draft("b")], None)
    forge(tmp_path, "DELETE FROM timeline")
    assert store.verify_timeline(incident) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM timeline WHERE seq = 2",
        "UPDATE timeline SET hash = 'x' WHERE seq = 2",
        "DELETE FROM timeline",
        "UPDATE timeline SET seq = 3 WHERE seq = 2",
        "INSERT INTO timeline SELECT incident_id, 3, NULL, at, kind, text, by, node, evidence, took, previous, hash "
        "FROM timeline WHERE seq = 2",
    ],
)
def test_a_broken_chain_is_not_continued(store: Store, tmp_path: Path, statement: str) -> None:
    incident = incident_in(store)
    store.append(incident, [draft("a"), draft("b")], None)
    forge(tmp_path, statement)
    with pytest.raises(OperatorError, match=f"timeline of {incident} was changed outside whydown at entry 2"):
        store.append(incident, [draft("c")], None)


@pytest.mark.parametrize(("column", "value"), [("kind", "joke"), ("evidence", "["), ("evidence", "7")])
def test_an_entry_that_cannot_be_read_is_one_line_for_the_operator(
    store: Store, tmp_path: Path, column: str, value: str
) -> None:
    incident = incident_in(store)
    store.append(incident, [draft("a")], None)
    forge(tmp_path, f"UPDATE timeline SET {column} = ?", value)
    with pytest.raises(OperatorError, match=r"^timeline entry 1 cannot be read: [^\n]+$"):
        store.timeline(incident)


@pytest.mark.parametrize(("column", "value"), [("at", "yesterday"), ("took", "long")])
def test_a_column_of_another_type_is_one_line_for_the_operator(
    store: Store, tmp_path: Path, column: str, value: str
) -> None:
    incident = incident_in(store)
    store.append(incident, [draft("a")], None)
    forge(tmp_path, f"UPDATE timeline SET {column} = ?", value)
    with pytest.raises(OperatorError, match=rf"^store sqlite:[^\n]+{value}[^\n]+$"):
        store.timeline(incident)


def test_ten_thousand_entries_take_seconds(store: Store) -> None:
    incident = incident_in(store)
    began = time.perf_counter()
    for start in range(0, 10_000, 500):
        store.append(incident, [draft(f"entry {n}", f"k{n}") for n in range(start, start + 500)], None)
    assert [entry.seq for entry in store.timeline(incident)] == list(range(1, 10_001))
    assert store.verify_timeline(incident) is None
    assert time.perf_counter() - began < 20  # 0.7 s on an idle machine
