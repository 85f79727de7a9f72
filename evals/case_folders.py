"""Finds the folders of a benchmark's cases below the folder that somebody named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from agent.errors import CallerError


def case_folders(data: Path, pattern: str, id_of: Callable[[Path], str | None], wanted: str) -> dict[str, Path]:
    """What matches `pattern` anywhere below `data`, by the id that `id_of` gives it (None: it is no case), in order.

    Numbers in ids are compared as numbers. Raises CallerError, in one line, when there is no such folder, no case in
    it (`wanted` says what one looks like), or two cases of one id.
    """
    if not data.is_dir():
        raise CallerError(f"--data {data}: there is no such folder")
    found: dict[str, Path] = {}
    for path in data.resolve().rglob(pattern):
        name = id_of(path)
        if name is not None and name in found:
            raise CallerError(f"--data {data}: {name!r} lies in it more than once; name a folder that holds it once")
        if name is not None:
            found[name] = path
    if not found:
        raise CallerError(f"--data {data}: no {wanted} lies in it")
    return {name: found[name] for name in sorted(found, key=_in_order)}


def _in_order(name: str) -> list[tuple[str, int]]:
    return [(text, int(number or 0)) for text, number in re.findall(r"([^\d]*)(\d*)", name)]
