"""A call into foreign code ends in time, whatever it does."""

from __future__ import annotations

import threading
from threading import Event
from time import monotonic, sleep

import pytest

from agent.time_limit import Stopped, within
from tools.evidence import Source, ToolError


def test_an_answer_comes_through() -> None:
    assert within(5, Event(), lambda: 7) == 7


def test_an_error_comes_through() -> None:
    def fail() -> None:
        raise ToolError(Source.LOGS, "no")

    with pytest.raises(ToolError, match="no"):
        within(5, Event(), fail)


def test_a_time_out_of_the_call_itself_is_told_apart_from_ours() -> None:
    def fail() -> None:
        raise TimeoutError("the server said so")

    with pytest.raises(TimeoutError, match="the server said so"):
        within(5, Event(), fail)


def test_a_call_that_hangs_is_left_behind() -> None:
    released, started = Event(), monotonic()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
        within(0.05, Event(), released.wait)
    assert monotonic() - started < 3
    released.set()


def test_a_stop_does_not_wait_for_the_limit() -> None:
    stop, released, started = Event(), Event(), monotonic()
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(Stopped):
        within(60, stop, released.wait)
    assert monotonic() - started < 3
    released.set()


def test_an_answer_that_is_there_is_taken_even_when_stopped() -> None:
    stop = Event()
    stop.set()
    assert within(5, stop, lambda: 7) == 7


def test_no_thread_stays() -> None:
    before = threading.active_count()
    for number in range(50):
        within(5, Event(), lambda n=number: n)
    sleep(0.05)
    assert threading.active_count() == before
