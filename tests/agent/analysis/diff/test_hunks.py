"""Both sides of a hunk: nesting, alignment, what really changed."""

from __future__ import annotations

from hypothesis import given, strategies as st

from agent.analysis.diff.diff_text import parse
from agent.analysis.diff.hunks import MAX_READ, Hunk, Side, analysed, renested
from tests.agent.analysis.diff.named_languages import named


def hunk(diff: str, path: str) -> Hunk:
    files, _ = analysed(parse(diff, [path])[0])
    return files[0].hunks[0]


def changed(side: Side) -> list[str]:
    return [line.stripped for _, line in side.changed_lines()]


def test_restated_lines_are_not_changed() -> None:
    found = hunk("@@ a.go @@\n-\tfor x := range xs {\n-\t\tf(x)\n+\tfor x := range xs {\n+\t\tg(x)\n", "a.go")
    assert changed(found.before) == ["f(x)"]
    assert changed(found.after) == ["g(x)"]
    assert found.restated == [(0, 0)]


def test_white_space_and_comments_are_not_changes() -> None:
    found = hunk("@@ a.go @@\n-x := 5 // five\n+x  :=  5 // 5\n", "a.go")
    assert found.groups == ()


def test_nesting() -> None:
    side = Side(
        ["if a {", "\tfor x := range xs {", "\t\tf(x)", "\t}", "} else {", "\tg()", "}", "h()"], named("go"), ""
    )
    assert list(side.ancestors(2)) == [1, 0]
    assert list(side.ancestors(5)) == [4, 0]
    assert list(side.ancestors(7)) == []
    assert side.below(0) == range(1, 7)
    assert side.loops(2)
    assert not side.loops(5)


def test_scope_ends_with_its_definition() -> None:
    side = Side(["\treturn a()", "}", "", "func b() {", "\treturn c()", "}", "x"], named("go"), "func f() {")
    assert side.scope(0) == "f"
    assert side.scope(4) == "b"
    assert side.definition_at(6) is None


def test_lines_indented_otherwise_are_told() -> None:
    found = hunk("@@ a.py @@\n for x in xs:\n     f(x)\n-    g()\n+g()\n", "a.py")
    assert renested(found) == [(2, 2)]


def test_only_so_many_lines_are_analysed() -> None:
    many = "@@ a.go @@\n" + "+x()\n" * (MAX_READ + 7)
    files, skipped = analysed(parse(many, ["a.go"])[0])
    assert skipped == 7
    assert len(files[0].hunks[0].after.lines) == MAX_READ
    files, skipped = analysed(parse("@@ go.sum @@\n+x v1\n", ["go.sum"])[0])
    assert (files[0].hunks, skipped) == ((), 0)


@given(st.lists(st.text("ab{}() \t:", max_size=12), max_size=20))
def test_every_parent_stands_above(rows: list[str]) -> None:
    for language in ("python", "go", "yaml"):
        side = Side(rows, named(language), "")
        for index, line in enumerate(side.lines):
            assert line.parent < index
            assert index not in side.below(index)
