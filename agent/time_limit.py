"""Gives a call into foreign code a time limit, so that a backend that hangs costs seconds and not the investigation."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Thread
from time import monotonic
from typing import TypeVar

from tools.evidence import Source, ToolError

T = TypeVar("T")

TROUBLES = (
    ToolError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
)
"""What a backend that is down or lies makes its client raise."""

GLANCE_SECONDS = 0.1
"""How often a waiting call looks whether the investigation was asked to stop."""


class Stopped(Exception):
    """Somebody asked the investigation to stop. It is no failure: the incident can be taken up again."""


def within(seconds: float, stop: Event, work: Callable[[], T]) -> T:
    """What `work` returns, or one of TROUBLES that it raised.

    Raises TimeoutError when it takes longer than `seconds`, Stopped when `stop` is set meanwhile. Python cannot end a
    thread, so a call that hangs is left behind in a daemon thread, which does not keep the process alive.
    """
    answer: Future[T] = Future()

    def carry() -> None:
        try:
            answer.set_result(work())
        except TROUBLES as error:
            answer.set_exception(error)

    Thread(target=carry, daemon=True, name="whydown-tool").start()
    deadline = monotonic() + seconds
    while True:
        left = deadline - monotonic()
        try:
            return answer.result(timeout=max(0.0, min(left, GLANCE_SECONDS)))
        except TimeoutError:
            if answer.done():
                return answer.result()
            if stop.is_set():
                raise Stopped from None
            if left <= 0:
                raise TimeoutError(f"no answer within {seconds:g} s") from None


def answered(source: Source, name: str, seconds: float, stop: Event, work: Callable[[], T]) -> T:
    """What a call into the backend `name` returns. Whatever goes wrong there is a ToolError; `stop` raises Stopped."""
    try:
        return within(seconds, stop, work)
    except ToolError:
        raise
    except TimeoutError as error:
        raise ToolError(source, f"{name}: {error}") from error
    except TROUBLES as error:
        raise ToolError(source, f"{name} failed: {type(error).__name__}: {error}") from error
