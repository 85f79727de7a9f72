from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import CallerError
from evals.case_folders import case_folders


def numbered(path: Path) -> str | None:
    return path.parent.name if path.parent.name != "other" else None


def test_cases_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("case_10", "case_2", "other"):
        (tmp_path / "deep" / name).mkdir(parents=True)
        (tmp_path / "deep" / name / "data.csv").touch()
    found = case_folders(tmp_path, "data.csv", numbered, "data.csv")
    assert list(found) == ["case_2", "case_10"]
    assert found["case_2"] == tmp_path / "deep" / "case_2" / "data.csv"


def test_what_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=r"^--data .*nowhere: there is no such folder$"):
        case_folders(tmp_path / "nowhere", "data.csv", numbered, "data.csv")
    with pytest.raises(CallerError, match=r": no <n>/data\.csv lies in it$"):
        case_folders(tmp_path, "data.csv", numbered, "<n>/data.csv")
    for parent in ("a", "b"):
        (tmp_path / parent / "1").mkdir(parents=True)
        (tmp_path / parent / "1" / "data.csv").touch()
    with pytest.raises(CallerError, match="'1' lies in it more than once"):
        case_folders(tmp_path, "data.csv", numbered, "data.csv")
