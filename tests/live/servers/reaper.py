"""Ends every server when the process that started it is gone, however it went (also `kill -9`).

Run as a program of its own: it reads `+PGID` and `-PGID` lines from its standard input, which only the starter
holds open. End of file means that the starter is dead, and the process groups still listed are killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from functools import cache


def watch(lines: Iterable[str]) -> None:
    """Keep the list of process groups until the lines end, then kill those still on it."""
    alive: set[int] = set()
    for line in lines:
        group = int(line[1:])
        (alive.add if line.startswith("+") else alive.discard)(group)
    for group in alive:
        kill_group(group, signal.SIGKILL)


def kill_group(group: int, sign: signal.Signals) -> None:
    """Signal a process group; one that is already gone is no error."""
    try:
        os.killpg(group, sign)
    except ProcessLookupError:
        return


@cache
def _reaper() -> subprocess.Popen[str]:
    # A session of its own: Ctrl-C in the terminal must not take the reaper before the servers.
    return subprocess.Popen([sys.executable, "-S", __file__], stdin=subprocess.PIPE, text=True, start_new_session=True)


def entrust(group: int) -> None:
    _tell(f"+{group}\n")


def release(group: int) -> None:
    _tell(f"-{group}\n")


def _tell(line: str) -> None:
    pipe = _reaper().stdin
    assert pipe is not None
    pipe.write(line)
    pipe.flush()


if __name__ == "__main__":
    watch(sys.stdin)
