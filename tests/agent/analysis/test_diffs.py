"""Every case of `diff/cases` is read as its head says; whatever text comes, a reading comes back."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.diffs import MAX_EDITS, read_diff
from agent.analysis.edits import DiffReading, EditKind, Inert
from tests.agent.analysis.diff.case_files import Case, all_cases

CASES = all_cases()


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    reading = read_diff(case.diff, case.files)
    told = "\n".join(f"{e.kind.value} {e.name!r} {e.before!r} -> {e.after!r} loop={e.in_loop}" for e in reading.edits)
    for expected in case.expected:
        assert any(expected.fits(edit) for edit in reading.edits), f"missing: {expected.text}\nread:\n{told}"
    for absent in case.absent:
        assert not any(absent.fits(edit) for edit in reading.edits), f"unwanted: {absent.text}\nread:\n{told}"
    if case.inert != "any":
        assert reading.inert == case.inert, told


PATHS = st.sampled_from(
    "a.go b.py c.java d.ts e.tsx f.rs g.kt h.cs i.rb j.php k.c l.sql m.yaml n.toml o.json p.ini q.properties .env r.tf "
    "Dockerfile nginx.conf s.xml pom.xml package.json go.mod requirements.txt Cargo.toml t.proto u.graphql v.css README.md "
    "w.html crontab build.gradle.kts Makefile x.scala y.ex z.lua src/a_test.go db/migrate/1_x.rb docs/a.md".split()
)
PIECES = st.sampled_from(
    "if else for while try catch except finally with defer return await async def func fn class struct enum interface import "
    "from select where limit lock unlock close begin commit cache.get db.query log.info x y.z a.b.c( ) ( [ ] { } < > = == != "
    "=> -> : ; , . ? ?? ?. ! && || + - * / % | & @x #y // /* */ -- \"\"\" ''' \" ' ` ${a} 1 2.5 30s 512Mi 5*time.Second true nil "
    "- -x --y=1 \t @@ +++ --- key: value <a> </a> é \\ \x0c \u2028".split(" ")
)
LINES = st.builds(
    lambda mark, indent, words: mark + indent + " ".join(words),
    st.sampled_from(["+", "-", " ", "", "@@ ", "@@ -1,2 +1,2 @@ ", "--- a/", "+++ b/", "diff --git a/x b/y", "\\ "]),
    st.sampled_from(["", " ", "  ", "\t", "        "]),
    st.lists(PIECES, max_size=8),
)


@given(st.text(max_size=400), st.lists(st.one_of(PATHS, st.text(max_size=20)), max_size=3))
@settings(max_examples=150, deadline=None)
def test_any_text_gives_a_reading(text: str, files: list[str]) -> None:
    assert isinstance(read_diff(text, files), DiffReading)


@given(st.lists(LINES, max_size=30), st.lists(PATHS, max_size=3))
@settings(max_examples=400, deadline=None)
def test_anything_like_a_diff_gives_a_reading(lines: list[str], files: list[str]) -> None:
    text = "\n".join(lines)
    reading = read_diff(text, files)
    assert isinstance(reading, DiffReading)
    assert reading == read_diff(text, files)
    assert all(len(edit.line) <= 200 for edit in reading.edits)


@given(st.sampled_from(CASES), st.data())
@settings(max_examples=200, deadline=None)
def test_a_torn_diff_gives_a_reading(case: Case, data: st.DataObject) -> None:
    lines = (case.diff or "").split("\n")
    keep = data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=len(lines)))
    assert isinstance(read_diff("\n".join(lines[i] for i in keep), case.files), DiffReading)


@pytest.mark.parametrize("case", [c for c in CASES if c.diff], ids=lambda case: case.name)
def test_carriage_returns_change_nothing(case: Case) -> None:
    assert case.diff is not None
    assert read_diff(case.diff.replace("\n", "\r\n"), case.files) == read_diff(case.diff, case.files)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12), PATHS)
@settings(max_examples=60, deadline=None)
def test_lines_that_are_only_restated_tell_nothing(names: list[str], path: str) -> None:
    lines = [f"  call_{n}({n}, 5)" for n in names]
    text = "@@ -1 +1 @@\n" + "\n".join(f"-{x}" for x in lines) + "\n" + "\n".join(f"+{x}" for x in lines)
    assert read_diff(text, [path]).edits == ()


def test_a_huge_diff_is_cut_and_says_so() -> None:
    lines = (f'+    const v{i} = await client.get("/x/{i}", {{ timeout: {i}, retries: 3 }});' for i in range(20_000))
    started = time.process_time()
    reading = read_diff("@@ -0,0 +1,20000 @@\n" + "\n".join(lines), ["a.ts"])
    allowed = 12  # far below what an uncut reading takes; coverage and a busy machine take most of it
    assert time.process_time() - started < allowed
    assert reading.problem is not None
    assert "not analysed" in reading.problem
    assert len(reading.edits) == MAX_EDITS
    assert reading.inert is None


def test_words_that_tie_a_diff_to_telemetry() -> None:
    diff = (
        "@@ -3,4 +3,4 @@ func (s *Store) ListItems(ctx context.Context) ([]Item, error) {\n"
        "-\trows, err := s.db.Query(ctx, `SELECT id FROM shelf_items WHERE shard = $1`, 6380)\n"
        "+\trows, err := s.warehouse.Query(ctx, `SELECT id FROM shelf_items`, 6379)\n"
        " \treturn scanRows(rows)\n"
    )
    reading = read_diff(diff, ["store/items.go"])
    assert {"warehouse", "query"} <= reading.identifiers
    assert "scanrows" not in reading.identifiers
    assert {"shelf_items", "SELECT id FROM shelf_items"} <= reading.literals
    assert reading.numbers == {6379.0, 6380.0}
    assert {"ListItems", "Store.ListItems"} <= reading.functions


def test_what_is_no_diff_rests_on_the_files() -> None:
    reading = read_diff("see the ticket", ["docs/setup.md"])
    assert reading.problem == "no hunk was found in the diff"
    assert reading.inert is Inert.DOCUMENTATION
    assert reading.edits == ()


def test_without_diff_and_files_nothing_is_claimed() -> None:
    assert read_diff(None, []) == DiffReading()


def test_the_same_fact_is_told_once() -> None:
    diff = "@@ a.yaml @@\n-  size: 1\n+  size: 2\n"
    assert [e.kind for e in read_diff(diff, ["a.yaml"]).edits] == [EditKind.VALUE]
