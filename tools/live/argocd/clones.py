"""What a sync brought, from the clones of repositories that are configured as sources of changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tools.evidence import ToolError
from tools.live.git_command import GitCommand
from tools.live.git_history import Commit, Diff, GitHistory

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT_FORM = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?!//)(?P<path>.+)")
"""`git@example.net:team/shop.git`"""
MAX_REMOTES = 10_000
"""Bytes of a list of remotes."""


class Clones:
    """Repositories on disk by the addresses that they were cloned from. All of it raises ToolError and OutOfTime."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._known: dict[str, GitCommand] | None = None

    def of(self, url: str, deadline: float) -> GitCommand | None:
        """The clone of the repository, None where none is configured."""
        if self._known is None:
            known = {}
            for git in (GitCommand(path) for path in self._paths):
                known |= {address: git for address in _remotes(git, deadline)}
            self._known = known
        return self._known.get(plain_address(url))

    def commit(self, git: GitCommand, revision: str, deadline: float) -> Commit:
        """The newest commit of a revision, which is a full commit id."""
        return GitHistory(git, ()).listed(["-1"], [revision], deadline)[0]

    def between(self, git: GitCommand, before: str, after: str, path: str | None, deadline: float) -> Diff:
        """What changed below the path; manifests may also be built from what lies beside it, so else all of it."""
        folder = (path or "").strip("/")
        found = GitHistory(git, (folder,) if folder not in ("", ".") else ()).between(before, after, deadline)
        return found if found.files else GitHistory(git, ()).between(before, after, deadline)


def _remotes(git: GitCommand, deadline: float) -> list[str]:
    try:
        told = git.output(["config", "--get-regexp", r"^remote\..*\.url$"], deadline, MAX_REMOTES).text()
    except ToolError:  # a repository without a remote, or none at all, of which its own backend tells
        return []
    return [plain_address(line.partition(" ")[2]) for line in told.splitlines()]


def plain_address(url: str) -> str:
    """The address without what differs between ways to the same repository: scheme, user, port, `.git`."""
    url = url.strip().rstrip("/").removesuffix(".git")
    short = _SHORT_FORM.fullmatch(url)
    if short:
        return f"{short['host'].lower()}/{short['path'].lstrip('/')}"
    try:
        parts = urlsplit(url)
        return f"{(parts.hostname or '').lower()}/{parts.path.lstrip('/')}"
    except ValueError:
        return url
