"""Diffs of the invented changes, kept as files so that they stay readable and are not mistaken for our own code."""

from __future__ import annotations

from importlib.resources import files


def diff(incident: str, change: str) -> str:
    """The unified diff of a change; raises FileNotFoundError when there is none."""
    return files("evals.simulator").joinpath("diffs", incident, f"{change}.diff").read_text(encoding="utf-8")
