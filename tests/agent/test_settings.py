"""Settings come from WHYDOWN_* variables only, and a wrong one is named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.errors import OperatorError
from agent.settings import read_settings


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.environ", {"HOME": str(tmp_path), "USER": "ada", "LOGNAME": "ada"})


def test_defaults_need_no_environment(tmp_path: Path) -> None:
    settings = read_settings()
    assert settings.store == f"sqlite:///{tmp_path}/.local/state/whydown/whydown.db"
    assert settings.operator == "ada"
    assert settings.approval_expiry is None
    assert settings.lease_duration == timedelta(seconds=30)


def test_the_state_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("os").environ, "XDG_STATE_HOME", "/var/state")
    assert read_settings().store == "sqlite:////var/state/whydown/whydown.db"


def test_a_variable_is_read_and_an_empty_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYDOWN_BUDGET_TOOL_CALLS", "7")
    monkeypatch.setenv("WHYDOWN_APPROVAL_MINUTES", "5")
    monkeypatch.setenv("WHYDOWN_OPERATOR", "")
    settings = read_settings()
    assert settings.budget_tool_calls == 7
    assert settings.approval_expiry == timedelta(minutes=5)
    assert settings.operator == "ada"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        read_settings().store = "sqlite:///other.db"  # type: ignore[misc]


def test_an_unknown_variable_gets_a_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYDOWN_APROVAL_MINUTES", "5")
    with pytest.raises(OperatorError) as refused:
        read_settings()
    assert str(refused.value) == (
        "WHYDOWN_APROVAL_MINUTES=5: there is no such setting; did you mean 'approval_minutes'?"
    )


def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYDOWN_BUDGET_SECONDS", "soon")
    with pytest.raises(OperatorError, match=r"WHYDOWN_BUDGET_SECONDS=soon: .*number"):
        read_settings()
