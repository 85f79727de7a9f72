"""From pasted text to files and hunks."""

from __future__ import annotations

import pytest

from agent.analysis.diff.diff_text import MAX_LINES, MAX_WIDTH, DiffError, RawFile, RawHunk, normalise, parse


def test_counts_are_mended() -> None:
    raw = RawFile("a.go", hunks=[RawHunk("func f()", ["-a", "+b", "+c", " d"], (10, 12))])
    assert normalise([raw]) == "--- a/0\n+++ b/0\n@@ -10,2 +12,3 @@ func f()\n-a\n+b\n+c\n d\n"


def test_each_hunk_finds_its_file_and_section() -> None:
    text = "@@ svc/a.go: func (a *A) Do(ctx) {\n-x\n+y\n@@ b.yaml @@\n-k: 1\n+k: 2\n@@ -5 +5 @@ spec:\n-m: 1\n+m: 2\n"
    files, cut = parse(text, ["svc/a.go", "deploy/b.yaml"])
    assert cut is None
    assert [(f.path, [h.section for h in f.hunks]) for f in files] == [
        ("svc/a.go", ["func (a *A) Do(ctx) {"]),
        ("deploy/b.yaml", ["", "spec:"]),
    ]


def test_the_base_name_of_a_listed_file_is_completed() -> None:
    files, _ = parse("@@ deploy/b.yaml @@\n-k: 1\n+k: 2\n", ["charts/deploy/b.yaml"])
    assert files[0].path == "charts/deploy/b.yaml"


def test_renames_binaries_and_modes() -> None:
    text = (
        "diff --git a/x.go b/y.go\nsimilarity index 90%\nrename from x.go\nrename to y.go\n"
        "diff --git a/p.bin b/p.bin\nBinary files a/p.bin and b/p.bin differ\n"
        "diff --git a/run.sh b/run.sh\nold mode 100755\nnew mode 100644\n"
    )
    files, _ = parse(text, [])
    assert [(f.path, f.old_path, f.binary, f.mode_changed) for f in files] == [
        ("y.go", "x.go", False, False),
        ("p.bin", "", True, False),
        ("run.sh", "", False, True),
    ]


def test_nothing_to_read() -> None:
    with pytest.raises(DiffError, match="no hunk"):
        parse("only words", ["a.go"])


def test_long_lines_and_long_diffs_are_cut() -> None:
    files, cut = parse("@@ a.js @@\n+" + "x" * 5 * MAX_WIDTH, [])
    assert cut is None
    assert len(files[0].hunks[0].lines[0][1]) < MAX_WIDTH
    _, cut = parse("@@ a.js @@\n" + "+x\n" * (MAX_LINES + 10), [])
    assert cut == f"only the first {MAX_LINES} of {MAX_LINES + 11} lines were read"


def test_strange_line_breaks_do_not_break_lines() -> None:
    files, _ = parse("@@ a.py @@\n+a = 'x\x0cy\u2028z'\n", [])
    assert files[0].hunks[0].lines == (("+", "a = 'x y z'"),)
