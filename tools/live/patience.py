"""Ends a wait on time: libraries bound one step of a conversation (a look-up, a read), never the whole of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class _Handed:
    """Whatever the work raises is raised where its answer is waited for."""

    def __init__(self, answer: Future[Any]) -> None:
        self._answer = answer

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None:
            self._answer.set_exception(error)
        return True


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns, or what it raised.

    Raises TimeoutError when it takes longer than `seconds`. Python cannot end a thread: the work goes on in a daemon
    thread, which does not keep the process alive, so the caller closes what it waits for.
    """
    answer: Future[T] = Future()

    def carry() -> None:
        with _Handed(answer):
            answer.set_result(work())

    Thread(target=carry, daemon=True, name="whydown-wait").start()
    try:
        return answer.result(timeout=seconds)
    except TimeoutError:
        if answer.done():  # the work itself raised it
            raise
        raise TimeoutError(f"no answer within {seconds:g} s") from None
