from __future__ import annotations

from threading import Event
from time import monotonic

import pytest

from tools.live.patience import within


def test_what_the_work_returns() -> None:
    assert within(5, lambda: 7) == 7


def test_what_the_work_raises() -> None:
    def fails() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        within(5, fails)


def test_work_that_hangs_is_left_behind() -> None:
    end = Event()
    begun = monotonic()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
        within(0.05, lambda: end.wait(30))
    end.set()
    assert monotonic() - begun < 1


def test_a_timeout_of_the_work_is_its_own() -> None:
    def gives_up() -> None:
        raise TimeoutError("after 3 reads")

    with pytest.raises(TimeoutError, match="after 3 reads"):
        within(5, gives_up)
