"""Errors, by who must react. A message names the key and the value; nobody needs a traceback to act on it."""

from __future__ import annotations


class WhydownError(Exception):
    """Everything whydown raises on purpose."""


class CallerError(WhydownError):
    """The caller sent something that cannot be used: a wrong path, an unknown id, a value out of range."""


class OperatorError(WhydownError):
    """The installation is wrong: a setting, a migration, a file that cannot be written."""


class ConflictError(WhydownError):
    """Somebody else was first: a stale lease, a decision already taken, a digest that no longer matches."""
