from __future__ import annotations

import pytest

from agent.errors import CallerError
from evals.suites import SUITES, suite_named


@pytest.mark.parametrize("name", sorted(SUITES))
def test_a_suite_answers_to_its_name(name: str) -> None:
    assert suite_named(name).name == name


def test_a_slip_of_the_finger_is_understood() -> None:
    with pytest.raises(CallerError, match="did you mean 'recordings'"):
        suite_named("recording")
    with pytest.raises(CallerError, match=r"'zzz' is unknown; there are [a-z, ]*recordings"):
        suite_named("zzz")
