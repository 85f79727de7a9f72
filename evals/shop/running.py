"""One service of the shop as it runs: its release, its process, and what a platform does when that ends."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals.shop.child import Child, python

STARTED_WITHIN_SECONDS = 20.0
LOOKS_EVERY_SECONDS = 0.5
BACK_OFF_SECONDS = 2.0


@dataclass(frozen=True)
class Place:
    """Where a service runs, whatever its release."""

    service: str
    folder: Path
    """For its logs and what it is told."""
    runtime: dict[str, Any]
    """See `fixtures/shop/shop/runtime.py`; without the version."""
    processors: frozenset[int] | None = None
    niceness: int = 0


class NotServing(Exception):
    """A service that did not start; the message ends with what it printed last."""


class Running:
    """A service that is kept running: started anew when it ends, ended when it outgrows its memory."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._release: tuple[Path, str] | None = None
        self._over = threading.Event()
        self.restarts = 0
        self._watcher = threading.Thread(target=self._watch, daemon=True, name=f"watch-{place.service}")

    @property
    def url(self) -> str:
        scheme = "https" if self._place.runtime["certificate"] else "http"
        return f"{scheme}://127.0.0.1:{self._place.runtime['port']}"

    def deploy(self, release: Path, version: str | None = None) -> datetime:
        """Run this release in place of the one before, which finishes its requests. Raises NotServing.

        The moment (UTC) from which it answers.
        """
        with self._lock:
            before = self._child
            self._release = (release, version or (self._release[1] if self._release else "1.0.0"))
            self._child = self._start()
            self._await(self._child)
            answers_since = datetime.now(UTC)
            if before is not None:
                before.end()
        if not self._watcher.is_alive():
            self._watcher.start()
        return answers_since

    def end(self) -> None:
        self._over.set()
        with self._lock:
            if self._child is not None:
                self._child.end()

    def _start(self) -> Child:
        assert self._release is not None
        release, version = self._release
        told = self._place.folder / f"{self._place.service}.json"
        told.write_text(json.dumps({**self._place.runtime, "version": version}), encoding="utf-8")
        command = python(f"{self._place.service}.app", told)
        return Child(command, self._output, release, self._place.processors, self._place.niceness)

    @property
    def _output(self) -> Path:
        return self._place.folder / f"{self._place.service}.out"

    def _await(self, child: Child) -> None:
        """Wait until the new process says in its log that it listens: on its port the old one still answers, too."""
        log = Path(self._place.runtime["log"])
        ends = time.monotonic() + STARTED_WITHIN_SECONDS
        wanted = f"as process {child.pid}"
        while time.monotonic() < ends and child.alive:
            if log.exists() and wanted in log.read_text(encoding="utf-8"):
                return
            time.sleep(0.1)
        raise NotServing(f"{self._place.service}: {self._output.read_text(encoding='utf-8')[-1500:]}")

    def _watch(self) -> None:
        limit = self._place.runtime["memory_limit_mb"] * 2**20
        while not self._over.wait(LOOKS_EVERY_SECONDS):
            with self._lock:
                if self._child is None:
                    continue
                if self._child.resident_bytes > limit:
                    self._child.kill()
                if not self._child.alive and not self._over.is_set():
                    self.restarts += 1
                    time.sleep(BACK_OFF_SECONDS)
                    self._child = self._start()


def answers(url: str) -> bool:
    """Whether something answers there with 200."""
    with suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
        return answer.status == 200
    return False
