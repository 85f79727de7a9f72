"""Which monitor speaks at which path, and who understands it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from agent.errors import CallerError
from agent.intake import alertmanager
from agent.intake.notice import Notice
from tools.words import did_you_mean

Understand = Callable[[Mapping[str, JsonValue]], list[Notice]]

MONITORS: dict[str, Understand] = {
    "alertmanager": alertmanager.notices,
}


def understand(source: str, body: JsonValue) -> list[Notice]:
    """What a delivery says; raises CallerError, in one line, for one that cannot be understood."""
    if source not in MONITORS:
        known = ", ".join(sorted(MONITORS))
        raise CallerError(f"there is no monitor {source!r}{did_you_mean(source, MONITORS)}; known: {known}")
    if not isinstance(body, dict):
        raise CallerError("the body is no object")
    return MONITORS[source](body)
