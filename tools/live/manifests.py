"""Two states of a manifest as a unified diff of YAML, which is how people read them and how changes are analysed."""

from __future__ import annotations

import difflib

import yaml
from pydantic import JsonValue

from tools.words import clean_text

CONTEXT = 4
"""Unchanged lines around a change: enough to show the setting's parents."""
MAX_DIFF = 100_000
"""Characters kept of one diff, as of a diff of code."""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that a changed line in a settings file is one line of the diff."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def as_yaml(value: JsonValue) -> str:
    """The value as YAML, in its own order, one setting a line."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)


def difference(before: JsonValue, after: JsonValue, path: str) -> str | None:
    """What changed from one to the other as a unified diff of the file `path`; None when nothing did."""
    old, new = (as_yaml(value).splitlines() for value in (before, after))
    lines = list(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", n=CONTEXT, lineterm=""))
    return clean_text("\n".join(lines) + "\n", MAX_DIFF) if lines else None
