"""Many questions to one server under one time limit: a few at once, and nothing asked twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

from pydantic import JsonValue

from tools.evidence import Source, ToolError
from tools.live.access import Access
from tools.live.http import Http, Params

AT_ONCE = 4
"""Questions under way: platforms ask their callers to go easy, and whydown is not the only one during an incident."""

T = TypeVar("T")


class Enquiry:
    """The questions of one call. Its time begins with the object; every question gets what is left of it."""

    def __init__(self, access: Access, source: Source, asking: Http, name: str) -> None:
        self._access = access
        self._source = source
        self._asking = asking
        self._name = name
        self._deadline = monotonic() + access.timeout_seconds
        self._answers: dict[tuple[str, str], JsonValue] = {}

    @property
    def over(self) -> bool:
        return monotonic() >= self._deadline

    def get_json(self, path: str, params: Params | None = None) -> JsonValue:
        """The JSON that the path answers with, remembered for the rest of the call. Raises ToolError."""
        key = (path, repr(sorted((params or {}).items())))
        if key not in self._answers:
            self._answers[key] = self._in_time().get_json(path, params)
        return self._answers[key]

    def all(self, questions: Sequence[Callable[[], T]]) -> list[T | ToolError]:
        """Each answer, or why there is none, in the order of the questions."""

        def asked(question: Callable[[], T]) -> T | ToolError:
            try:
                return question()
            except ToolError as error:
                return error

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="whydown-changes") as pool:
            return list(pool.map(asked, questions))

    def error(self, why: str) -> ToolError:
        return self._asking.error(why)

    def _in_time(self) -> Http:
        """The same conversation with the time that is left, so that the last question cannot double the whole."""
        left = self._deadline - monotonic()
        if left <= 0:
            raise self.error(f"was not asked further, because {self._access.timeout_seconds:g} s were over")
        hurried = Http(self._access.model_copy(update={"timeout_seconds": left}), self._source, self._name)
        hurried.session = self._asking.session
        return hurried
