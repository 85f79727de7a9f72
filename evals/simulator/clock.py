"""Simulated time: processes that sleep and wait, and pools they queue for.

A process is a generator. It yields a number of seconds to sleep, or a `Signal` to wait for. Everything that happens at
the same moment happens in the order in which it was asked for, so one seed gives one history.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, TypeAlias


class Signal:
    """Something that happens once. The first value counts; later ones are ignored (a reply after the deadline)."""

    __slots__ = ("_listener", "fired", "value")

    def __init__(self) -> None:
        self.fired = False
        self.value: Any = None
        self._listener: Callable[[Any], None] | None = None

    def fire(self, value: Any) -> bool:  # noqa: ANN401 - whatever the two ends agreed on
        """Say that it happened; False when it had happened before."""
        if self.fired:
            return False
        self.fired, self.value = True, value
        if self._listener is not None:
            self._listener(value)
        return True

    def listen(self, listener: Callable[[Any], None]) -> None:
        self._listener = listener


Process: TypeAlias = Generator[float | Signal, Any, None]
Answering: TypeAlias = Generator[float | Signal, Any, str]
"""A process that ends with a word; "" means that all went well."""


class Clock:
    """Runs processes in the order of simulated time; `now` is seconds since the start of the simulation."""

    def __init__(self) -> None:
        self.now = 0.0
        self._queue: list[tuple[float, int, Callable[..., Any], tuple[Any, ...]]] = []
        self._asked = 0

    def after(self, seconds: float, action: Callable[..., Any], *arguments: Any) -> None:  # noqa: ANN401 - passed on
        """Call `action` that many seconds from now."""
        self._asked += 1
        heapq.heappush(self._queue, (self.now + max(seconds, 0.0), self._asked, action, arguments))

    def start(self, process: Process) -> None:
        """Let a process run until it first sleeps or waits."""
        self._step(process, None)

    def run(self, until: float) -> None:
        """Let everything happen that happens before `until`."""
        while self._queue and self._queue[0][0] < until:
            self.now, _, action, arguments = heapq.heappop(self._queue)
            action(*arguments)
        self.now = until

    def _step(self, process: Process, value: Any) -> None:  # noqa: ANN401 - what the process waited for
        try:
            wanted = process.send(value)
            while isinstance(wanted, Signal) and wanted.fired:
                wanted = process.send(wanted.value)
        except StopIteration:
            return
        if isinstance(wanted, Signal):
            # Through the queue rather than at once: a process is never stepped from inside its own step.
            wanted.listen(lambda answer: self.after(0.0, self._step, process, answer))
        else:
            self.after(wanted, self._step, process, None)


class Pool:
    """`size` things handed out in the order of asking: workers, processor cores, connections."""

    def __init__(self, clock: Clock, size: int) -> None:
        self._clock = clock
        self.size = size
        self.in_use = 0
        self._waiting: deque[Signal] = deque()
        self._busy_seconds = 0.0
        self._counted_until = clock.now

    @property
    def waiting(self) -> int:
        return sum(not signal.fired for signal in self._waiting)

    def ask(self, patience_s: float | None = None) -> Signal:
        """A signal that fires True when one is handed out, and False when the patience ran out first."""
        signal = Signal()
        if self.in_use < self.size:
            self._count()
            self.in_use += 1
            signal.fire(True)
            return signal
        self._waiting.append(signal)
        if patience_s is not None:
            self._clock.after(patience_s, signal.fire, False)
        return signal

    def give_back(self) -> None:
        """Hand the thing to whoever waits longest, or put it back."""
        while self._waiting:
            if self._waiting.popleft().fire(True):
                return
        self._count()
        self.in_use -= 1

    def grow(self, more: int) -> None:
        """Add things to the pool; those who wait get them first."""
        self._count()
        self.size += more
        while self.in_use < self.size and self._waiting:
            if self._waiting.popleft().fire(True):
                self.in_use += 1

    def busy_seconds(self) -> float:
        """Sum of the seconds each thing was out, since the last call of this method."""
        self._count()
        busy, self._busy_seconds = self._busy_seconds, 0.0
        return busy

    def _count(self) -> None:
        self._busy_seconds += self.in_use * (self._clock.now - self._counted_until)
        self._counted_until = self._clock.now
