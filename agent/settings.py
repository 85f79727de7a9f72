"""The only reader of the environment: WHYDOWN_* variables, typed, read once, frozen."""

from __future__ import annotations

import getpass
import os
from datetime import timedelta
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.errors import OperatorError
from tools.words import did_you_mean

PREFIX = "WHYDOWN_"


def _store_url() -> str:
    """SQLite in the user's state folder (XDG Base Directory Specification 0.8)."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return f"sqlite:///{state / 'whydown' / 'whydown.db'}"


def cache_folder() -> Path:
    """Where what can be made again is kept (XDG Base Directory Specification 0.8): `$XDG_CACHE_HOME/whydown`."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path.home() / ".cache") / "whydown"


def _operator() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run under a number that has no name
        return "operator"


class Settings(BaseSettings):
    """How this installation works. Durations are whole minutes or seconds, as the name says."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    store: str = Field(default_factory=_store_url)
    """URL of the database that holds incidents, evidence and approvals."""
    operator: str = Field(default_factory=_operator, min_length=1)
    """Who is at the keyboard: the name on decisions that are made from the command line."""
    lookback_minutes: int = Field(default=120, ge=5, le=1440)
    """How far before the alert an investigation of a live system looks."""
    lookahead_minutes: int = Field(default=15, ge=0, le=240)
    """How far past the alert it looks, where that much time has gone by."""
    budget_tool_calls: int = Field(default=60, ge=1)
    """Calls of read tools that one investigation may make."""
    budget_seconds: float = Field(default=300.0, gt=0)
    """Working seconds after which an investigation answers with what is known."""
    tool_timeout_seconds: float = Field(default=30.0, gt=0)
    """How long one call of a tool may take before it counts as unavailable."""
    approval_minutes: int | None = Field(default=None, ge=1)
    """How long an approval request waits for people before it counts as rejected; None leaves it to the policy."""
    recovery_minutes: int = Field(default=10, ge=1)
    """How long after a mitigation the alert's own signal may take to come back."""
    recovery_poll_seconds: float = Field(default=30.0, gt=0)
    lease_seconds: float = Field(default=30.0, ge=1)
    """How long a process that went silent keeps an incident to itself."""

    @property
    def approval_expiry(self) -> timedelta | None:
        return None if self.approval_minutes is None else timedelta(minutes=self.approval_minutes)

    @property
    def lease_duration(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)


def read_settings() -> Settings:
    """Read the WHYDOWN_* variables; raises OperatorError that names the variable, its value and what is wrong."""
    for variable, value in os.environ.items():
        key = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and key not in Settings.model_fields:
            close = did_you_mean(key, Settings.model_fields)
            raise OperatorError(f"{variable}={value}: there is no such setting{close}")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        raise OperatorError(f"{PREFIX}{str(first['loc'][0]).upper()}={first['input']}: {first['msg']}") from error
