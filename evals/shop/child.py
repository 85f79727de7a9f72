"""Child processes that certainly end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fixtures.servers.process import STOPS_WITHIN_SECONDS
from fixtures.servers.reaper import entrust, kill_group, release

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Child:
    """One process with a session of its own; what it prints goes to a file."""

    def __init__(
        self,
        command: Sequence[str],
        output: Path,
        folder: Path,
        processors: frozenset[int] | None = None,
        niceness: int = 0,
    ) -> None:
        with output.open("ab") as into:
            self._process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=into, stderr=into, start_new_session=True
            )
        entrust(self._process.pid)
        if processors:
            os.sched_setaffinity(self._process.pid, processors)
        if niceness:
            os.setpriority(os.PRIO_PROCESS, self._process.pid, niceness)
            # Where sessions share processors before their processes do (sched(7), autogroup), the session has one, too.
            with suppress(OSError):
                Path(f"/proc/{self._process.pid}/autogroup").write_text(str(niceness), encoding="ascii")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def resident_bytes(self) -> int:
        """Memory that it holds; 0 once it has ended."""
        with suppress(OSError, IndexError):
            told = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii")
            return int(told.split()[1]) * PAGE_BYTES
        return 0

    def end(self) -> None:
        """Ask it to end and wait; insist where it does not."""
        if self.alive:
            kill_group(self._process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOPS_WITHIN_SECONDS)
        self.kill()

    def kill(self) -> None:
        kill_group(self._process.pid, signal.SIGKILL)
        self._process.wait(STOPS_WITHIN_SECONDS)
        release(self._process.pid)


def python(module: str, *arguments: object) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *(str(each) for each in arguments)]
