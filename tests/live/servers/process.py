"""One server as a child process: a free port, a log file, a bounded wait until it answers, and an end that is certain."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from tests.live.servers.reaper import entrust, kill_group, release

READY_WITHIN_SECONDS = 60.0
STOPS_WITHIN_SECONDS = 10.0
POLL_SECONDS = 0.1
LOG_LINES_SHOWN = 40
ORDINARY_USER = "nobody"


class NotFetched(Exception):
    """A server that is not on this machine; the message says why and which command brings it."""


class NotStarted(Exception):
    """A server that ended or did not answer in time; the message ends with the tail of its log."""


@dataclass
class Server:
    """A running server. `url` has no slash at its end; `folder` is temporary and goes with the server."""

    name: str
    url: str
    folder: Path
    process: subprocess.Popen[bytes] = field(repr=False)
    log: Path = field(repr=False)
    beside: list[Server] = field(default_factory=list, repr=False)
    """Servers that it needs and that end with it, the first one last."""

    def stop(self) -> None:
        """Ask it to end, insist after ten seconds, remove its data. May be called twice."""
        group = self.process.pid
        if self.process.poll() is None:
            kill_group(group, signal.SIGTERM)
            kill_group(group, signal.SIGCONT)  # a paused process gets its SIGTERM only once it runs again
            try:
                self.process.wait(STOPS_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                kill_group(group, signal.SIGKILL)
                self.process.wait(STOPS_WITHIN_SECONDS)
        kill_group(group, signal.SIGKILL)  # what the leader left behind
        release(group)
        shutil.rmtree(self.folder, ignore_errors=True)
        for other in reversed(self.beside):
            other.stop()

    def pause(self) -> None:
        """Hang: connections are still accepted by the kernel, and nothing answers."""
        kill_group(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        kill_group(self.process.pid, signal.SIGCONT)

    def log_tail(self, lines: int = LOG_LINES_SHOWN) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


S = TypeVar("S", bound=Server)


def launch(
    kind: type[S],
    name: str,
    command: Sequence[str | Path],
    *,
    url: str,
    folder: Path,
    ready: Callable[[], bool],
    user: str | None = None,
    env: Mapping[str, str] | None = None,
    **fields: object,
) -> S:
    """Start `command` in `folder` and return the server once `ready()` says so.

    `user` is the account to change to where this process is root (some servers refuse root); it must own `folder`.
    `fields` are those of `kind`. Raises NotStarted, and then nothing is left running.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(env or {})},
            **as_user(user),  # type: ignore[arg-type]
        )
    entrust(process.pid)
    server = kind(name=name, url=url, folder=folder, process=process, log=log, **fields)  # type: ignore[arg-type]
    try:
        _wait(server, ready)
    except BaseException:
        server.stop()
        raise
    return server


def _wait(server: Server, ready: Callable[[], bool]) -> None:
    started = time.monotonic()
    while time.monotonic() - started < READY_WITHIN_SECONDS:
        if server.process.poll() is not None:
            raise NotStarted(f"{server.name} ended with code {server.process.returncode}:\n{server.log_tail()}")
        if ready():
            return
        time.sleep(POLL_SECONDS)
    raise NotStarted(f"{server.name} did not answer within {READY_WITHIN_SECONDS:g} s:\n{server.log_tail()}")


def answers(url: str, *statuses: int) -> Callable[[], bool]:
    """A readiness check: GET `url` gives one of `statuses` (200 where none is named)."""
    expected = statuses or (200,)

    def check() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                return response.status in expected
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code in expected
        except OSError:
            return False

    return check


def listens(port: int) -> Callable[[], bool]:
    """A readiness check: somebody accepts connections on the port of 127.0.0.1."""

    def check() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2):
                return True
        except OSError:
            return False

    return check


_given: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on and that this process has not handed out before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in _given:
            _given.add(port)
            return port


def new_folder(name: str, user: str | None = None) -> Path:
    """A temporary folder, owned by `user` where this process is root and may give it away."""
    folder = Path(tempfile.mkdtemp(prefix=f"whydown-{name}-"))
    give(folder, user)
    return folder


def give(path: Path, user: str | None) -> None:
    """Hand a folder and what is in it to `user`, but for hard links, whose owner is their origin's as well.

    Does nothing where this process is an ordinary user.
    """
    if user and os.geteuid() == 0:
        owner = pwd.getpwnam(user)
        for place in (path, *path.rglob("*")):
            if place.is_dir() or place.lstat().st_nlink == 1:
                os.chown(place, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def as_user(user: str | None) -> dict[str, object]:
    """The arguments of subprocess that change to `user` where this process is root."""
    if not user or os.geteuid() != 0:
        return {}
    account = pwd.getpwnam(user)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def program(name: str, how: str) -> Path:
    """The program on the PATH (or where Debian hides it); raises NotFetched saying how to get it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")
    if not found:
        raise NotFetched(f"{name} is not on this machine: {how}")
    return Path(found)
