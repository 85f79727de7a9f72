"""Holds the lease of one incident while a process works on it, and gives it back at the end."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread

from agent.errors import ConflictError, OperatorError
from agent.store import Lease, Store

BEATS_PER_LEASE = 3
"""Renewals within the life of a lease: two may fail before it is lost."""


@dataclass
class Hold:
    """A lease that a thread keeps alive."""

    lease: Lease
    stop: Event
    """Set when the lease was lost: what is done from then on cannot be written any more."""
    lost: ConflictError | None = None


@contextmanager
def hold(store: Store, incident_id: str, duration: timedelta, stop: Event) -> Generator[Hold]:
    """The lease of an incident for the length of the block; raises ConflictError while another process has it."""
    lease = store.acquire(incident_id, holder_name(), duration)
    if lease is None:
        raise ConflictError(f"incident {incident_id} is being investigated by another process")
    held, over = Hold(lease, stop), Event()
    beat = Thread(target=_beat, args=(store, held, duration, over), daemon=True, name="whydown-lease")
    beat.start()
    try:
        yield held
    finally:
        over.set()
        beat.join()
        store.release(lease)


def holder_name() -> str:
    """Host and process, and a mark that tells two runs inside one process apart."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"


def _beat(store: Store, held: Hold, duration: timedelta, over: Event) -> None:
    while not over.wait(duration.total_seconds() / BEATS_PER_LEASE):
        try:
            store.renew(held.lease, duration)
        except ConflictError as error:
            held.lost = error
            held.stop.set()
            return
        except OperatorError:
            continue  # a database that is busy now may answer the next beat; fencing guards the writes meanwhile
