"""Many questions to one server: a few at once, none after the time is up, and what failed told once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

from tools.evidence import Source, ToolError
from tools.live.notebook import Notebook

AT_ONCE = 4
"""Questions under way: a server runs twenty at once for everybody, and whydown is not the only one during an incident."""

T = TypeVar("T")


class Errands:
    """The questions of one call. The time begins with the object."""

    def __init__(self, notes: Notebook, seconds: float, source: Source = Source.METRICS) -> None:
        self._notes = notes
        self._source = source
        self._seconds = seconds
        self._deadline = monotonic() + seconds

    def run(self, questions: Sequence[Callable[[], T]], else_: str, about: Sequence[str] = ()) -> list[T]:
        """The answers there are, in the order of the questions; `else_` is what it means that there are no more.

        `about` says what each question is about, for the note on those without an answer.
        """

        def asked(question: Callable[[], T]) -> tuple[T] | ToolError | None:
            if monotonic() > self._deadline:
                return None
            try:
                return (question(),)
            except ToolError as error:
                return error

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="whydown-errands") as pool:
            answers: list[tuple[T] | ToolError | None] = list(pool.map(asked, questions))
        lost = [name for name, answer in zip(about, answers, strict=False) if not isinstance(answer, tuple)]
        self._tell(answers, f"{else_} ({shown(lost)})" if lost else else_)
        return [answer[0] for answer in answers if isinstance(answer, tuple)]

    def _tell(self, answers: Sequence[object], else_: str) -> None:
        failed = [answer for answer in answers if isinstance(answer, ToolError)]
        unasked = sum(1 for answer in answers if answer is None)
        if failed:
            self._note(f"{else_}: {len(failed)} of {len(answers)} questions failed: {failed[0].message}")
        if unasked:
            self._note(
                f"{else_}: {unasked} of {len(answers)} questions were not asked, because {self._seconds:g} s were over; "
                "a longer timeout_seconds sees more"
            )

    def _note(self, text: str) -> None:
        self._notes.add(self._source, text)


def shown(names: Iterable[str]) -> str:
    """The first few names."""
    listed = list(names)
    return ", ".join(listed[:3]) + (", ..." if len(listed) > 3 else "")
