"""Languages by name, for tests that need no file."""

from __future__ import annotations

from agent.analysis.diff.languages import Language, language_of

_PATHS = (
    "a.go a.java a.kt a.scala a.js a.ts a.cs a.rs a.c a.php a.py a.rb a.ex a.lua a.sql a.yaml a.toml a.ini a.properties "
    "a.env a.tf a.json Dockerfile a.conf crontab a.xml a.html a.proto a.graphql a.css go.mod requirements.txt"
).split()
_BY_NAME = {language_of(path).name: language_of(path) for path in _PATHS}


def named(name: str) -> Language:
    """Raises KeyError for a language that no path above is written in."""
    return _BY_NAME[name]
