from __future__ import annotations

import pytest

from agent.errors import CallerError
from evals.suites import LATER, SUITES, suite_named


@pytest.mark.parametrize("name", sorted(SUITES))
def test_a_suite_answers_to_its_name(name: str) -> None:
    assert suite_named(name).name == name


@pytest.mark.parametrize("name", LATER)
def test_suites_to_come_say_so_in_one_line(name: str) -> None:
    with pytest.raises(CallerError, match=f"^suite '{name}' comes in a later version; today there are [a-z, ]+$"):
        suite_named(name)


def test_a_slip_of_the_finger_is_understood() -> None:
    with pytest.raises(CallerError, match="did you mean 'recordings'"):
        suite_named("recording")
    with pytest.raises(CallerError, match="'zzz' is unknown; there are recordings"):
        suite_named("zzz")
