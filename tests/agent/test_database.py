from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.database import busy_seconds, open_database, parse_url, sqlite_file
from agent.errors import CallerError, OperatorError
from agent.migrations import HEAD
from agent.store import Store
from tests.agent.store_samples import Clock, alert, draft, incident_in, plain, url_of

ONE_LINE = r"^store [^\n]*{}[^\n]*$"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(url_of(tmp_path) + "?timeout=0.05", Clock()) as opened:
        yield opened


def pragma(store: Store, statement: str) -> object:
    """Run a PRAGMA on the store's one pooled connection, which keeps it."""
    with store._engine.connect() as connection:
        result = connection.exec_driver_sql(f"PRAGMA {statement}")
        return result.scalar() if result.returns_rows else None


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "is not a database URL"),
        ("whydown.db", "is not a database URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://whydown.db", "names no file"),
        ("oracle://db/x", "unknown database 'oracle'; known: sqlite"),
        ("sqlite+aiosqlite:///x.db", "unknown database 'sqlite\\+aiosqlite'"),
        ("nonsense://x", "unknown database 'nonsense'"),
        ("sqlite:///x.db?mode=ro", "unknown option 'mode'; known: timeout"),
        ("sqlite:///x.db?timeout=soon", "timeout 'soon' is not a number of seconds"),
        ("sqlite:///x.db?timeout=nan", "timeout 'nan' is not a number of seconds"),
        ("sqlite:///x.db?timeout=-1", "timeout '-1' is not a number of seconds"),
    ],
)
def test_a_url_that_cannot_be_opened_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OperatorError, match=ONE_LINE.format(complaint)):
        Store.open(url)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["nonsense://ana:secret@host/x", "sqlite://ana:secret@host/x", "://ana:secret@host"])
def test_a_password_is_never_shown(url: str) -> None:
    with pytest.raises(OperatorError) as raised:
        parse_url(url)
    assert "secret" not in str(raised.value)


def test_a_postgres_url_without_its_driver_is_one_line() -> None:
    with pytest.raises(OperatorError, match=ONE_LINE.format("psycopg")) as raised:
        Store.open("postgresql+psycopg://ana:secret@db.example/whydown")
    assert "secret" not in str(raised.value)


def test_only_a_sqlite_url_names_a_file() -> None:
    assert sqlite_file("sqlite:////var/lib/whydown.db") == Path("/var/lib/whydown.db")
    assert sqlite_file("sqlite:///whydown.db?timeout=3") == Path("whydown.db")
    with pytest.raises(OperatorError, match=r"only sqlite:///FILE"):
        sqlite_file("postgresql://db.example/whydown")


def test_the_time_to_wait_is_part_of_the_url() -> None:
    assert busy_seconds("sqlite:///x.db") == 10
    assert busy_seconds("sqlite:///x.db?timeout=0.5") == 0.5


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'a' / 'b' / 'whydown.db'}") as store:
        assert store.incidents() == []


@pytest.mark.parametrize("what", ["a file where a folder should be", "a folder where the file should be"])
def test_a_place_that_cannot_hold_the_file_is_one_line(tmp_path: Path, what: str) -> None:
    if what.startswith("a file"):
        (tmp_path / "x").write_text("")
        url = f"sqlite:///{tmp_path / 'x' / 'whydown.db'}"
    else:
        (tmp_path / "whydown.db").mkdir()
        url = url_of(tmp_path)
    with pytest.raises(OperatorError, match=ONE_LINE.format("")):
        Store.open(url)


