"""The only reader of the environment and of `whydown.toml`: typed, read once, frozen.

A variable WHYDOWN_LOOKBACK_MINUTES overrides the file's `lookback_minutes`, WHYDOWN_METRICS__URL the `url` of its table
`[metrics]`. In a table of a backend a text such as "$GITHUB_TOKEN" stands for that variable, so that no secret has to be
written into the file.
"""

from __future__ import annotations

import getpass
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, JsonValue, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agent.errors import OperatorError
from tools.words import did_you_mean

PREFIX = "WHYDOWN_"
NESTED = "__"
CONFIG_VARIABLE = "WHYDOWN_CONFIG"
"""Names the configuration file where it is none of the usual ones."""
FILE_NAME = "whydown.toml"
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")

Table = Mapping[str, JsonValue]
"""A table of the file that describes one backend; `agent.backends` knows the vendors' keys."""


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

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=NESTED, frozen=True, extra="forbid", env_ignore_empty=True
    )

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

    workers: int = Field(default=2, ge=0, le=64)
    """Investigations that one server or worker makes side by side; 0 leaves them to other processes."""
    investigations_per_hour: int = Field(default=60, ge=0)
    """Investigations that may begin unasked within an hour; what comes beyond is kept, and says so."""

    metrics: Table | None = None
    """Where metrics are: `kind`, `url` and what that kind takes; see docs/backends.md for all backends."""
    logs: Table | None = None
    """Where log lines are."""
    traces: Table | None = None
    """Where traces are."""
    changes: tuple[Table, ...] = ()
    """Every place that knows of changes; what is sent to `POST /changes` is always among them."""
    status: tuple[Table, ...] = ()
    """Public status pages of providers."""
    topology: tuple[Table, ...] = ()
    """Who depends on whom, as far as traces do not show it."""
    runbooks: Table | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed, then variables; `read_settings` passes what the file says and lets variables win."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @property
    def approval_expiry(self) -> timedelta | None:
        return None if self.approval_minutes is None else timedelta(minutes=self.approval_minutes)

    @property
    def lease_duration(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)


def config_file() -> Path | None:
    """The configuration file: the one that WHYDOWN_CONFIG names, ./whydown.toml, or the user's; None where none is.

    The user's is $XDG_CONFIG_HOME/whydown/whydown.toml (XDG Base Directory Specification 0.8). Raises OperatorError
    where WHYDOWN_CONFIG names no file.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise OperatorError(f"{CONFIG_VARIABLE}={named}: there is no such file")
        return Path(named)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return next((file for file in (Path(FILE_NAME), home / "whydown" / FILE_NAME) if file.is_file()), None)


def read_settings() -> Settings:
    """Read the file and the WHYDOWN_* variables; raises OperatorError that names the key, its value and what is wrong."""
    _refuse_unknown_variables()
    file = config_file()
    written = {} if file is None else _read_file(file)
    try:
        settings = Settings(**written)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        variable = f"{PREFIX}{key.upper()}"
        of_file = file is not None and key in written and variable not in os.environ
        name = f"{file}: {key} = " if of_file else f"{variable}="
        raise OperatorError(f"{name}{first['input']}: {first['msg']}") from error
    return settings.model_copy(update={name: _filled(getattr(settings, name), name) for name in TABLES})


TABLES = ("metrics", "logs", "traces", "changes", "status", "topology", "runbooks")


def _refuse_unknown_variables() -> None:
    for variable, value in os.environ.items():
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        key = variable.removeprefix(PREFIX).lower().partition(NESTED)[0]
        if key not in Settings.model_fields:
            close = did_you_mean(key, Settings.model_fields)
            raise OperatorError(f"{variable}={value}: there is no such setting{close}")


def _read_file(file: Path) -> dict[str, Any]:
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OperatorError(f"{file}: cannot be read: {error}") from error
    for key, value in written.items():
        if key not in Settings.model_fields:
            close = did_you_mean(key, Settings.model_fields)
            raise OperatorError(f"{file}: {key} = {str(value)[:80]}: there is no such setting{close}")
    return written


def _filled(value: JsonValue | Table | tuple[Table, ...], key: str) -> object:
    """The value with every text that names a variable replaced by it. Raises OperatorError for one that is not set."""
    match value:
        case str() if found := _VARIABLE.fullmatch(value):
            name = found[1] or found[2]
            if name not in os.environ:
                raise OperatorError(f"{key} = {value}: there is no variable {name}")
            return os.environ[name]
        case Mapping():
            return {name: _filled(item, f"{key}.{name}") for name, item in value.items()}
        case list() | tuple():
            filled = [_filled(item, f"{key}[{place}]") for place, item in enumerate(value)]
            return tuple(filled) if isinstance(value, tuple) else filled
        case _:
            return value
