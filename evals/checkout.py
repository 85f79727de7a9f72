"""Which version of whydown is being measured."""

from __future__ import annotations

import subprocess
from pathlib import Path

UNKNOWN = "unknown"


def commit_of_checkout(folder: Path | None = None) -> str:
    """The commit of the checkout, with "+changes" when files differ from it; "unknown" outside of one."""
    root = folder or Path(__file__).resolve().parent.parent
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if not commit or not (root / ".git").exists():
        return UNKNOWN
    return f"{commit}+changes" if _git(root, "status", "--porcelain", "--untracked-files=no") else commit


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
