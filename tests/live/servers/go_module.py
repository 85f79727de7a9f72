"""Servers built from released Go modules: `go/NAME/go.mod` pins the module and everything it needs, `go.sum` their sums."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.live.servers.cache import cache, fetched, new_entry
from tests.live.servers.process import NotFetched, program

MODULES = Path(__file__).parent / "go"
BUILT_WITHIN_SECONDS = 1800


def go_program(name: str, tool: str) -> Path:
    """The program `tool`, built from `go/NAME`; raises NotFetched."""
    return fetched(_entry(name), server=name) / tool


def build(name: str, stamp: str = "") -> None:
    """Build the tools that `go/NAME/go.mod` declares, unless the cache has them. Raises NotFetched with Go's words.

    `stamp` is one more linker flag, for a program that learns its version only there.

    At the lowest priority but four: a build of minutes must not disturb what else the machine does.
    """
    if (cache() / _entry(name)).exists():
        return
    go = program("go", "install Go, at least the version that tests/live/servers/go/*/go.mod name")
    with new_entry(_entry(name)) as folder:
        nice = ["nice", "-n", "15"] if shutil.which("nice") else []
        flags = ["-p", "2", "-trimpath", "-ldflags", f"-s -w {stamp}"]
        built = subprocess.run(
            [*nice, go, "build", *flags, "-o", f"{folder}/", *_tools(name)],
            cwd=MODULES / name,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false"},
            capture_output=True,
            text=True,
            timeout=BUILT_WITHIN_SECONDS,
            check=False,
        )
        if built.returncode:
            raise NotFetched(f"go build {name}: {_last_words(built.stderr)}")


def _tools(name: str) -> list[str]:
    """The packages of `tool NAME` and of a `tool (...)` block."""
    text = (MODULES / name / "go.mod").read_text(encoding="utf-8")
    block = re.search(r"^tool \(\n(.*?)^\)", text, re.MULTILINE | re.DOTALL)
    return block.group(1).split() if block else re.findall(r"^tool (\S+)$", text, re.MULTILINE)


def _entry(name: str) -> str:
    """Named after the module file, so that another version is another entry and gets built."""
    return f"{name}-{hashlib.sha256((MODULES / name / 'go.mod').read_bytes()).hexdigest()[:10]}"


def _last_words(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if not line.startswith("go: downloading")]
    return " / ".join(lines[-3:])[:500] or "no word of why"
