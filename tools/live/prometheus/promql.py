"""PromQL written from values that nobody vouches for: names and label values are quoted, every query is parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

import promql_parser

_PLAIN_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
LONGEST = 6_000
"""Characters of a query: it travels in the address, for which servers and proxies allow 8 kB."""


class Matcher(NamedTuple):
    """One condition on a label."""

    label: str
    operator: Literal["=", "!=", "=~", "!~"]
    value: str
    """For `=~` and `!~` a regular expression (RE2), anchored on both sides."""


class NotPromql(ValueError):
    """The text cannot be asked; the message says why."""


def checked(query: str) -> str:
    """The query as it came, once it has been parsed. Raises NotPromql."""
    parsed(query)
    return query


def parsed(query: str) -> promql_parser.Expr:
    """The syntax tree of a query. Raises NotPromql."""
    try:
        return promql_parser.parse(query)
    except ValueError as error:
        raise NotPromql(str(error)) from error


def selector(matchers: Iterable[Matcher]) -> str:
    """`{__name__="x",service="y"}`: names stand as values, so that any name works on any version."""
    return "{" + ",".join(f"{label(m.label)}{m.operator}{quoted(m.value)}" for m in matchers) + "}"


def quoted(text: str) -> str:
    """A string literal; a lone surrogate, which no server can hold, is replaced."""
    text = text.encode("utf-8", "replace").decode()
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def label(name: str) -> str:
    """A label's name; one with other letters is quoted, which Prometheus reads since its version 3."""
    return name if _PLAIN_LABEL.fullmatch(name) else quoted(name)


def labels(names: Iterable[str]) -> str:
    """Names for `by (...)`, in order and each once."""
    return ", ".join(label(name) for name in sorted(set(names)))


def named(name: str) -> Matcher:
    return Matcher("__name__", "=", name)


def one_of(name: str, values: Iterable[str]) -> Matcher:
    """The label has exactly one of these values."""
    distinct = sorted(set(values))
    if len(distinct) == 1:
        return Matcher(name, "=", distinct[0])
    return Matcher(name, "=~", "|".join(literal(value) for value in distinct))


def literal(text: str) -> str:
    """A regular expression (RE2) that fits this text alone."""
    return _SPECIAL.sub(r"\\\1", text)


def duration(seconds: float) -> str:
    """`90s`; whole seconds, never none."""
    return f"{max(1, round(seconds))}s"
