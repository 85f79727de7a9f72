"""Opening the database: engine, transactions, schema. The only place that knows which database it is.

A transaction that writes takes SQLite's write lock at its first statement, so what it read stays true until it
commits; on PostgreSQL the same is had by locking the incident's row (`SELECT ... FOR UPDATE`). SQLite runs with a
write-ahead log and `synchronous=FULL`: a commit that returned survives a power cut (https://sqlite.org/pragma.html).
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from pydantic_core import PydanticSerializationError
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, TimeoutError as PoolTimeoutError

from agent.errors import CallerError, OperatorError
from agent.migrations import HEAD, KNOWN, upgrade

# Longer than any transaction of ours takes; a database locked for longer has somebody else's shell open on it.
BUSY_TIMEOUT = timedelta(seconds=10)
RETRY_AFTER = timedelta(milliseconds=20)
LONGEST_TIMEOUT = timedelta(hours=1)
MIGRATION_LOCK = 0x77686479  # "whdy"; any number that other users of the same PostgreSQL server do not take
DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
_WRITE = {"whydown_write": True}


def parse_url(url: str) -> URL:
    """The parsed store URL; raises OperatorError for one that names no file or no known database."""
    shown = re.sub(r"//[^@/]*@", "//***@", url)
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise OperatorError(f"store URL {shown!r} is not a database URL; write sqlite:///whydown.db") from error
    if parsed.drivername not in DRIVERS:
        raise OperatorError(f"store URL {shown!r}: unknown database {parsed.drivername!r}; known: {', '.join(DRIVERS)}")
    if parsed.get_backend_name() != "sqlite":
        return parsed
    if parsed.host or parsed.database in {None, "", ":memory:"}:
        raise OperatorError(f"store URL {shown!r} names no file; write sqlite:///whydown.db or sqlite:////var/lib/x.db")
    unknown = sorted(set(parsed.query) - {"timeout"})
    if unknown:
        raise OperatorError(f"store URL {shown!r}: unknown option {unknown[0]!r}; known: timeout (seconds)")
    return parsed


def sqlite_file(url: str) -> Path:
    """The file of a SQLite URL; raises OperatorError for any other URL."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database is None:
        raise OperatorError(f"store URL {parsed.render_as_string()!r}: only sqlite:///FILE is supported here")
    return Path(parsed.database)


def busy_seconds(url: str) -> float:
    """How long to wait for another writer: `?timeout=` of the URL, else BUSY_TIMEOUT; raises OperatorError."""
    asked = parse_url(url).query.get("timeout", str(BUSY_TIMEOUT.total_seconds()))
    try:
        seconds = float(str(asked))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_TIMEOUT.total_seconds():
        raise OperatorError(f"store URL {url!r}: timeout {asked!r} is not a number of seconds from 0 to 3600")
    return seconds


def open_database(url: str) -> Engine:
    """An engine on a database with the current schema, which is created or migrated where needed.

    Raises OperatorError (one line) when the database cannot be opened, is not one of ours or is newer than this code.
    """
    engine = _engine(url)
    try:
        if engine.dialect.name == "sqlite":
            with _named_errors(engine):
                _use_write_ahead_log(url)
        with reading(engine) as connection:
            current = _revision(connection) == HEAD
        if not current:
            with writing(engine) as connection:
                _migrate(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _engine(url: str) -> Engine:
    parsed = parse_url(url)
    try:
        if parsed.get_backend_name() != "sqlite":
            return create_engine(parsed, pool_pre_ping=True)
        sqlite_file(url).parent.mkdir(parents=True, exist_ok=True)
        # Threads wait for SQLite's write lock, not for a connection: those are cheap.
        engine = create_engine(parsed, connect_args={"timeout": busy_seconds(url)}, max_overflow=-1)
    except (ModuleNotFoundError, OSError) as error:
        raise OperatorError(f"store {parsed.render_as_string()}: {_one_line(error)}") from error
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _use_write_ahead_log(url: str) -> None:
    """Switch a new file to the write-ahead log, which it then remembers.

    SQLite refuses this at once, whatever its timeout, while somebody else is just about to write, as another first
    start is. So the waiting is done here.
    """
    patience = time.monotonic() + busy_seconds(url)
    with closing(sqlite3.connect(sqlite_file(url), timeout=busy_seconds(url), isolation_level=None)) as connection:
        while True:
            try:
                if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                    connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= patience:
                    raise
            time.sleep(RETRY_AFTER.total_seconds())


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the begin event below says when a transaction starts, not the driver
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("whydown_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Generator[Connection]:
    """One transaction that writes: committed at the end, rolled back by any exception."""
    with _named_errors(engine), engine.connect().execution_options(**_WRITE) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """One transaction that only reads, so that several queries see the same moment."""
    # SQLite's readers see one moment anyway; PostgreSQL's have to ask for it.
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with _named_errors(engine), engine.connect().execution_options(**options) as connection:
        yield connection


@contextmanager
def _named_errors(engine: Engine) -> Generator[None]:
    """One line for the operator out of what the driver raises: locked, read-only, full, corrupt, not a database.

    A ValueError is a column that holds something else than its type, as a moment that is no moment; half a surrogate
    pair in a text, which JSON can carry and UTF-8 cannot, is the caller's.
    """
    try:
        yield
    except (UnicodeEncodeError, PydanticSerializationError) as error:
        raise CallerError(f"a text cannot be stored: {_one_line(error)}") from error
    except (DBAPIError, PoolTimeoutError, sqlite3.Error, ValueError) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        raise OperatorError(f"store {engine.url.render_as_string()}: {_one_line(cause)}") from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _migrate(connection: Connection) -> None:
    """Bring the schema to HEAD inside the caller's transaction, so that two first starts do not meet half-way.

    The revision is read again, now under the lock: somebody else may just have done it.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    at = _revision(connection)
    if at == HEAD:
        return
    if at is not None and at not in KNOWN:
        where = connection.engine.url.render_as_string()
        raise OperatorError(f"store {where} has schema {at}, this whydown knows {HEAD}; use a newer whydown")
    upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
