"""The shop's repository: made at run time from `fixtures/shop`, with a commit for each release."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from evals.shop.plan import Release
from tools.evidence import ChangeEvent

SOURCES = Path(__file__).resolve().parents[2] / "fixtures" / "shop"
DIFFS = Path(__file__).parent / "diffs"
SHIPPED = ("shop", "storefront", "checkout", "payment", "catalogue", "stock", "dispatch")
MAIL = "shop.example"


class Repository:
    """A git repository with the shop's first version; `folder` must not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        for name in SHIPPED:
            shutil.copytree(SOURCES / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        self._git("init", "--quiet", "--initial-branch=main")
        self._commit("The shop", "ines")

    def commit(self, release: Release) -> str:
        """Apply the release's diff and commit it; the commit's id. Raises CalledProcessError where it does not fit."""
        self._git("apply", "--whitespace=nowarn", str(DIFFS / f"{release.diff}.diff"))
        self._commit(release.title, release.author)
        return self._git("rev-parse", "HEAD").strip()

    def export(self, folder: Path) -> None:
        """What is on main now, as files."""
        packed = self._run("archive", "--format=tar", "HEAD")
        with tarfile.open(fileobj=BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")

    def change(self, release: Release, commit: str, at: datetime) -> ChangeEvent:
        """The release as what a delivery pipeline reports of it."""
        shown = self._git("show", "--format=", "--no-color", commit)
        merged = datetime.fromtimestamp(int(self._git("show", "-s", "--format=%ct", commit)), UTC)
        return ChangeEvent(
            id=release.id,
            kind=release.kind,
            at=at,
            service=release.service,
            title=release.title,
            author=release.author,
            commit=commit,
            merged_at=merged,
            version=release.id,
            files=tuple(self._git("show", "--format=", "--name-only", commit).split()),
            diff=shown,
        )

    def _commit(self, title: str, author: str) -> None:
        self._git("add", "--all")
        self._git("-c", f"user.name={author}", "-c", f"user.email={author}@{MAIL}", "commit", "--quiet", "-m", title)

    def _git(self, *arguments: str) -> str:
        return self._run(*arguments).decode()

    def _run(self, *arguments: str) -> bytes:
        done = subprocess.run(["git", "-C", str(self.folder), *arguments], check=True, capture_output=True, timeout=30)
        return done.stdout
