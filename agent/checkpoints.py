"""LangGraph's checkpoints in the store's own SQLite file, behind the same lease as every other write.

LangGraph does not lock a thread: two processes that resume one incident would both run it. Here every write of a
checkpoint begins by checking the lease inside its own transaction, so the process that lost it stops at its next step.
A checkpoint is read back with an allow-list; a type that is not on it is not built, whatever the file says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from enum import Enum
from inspect import isclass
from types import ModuleType
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from pydantic import BaseModel

import agent.incident
import tools.evidence
from agent.database import busy_seconds, sqlite_file
from agent.errors import ConflictError, OperatorError
from agent.incident_rows import Round
from agent.leases import Lease, lost

ROUND = "#"
"""Between an incident's id, which never holds it, and the number of a later round of investigation."""

_HELD = "SELECT 1 FROM leases WHERE incident_id = ? AND holder = ? AND token = ?"


def checkpoint_types(*modules: ModuleType) -> tuple[type, ...]:
    """Every value and closed set that the modules define: what a checkpoint may contain.

    Without modules: the vocabulary of `agent.incident` and `tools.evidence`. Times, durations and the containers of
    the standard library are always allowed.
    """
    found = (
        thing
        for module in modules or (tools.evidence, agent.incident)
        for thing in vars(module).values()
        if isclass(thing) and thing.__module__ == module.__name__ and issubclass(thing, BaseModel | Enum)
    )
    return tuple(sorted(found, key=lambda kind: (kind.__module__, kind.__name__)))


def serializer(types: Collection[type]) -> JsonPlusSerializer:
    """A serializer that builds only these types; anything else comes back as the plain data it was made of."""
    return JsonPlusSerializer(allowed_msgpack_modules=[(kind.__module__, kind.__name__) for kind in types])


class FencedSqliteSaver(SqliteSaver):
    """Checkpoints of one incident, writable only while `lease` holds. See `thread_of` for the thread's id."""

    def __init__(self, conn: sqlite3.Connection, lease: Lease, types: Collection[type]) -> None:
        super().__init__(conn, serde=serializer(types))
        self.lease = lease

    @contextmanager
    def cursor(self, transaction: bool = True) -> Generator[sqlite3.Cursor]:
        """One transaction. A write takes the database's write lock, checks the lease, and is undone by any exception.

        The inherited one commits even when an exception passes through it.
        """
        with self.lock, _named_errors(self.lease):
            self.setup()
            cursor = self.conn.cursor()
            try:
                if transaction:
                    cursor.execute("BEGIN IMMEDIATE")
                    self._check(cursor)
                yield cursor
                if transaction:
                    cursor.execute("COMMIT")
            finally:
                if self.conn.in_transaction:
                    cursor.execute("ROLLBACK")
                cursor.close()

    def _check(self, cursor: sqlite3.Cursor) -> None:
        lease = self.lease
        if cursor.execute(_HELD, (lease.incident, lease.holder, lease.token)).fetchone() is None:
            raise lost(lease)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint; raises ConflictError when the lease was lost or is not for this thread."""
        self._own(config)
        return super().put(config, checkpoint, metadata, new_versions)

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Save what one task wrote; raises ConflictError when the lease was lost or is not for this thread."""
        self._own(config)
        super().put_writes(config, writes, task_id, task_path)

    def delete_thread(self, thread_id: str) -> None:
        """Forget a thread; raises ConflictError when the lease was lost or is not for this thread."""
        self._own({"configurable": {"thread_id": thread_id}})
        super().delete_thread(thread_id)

    def _own(self, config: RunnableConfig) -> None:
        thread = config.get("configurable", {}).get("thread_id")
        if thread is None or str(thread).partition(ROUND)[0] != self.lease.incident:
            raise ConflictError(f"the lease of {self.lease.incident} does not cover thread {thread!r}")


def thread_of(incident: str, round_: Round) -> str:
    """The LangGraph thread of one round of investigation."""
    return incident if round_.number == 1 else f"{incident}{ROUND}{round_.number}"


@contextmanager
def open_checkpoints(url: str, lease: Lease, types: Collection[type] | None = None) -> Generator[FencedSqliteSaver]:
    """The checkpoints of the leased incident, in the file of the (already opened) store at `url`.

    `types` is what a checkpoint may contain, `checkpoint_types()` when not given. Raises OperatorError when the URL is
    not a SQLite file or the file cannot be used.
    """
    with _named_errors(lease):
        connection = sqlite3.connect(
            sqlite_file(url), timeout=busy_seconds(url), check_same_thread=False, isolation_level=None
        )
    try:
        with _named_errors(lease):
            connection.execute("PRAGMA synchronous = FULL")
        yield FencedSqliteSaver(connection, lease, checkpoint_types() if types is None else types)
    finally:
        connection.close()


@contextmanager
def _named_errors(lease: Lease) -> Generator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise OperatorError(f"checkpoints of {lease.incident}: {' '.join(str(error).split())}") from error
