from __future__ import annotations

import subprocess
from pathlib import Path

from evals.checkout import UNKNOWN, commit_of_checkout


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


def test_a_checkout_names_its_commit_and_says_when_it_was_changed(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("one", encoding="utf-8")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-q", "-m", "one")
    clean = commit_of_checkout(tmp_path)
    assert len(clean) == 40
    (tmp_path / "file").write_text("two", encoding="utf-8")
    assert commit_of_checkout(tmp_path) == f"{clean}+changes"


def test_outside_of_a_checkout_the_commit_is_unknown(tmp_path: Path) -> None:
    assert commit_of_checkout(tmp_path) == UNKNOWN


def test_before_the_first_commit_it_is_unknown(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert commit_of_checkout(tmp_path) == UNKNOWN
