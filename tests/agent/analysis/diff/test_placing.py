"""Which file a hunk belongs to."""

from __future__ import annotations

import pytest

from agent.analysis.diff.placing import guess_path, path_at_start

LISTED = ["svc/a.go", "go.sum", "go.mod", "deploy/my values.yaml", "src/app.ts", "src/app.test.ts"]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("svc/a.go", ("svc/a.go", "")),
        ("svc/a.go: func F() {", ("svc/a.go", "func F() {")),
        ("svc/a.go @@ func F() {", ("svc/a.go", "func F() {")),
        ("svc/a.go func F() {", ("svc/a.go", "func F() {")),
        ("app.ts", ("src/app.ts", "")),
        ("other/new.rs", ("other/new.rs", "")),
        ("web/[id]/page.tsx", ("web/[id]/page.tsx", "")),
        ("deploy/my values.yaml spec:", ("deploy/my values.yaml", "spec:")),
        ("func F(a int) {", ("", "func F(a int) {")),
        ("cfg.load", ("", "cfg.load")),
        ("", ("", "")),
    ],
)
def test_path_and_section(rest: str, expected: tuple[str, str]) -> None:
    assert path_at_start(rest, LISTED) == expected


@pytest.mark.parametrize(
    ("section", "lines", "expected"),
    [
        ("require (", ["github.com/x/y v1.0.0", "github.com/x/y v1.0.1"], "go.mod"),
        ("func F() {", ["x := g()"], "svc/a.go"),
        ("", ["const a = await f();"], "src/app.ts"),
        ("", ["spec:", "  size: 5"], "deploy/my values.yaml"),
    ],
)
def test_guess(section: str, lines: list[str], expected: str) -> None:
    assert guess_path(section, lines, LISTED) == expected


def test_without_files_there_is_no_guess() -> None:
    assert guess_path("func F() {", [], []) is None
