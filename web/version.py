"""Which whydown this is."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """Return the version of the installed package; a checkout that was never installed says so."""
    try:
        return metadata.version("whydown")
    except metadata.PackageNotFoundError:
        return "unreleased"
