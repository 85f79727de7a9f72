"""Every case of `diff/cases` is read as its head says; whatever text comes, a reading comes back."""

from __future__ import annotations

import pytest

from agent.analysis.diffs import read_diff
from tests.agent.analysis.diff.case_files import Case, all_cases

CASES = all_cases()


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    reading = read_diff(case.diff, case.files)
    told = "\n".join(f"{e.kind.value} {e.name!r} {e.before!r} -> {e.after!r} loop={e.in_loop}" for e in reading.edits)
    for expected in case.expected:
        assert any(expected.fits(edit) for edit in reading.edits), f"missing: {expected.text}\nread:\n{told}"
    for absent in case.absent:
        assert not any(absent.fits(edit) for edit in reading.edits), f"unwanted: {absent.text}\nread:\n{told}"
    if case.inert != "any":
        assert reading.inert == case.inert, told
