"""A real git repository in a folder, written commit by commit at chosen moments."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime
from pathlib import Path

AUTHOR = {"GIT_AUTHOR_NAME": "Mia Vogel", "GIT_AUTHOR_EMAIL": "mia@example.invalid"}
COMMITTER = {"GIT_COMMITTER_NAME": "Merge Bot", "GIT_COMMITTER_EMAIL": "bot@example.invalid"}
ENVIRONMENT = {"PATH": os.defpath, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **AUTHOR, **COMMITTER}


class GitRepository:
    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.run("init", "--quiet", "--initial-branch=main", *options)

    def run(self, *arguments: str, at: datetime | None = None, folder: Path | None = None) -> str:
        dates = {} if at is None else {"GIT_AUTHOR_DATE": at.isoformat(), "GIT_COMMITTER_DATE": at.isoformat()}
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder or self.folder,
            env=ENVIRONMENT | dates,
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.stdout.strip()

    def write(self, path: str, content: str | bytes) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, at: datetime, title: str, **files: str | bytes) -> str:
        """Commit files; in their names `__` stands for a slash and a single `_` for a dot. Returns the commit."""
        for name, content in files.items():
            self.write(name.replace("__", "/").replace("_", "."), content)
        self.run("add", "--all")
        self.run("commit", "--quiet", "--allow-empty", f"--message={title}", at=at)
        return self.run("rev-parse", "HEAD")

    def merge(self, at: datetime, branch: str) -> str:
        self.run("merge", "--quiet", "--no-ff", f"--message=Merge {branch}", branch, at=at)
        return self.run("rev-parse", "HEAD")

    def tag(self, at: datetime, name: str, commit: str = "HEAD") -> None:
        self.run("tag", "--annotate", f"--message=Release {name}", name, commit, at=at)
