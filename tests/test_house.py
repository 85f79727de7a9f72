"""The shape of the house: sizes, arrows that import-linter cannot see, and words that must not appear."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("agent", "tools", "prompts", "evals", "web", "server.py", "whydown.py")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
FORBIDDEN_NAMES = {"utils", "util", "core", "common", "base", "manager", "helpers", "misc"}


@cache
def product_files() -> list[Path]:
    found: list[Path] = []
    for part in PRODUCT:
        path = ROOT / part
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert len(found) > 30
    return found


@cache
def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("path", product_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{path.name}:{node.lineno} {node.name} has {length} lines"


def test_names_say_what_is_inside() -> None:
    vague = [p for p in product_files() if p.stem in FORBIDDEN_NAMES or p.parent.name in FORBIDDEN_NAMES]
    assert not vague


def test_only_settings_reads_the_environment() -> None:
    readers = [
        p.relative_to(ROOT).as_posix()
        for p in product_files()
        if re.search(r"os\.environ|os\.getenv|getenv\(", p.read_text(encoding="utf-8"))
    ]
    assert set(readers) <= {"agent/settings.py"}


def test_no_path_of_a_machine_and_no_registry_host() -> None:
    """Built from pieces, so that this file does not hold what it looks for."""
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org", "files.python" + "hosted"]
    paths = ["/" + "work/main", "/" + "work/shared", "/" + "work/.library"]
    for path in tracked():
        if path.suffix in {".gz", ".png", ".svg", ".db"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for word in (*hosts, *paths):
            assert word not in text, f"{path.relative_to(ROOT)} names {word}"


def test_the_readme_is_short_and_starts_with_the_two_commands() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    top = "\n".join(lines[:40])
    assert "make demo" in top
    assert "make test" in top
