"""A lease lives as long as its process works, and not longer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import pytest

from agent.errors import ConflictError
from agent.heartbeat import hold
from tests.agent.investigations import Opened, small_alert

SHORT = timedelta(seconds=0.3)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with Opened(tmp_path) as opened:
        yield opened


def test_it_outlives_its_first_expiry_and_is_given_back(opened: Opened) -> None:
    incident = opened.runner.open(small_alert()).id
    with hold(opened.store, incident, SHORT, Event()):
        sleep(3 * SHORT.total_seconds())
        with pytest.raises(ConflictError, match="another process"), hold(opened.store, incident, SHORT, Event()):
            pass
    with hold(opened.store, incident, SHORT, Event()) as again:
        assert again.lost is None


def test_it_is_given_back_when_the_work_fails(opened: Opened) -> None:
    incident = opened.runner.open(small_alert()).id
    with pytest.raises(ZeroDivisionError), hold(opened.store, incident, SHORT, Event()):
        raise ZeroDivisionError
    with hold(opened.store, incident, SHORT, Event()):
        pass


def test_losing_it_stops_the_work(tmp_path: Path) -> None:
    frozen = datetime.now(UTC)
    with Opened(tmp_path, now=lambda: frozen) as asleep, Opened(tmp_path, ahead=timedelta(hours=1)) as other:
        incident = asleep.runner.open(small_alert()).id
        stop, started = Event(), monotonic()
        with hold(asleep.store, incident, SHORT, stop) as held:
            assert other.store.acquire(incident, "other", timedelta(minutes=1)) is not None
            assert stop.wait(20)
            assert isinstance(held.lost, ConflictError)
        assert monotonic() - started < 20
        assert other.store.acquire(incident, "third", timedelta(minutes=1)) is None, "the other's lease stands"