@pytest.mark.parametrize("content", [b"hello, this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_one_line_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "whydown.db").write_bytes(content)
    with pytest.raises(OperatorError, match=ONE_LINE.format("not a database")):
        Store.open(url_of(tmp_path))
    assert (tmp_path / "whydown.db").read_bytes() == content


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    with Store.open(url_of(tmp_path), Clock()) as store:
        incident = incident_in(store)
        store.append(incident, [draft(str(n) * 500) for n in range(200)], None)
    file = tmp_path / "whydown.db"
    content = bytearray(file.read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    file.write_bytes(content)
    with Store.open(url_of(tmp_path)) as store, pytest.raises(OperatorError, match=ONE_LINE.format("malformed")):
        store.timeline(incident)


def test_a_locked_database_is_one_line_and_works_again_afterwards(store: Store, tmp_path: Path) -> None:
    incident = incident_in(store)
    other = plain(tmp_path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperatorError, match=ONE_LINE.format("database is locked")):
        store.append(incident, [draft()], None)
    assert store.timeline(incident) == []
    other.execute("ROLLBACK")
    other.close()
    assert len(store.append(incident, [draft()], None)) == 1


def test_a_read_only_database_can_be_read_and_refuses_writes_in_one_line(store: Store) -> None:
    incident = incident_in(store)
    pragma(store, "query_only = ON")
    with pytest.raises(OperatorError, match=ONE_LINE.format("readonly")):
        store.append(incident, [draft()], None)
    assert store.incident(incident).id == incident


def test_a_full_disk_is_one_line_and_loses_nothing(store: Store) -> None:
    incident = incident_in(store)
    store.append(incident, [draft("before")], None)
    pragma(store, f"max_page_count = {pragma(store, 'page_count')}")
    with pytest.raises(OperatorError, match=ONE_LINE.format("full")):
        store.append(incident, [draft("x" * 100_000)], None)
    assert [entry.text for entry in store.timeline(incident)] == ["before"]
    assert store.verify_timeline(incident) is None


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    Store.open(url_of(tmp_path)).close()
    connection = plain(tmp_path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(OperatorError, match=ONE_LINE.format(f"has schema 9999, this whydown knows {HEAD}")):
        Store.open(url_of(tmp_path))
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    connection.close()


def test_somebody_elses_tables_are_one_line(tmp_path: Path) -> None:
    connection = plain(tmp_path)
    connection.execute("CREATE TABLE incidents (name TEXT)")
    with pytest.raises(OperatorError, match=ONE_LINE.format("already exists")):
        Store.open(url_of(tmp_path))
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("incidents",)]
    connection.close()


def test_a_commit_is_on_disk_before_anybody_hears_of_it(store: Store) -> None:
    assert [pragma(store, name) for name in ("journal_mode", "synchronous", "foreign_keys")] == ["wal", 2, 1]


def test_a_write_that_fails_half_way_leaves_nothing(store: Store) -> None:
    incident = incident_in(store)
    with pytest.raises(CallerError, match="a text cannot be stored"):
        store.append(incident, [draft("good"), draft("half a pair \ud800")], None)
    assert store.timeline(incident) == []


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_half_a_surrogate_pair_is_the_callers_error_everywhere(store: Store, text: str) -> None:
    incident = incident_in(store)
    with pytest.raises(CallerError, match=r"^a text cannot be stored: [^\n]+$"):
        store.create_incident(alert().model_copy(update={"labels": {"zone": text}}))
    with pytest.raises(CallerError, match=r"^a text cannot be stored: [^\n]+$"):
        store.put_document(incident, "x", text)


def test_a_current_database_opens_without_loading_alembic(tmp_path: Path) -> None:
    Store.open(url_of(tmp_path)).close()
    program = (
        "import sys; from agent.store import Store; Store.open(sys.argv[1]).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, url_of(tmp_path)], check=False).returncode == 0


def test_a_first_start_waits_for_another_one_that_is_about_to_write(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "whydown.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.2, other.execute, ["ROLLBACK"])
    timer.start()
    with Store.open(url_of(tmp_path)) as store:
        assert store.incidents() == []
    timer.join()
    other.close()


def test_a_first_start_does_not_wait_for_ever(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "whydown.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperatorError, match=ONE_LINE.format("database is locked")):
        Store.open(url_of(tmp_path) + "?timeout=0.05")
    other.close()


def test_first_starts_at_the_same_moment_meet_one_schema(tmp_path: Path) -> None:
    program = (
        "import sys; from agent.store import Store; import alembic.command; sys.stdin.readline(); "
        "Store.open(sys.argv[1]).close()"
    )
    command = [sys.executable, "-c", program, url_of(tmp_path)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in started] == [""] * 4
    with Store.open(url_of(tmp_path)) as store:
        assert store.incidents() == []


def test_opening_and_closing_leaves_no_connection(tmp_path: Path) -> None:
    with Store.open(url_of(tmp_path), Clock()) as store:
        incident_in(store)
    # The last connection to a write-ahead log removes it: a file beside the database is a connection left open.
    assert [found.name for found in tmp_path.iterdir()] == ["whydown.db"]


def test_a_failed_opening_closes_what_it_opened(tmp_path: Path) -> None:
    open_database(url_of(tmp_path)).dispose()
    connection = plain(tmp_path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(OperatorError):
        open_database(url_of(tmp_path))
    assert [found.name for found in tmp_path.iterdir()] == ["whydown.db"]
