"""PostgreSQL from the Debian package; it refuses root, so root hands it to an ordinary user."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.live.servers.debian import install
from tests.live.servers.process import (
    ORDINARY_USER,
    NotFetched,
    NotStarted,
    Server,
    as_user,
    free_port,
    launch,
    new_folder,
)

INSTALL = "apt-get install postgresql (python -m tests.live.servers fetch postgres)"


@dataclass
class Postgres(Server):
    """`url` is a connection string without a driver: user `postgres`, trusted on loopback, database `postgres`."""

    port: int = 0


def fetch_postgres() -> None:
    install("postgresql", lambda: _program("initdb"))


def start_postgres() -> Postgres:
    """An empty cluster on loopback, without fsync: fast, and gone with the test. Raises NotFetched, NotStarted."""
    folder = new_folder("postgres", ORDINARY_USER)
    data, port = folder / "data", free_port()
    initdb = [_program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    made = subprocess.run(
        initdb,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **as_user(ORDINARY_USER),  # type: ignore[call-overload]
    )
    if made.returncode:
        raise NotStarted(f"initdb: {made.stderr.strip()}")
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(folder),
        "fsync": "off",
    }
    command = [_program("postgres"), "-D", data, *(f"--{key}={value}" for key, value in settings.items())]
    ready = [_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return launch(
        Postgres,
        "postgres",
        command,
        url=f"postgresql://postgres@127.0.0.1:{port}/postgres",
        folder=folder,
        ready=lambda: subprocess.run(ready, check=False).returncode == 0,
        user=ORDINARY_USER,
        port=port,
    )


def _program(name: str) -> Path:
    """Debian keeps the server's programs of each version off the PATH; the newest one is taken."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    found = next((str(place / name) for place in places if (place / name).exists()), None) or shutil.which(name)
    if not found:
        raise NotFetched(f"{name} is not on this machine: {INSTALL}")
    return Path(found)
