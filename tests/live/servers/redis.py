"""Redis from Debian, empty and in memory."""

from __future__ import annotations

from tests.live.servers.debian import install
from tests.live.servers.process import Server, free_port, launch, listens, new_folder, program

INSTALL = "apt-get install redis-server (python -m tests.live.servers fetch argocd)"


def fetch_redis() -> None:
    install("redis-server", lambda: program("redis-server", INSTALL))


def start_redis() -> Server:
    """`url` is host:port. Raises NotFetched, NotStarted."""
    binary, folder, port = program("redis-server", INSTALL), new_folder("redis"), free_port()
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    return launch(Server, "redis", command, url=f"127.0.0.1:{port}", folder=folder, ready=listens(port))
