"""Ends a wait on time: libraries bound one step of a conversation (a look-up, a read), never the whole of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T], expected: tuple[type[Exception], ...]) -> T:
    """What `work` returns, or one of the `expected` exceptions that it raised.

    Raises TimeoutError when it takes longer than `seconds`. Python cannot end a thread: the work goes on in a daemon
    thread, which does not keep the process alive, so the caller closes what it waits for.
    """
    answer: Future[T] = Future()

    def carry() -> None:
        try:
            answer.set_result(work())
        except expected as error:
            answer.set_exception(error)

    Thread(target=carry, daemon=True, name="whydown-wait").start()
    try:
        return answer.result(timeout=seconds)
    except TimeoutError:
        if answer.done():  # the work itself raised it
            raise
        raise TimeoutError(f"no answer within {seconds:g} s") from None
