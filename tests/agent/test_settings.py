"""Settings come from a file and WHYDOWN_* variables, and a wrong one is named."""

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


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    named = tmp_path / "whydown.toml"
    monkeypatch.setenv("WHYDOWN_CONFIG", str(named))
    return named


def test_the_file_is_read_and_a_variable_wins(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(
        """
        lookback_minutes = 60
        budget_tool_calls = 9
        [metrics]
        kind = "prometheus"
        url = "http://127.0.0.1:9090"
        [[changes]]
        kind = "git"
        path = "/srv/code"
        """
    )
    monkeypatch.setenv("WHYDOWN_BUDGET_TOOL_CALLS", "7")
    monkeypatch.setenv("WHYDOWN_METRICS__URL", "http://127.0.0.1:9999")
    settings = read_settings()
    assert (settings.lookback_minutes, settings.budget_tool_calls) == (60, 7)
    assert settings.metrics == {"kind": "prometheus", "url": "http://127.0.0.1:9999"}
    assert settings.changes == ({"kind": "git", "path": "/srv/code"},)


def test_a_secret_may_stand_in_a_variable(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('[[changes]]\nkind = "github"\nbearer_token = "$FORGE_TOKEN"\nurls = ["${FORGE_TOKEN}", "a$b"]\n')
    monkeypatch.setenv("FORGE_TOKEN", "t0k3n")
    assert read_settings().changes == ({"kind": "github", "bearer_token": "t0k3n", "urls": ["t0k3n", "a$b"]},)


def test_a_variable_that_is_not_set_is_named(file: Path) -> None:
    file.write_text('[metrics]\nkind = "prometheus"\nbearer_token = "$METER_TOKEN"\n')
    with pytest.raises(OperatorError, match=r"metrics\.bearer_token = \$METER_TOKEN: there is no variable METER_TOKEN"):
        read_settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "lookback_minuts = 5",
            r"whydown.toml: lookback_minuts = 5: there is no such setting; did you mean 'lookback_",
        ),
        ("lookback_minutes = 1", r"whydown.toml: lookback_minutes = 1: .*greater than or equal to 5"),
        ("lookback_minutes = ", r"whydown.toml: cannot be read: Invalid value"),
        ("metrics = 3", r"whydown.toml: metrics = 3: .*"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(OperatorError, match=said):
        read_settings()


def test_a_file_that_is_named_must_be_there(file: Path) -> None:
    with pytest.raises(OperatorError, match=r"WHYDOWN_CONFIG=.*: there is no such file"):
        read_settings()


def test_the_users_own_file_is_found(tmp_path: Path) -> None:
    own = tmp_path / ".config" / "whydown" / "whydown.toml"
    own.parent.mkdir(parents=True)
    own.write_text("lookback_minutes = 33")
    assert read_settings().lookback_minutes == 33
