"""Runs git on a repository on disk: fixed arguments, nothing that the repository or the machine could slip in.

A repository's own configuration can name programs (pagers, diff drivers, signature checkers, hooks). Every one that the
commands used here would start is switched off; nothing is ever written, fetched or checked out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from time import monotonic

from tools.evidence import Source, ToolError
from tools.live.one_line import one_line
from tools.redaction import masked_text

GLOBAL_OPTIONS = (
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.attributesFile=/dev/null"),
    *("-c", "log.showSignature=false"),
    *("-c", "log.follow=false"),
    *("-c", "protocol.allow=never"),
)
ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
    "PATH": os.defpath,
}
SHOWN = 200
"""Characters of git's own words in a message."""


@dataclass(frozen=True)
class Output:
    """What git printed; `cut` when there was more than was asked for."""

    content: bytes
    cut: bool = False

    def text(self) -> str:
        """As UTF-8; other bytes, as of an old file in Latin-1, are replaced."""
        return self.content.decode(errors="replace")


class OutOfTime(Exception):
    """The time for one question to the repository is used up."""


class GitCommand:
    """Git on one repository, with a working tree or bare. `deadline` (monotonic seconds) is given to each call."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def output(self, arguments: Sequence[str], deadline: float, limit: int) -> Output:
        """The output of one command, at most `limit` bytes. Raises ToolError, and OutOfTime when it took too long."""
        with tempfile.TemporaryFile() as errors:
            try:
                running = subprocess.Popen(
                    [self._program(), *GLOBAL_OPTIONS, f"--git-dir={self._git_dir()}", *arguments],
                    cwd=self._path,
                    env=ENVIRONMENT,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                )
            except OSError as error:
                raise self.error(f"git cannot be started: {error.strerror or error}") from error
            content, late = _read(running, deadline, limit)
            if late:
                raise OutOfTime
            cut = len(content) > limit
            if running.returncode and not cut:
                errors.seek(0)
                said = errors.read(4 * SHOWN).decode(errors="replace")
                raise self.error(f"git {arguments[0]} failed: {one_line(masked_text(said), SHOWN)}")
        return Output(content[:limit], cut)

    def error(self, why: str) -> ToolError:
        return ToolError(Source.CHANGES, f"git repository {self._path}: {why}")

    def _program(self) -> str:
        found = shutil.which("git")
        if found is None:
            raise self.error("there is no git on this machine; install it")
        return found

    def _git_dir(self) -> Path:
        """Named to git, so that it neither searches the folders above nor minds who owns the files."""
        path = self._path.absolute()
        if (path / ".git").exists():
            return path / ".git"
        if (path / "HEAD").is_file():
            return path
        raise self.error("there is no repository; clone it there, and fetch regularly")


def _read(running: subprocess.Popen[bytes], deadline: float, limit: int) -> tuple[bytes, bool]:
    """At most `limit` bytes and one, and whether the time was up; the process has ended afterwards."""
    late: list[bool] = []

    def end() -> None:
        late.append(True)
        running.kill()

    timer = Timer(max(0.0, deadline - monotonic()), end)
    timer.start()
    try:
        with running:
            content = running.stdout.read(limit + 1) if running.stdout else b""
            if len(content) > limit:
                running.kill()
    finally:
        timer.cancel()
    return content, bool(late)
