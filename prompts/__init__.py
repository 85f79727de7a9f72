"""Texts that a program fills in, one file each, named after the node that uses it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined

_BLANKS = re.compile(r"\s+")
_MARKUP = re.compile(r"([\\`*_\[\]<>|#])")


class Cites(Protocol):
    """Anything that rests on evidence."""

    @property
    def evidence(self) -> tuple[str, ...]: ...


def plain(value: object) -> str:
    """A value as text on one line that Markdown shows as it is: what telemetry says must not format a page."""
    return _MARKUP.sub(r"\\\1", _BLANKS.sub(" ", str(value)).strip())


def moment(at: datetime) -> str:
    """A time (aware UTC) as people compare it with their own notes."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def cited(claim: Cites) -> str:
    """The evidence that a claim rests on."""
    return f"({', '.join(claim.evidence)})"


def percent(share: float) -> str:
    """A share of 1 in per cent."""
    return f"{share:.0%}"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("prompts", "."),
        undefined=StrictUndefined,
        finalize=plain,
        autoescape=False,  # Markdown, which `plain` escapes
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(moment=moment, cited=cited, percent=percent)
    return environment


_ENVIRONMENT = _environment()


def render(name: str, **values: object) -> str:
    """Fill in `<name>.md`. Every value is made plain; a variable that is missing raises jinja2.UndefinedError."""
    return _ENVIRONMENT.get_template(f"{name}.md").render(values)
