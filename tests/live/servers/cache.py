"""Where fetched servers stand: `$XDG_CACHE_HOME/whydown/servers`, by default under `~/.cache`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.live.servers.process import NotFetched


def cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "whydown" / "servers"


def fetched(name: str, *, server: str) -> Path:
    """The file or folder `name` of the cache; raises NotFetched with the command that brings `server`."""
    place = cache() / name
    if not place.exists():
        raise NotFetched(f"{server} is not in the cache: run python -m tests.live.servers fetch {server}")
    return place


@contextmanager
def new_entry(name: str) -> Generator[Path]:
    """An empty folder that becomes the entry `name` only when the block ends well: no half-made entry is ever seen."""
    place = cache() / name
    place.parent.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    half.chmod(0o755)
    try:
        yield half
        shutil.rmtree(place, ignore_errors=True)
        half.rename(place)
    finally:
        shutil.rmtree(half, ignore_errors=True)
