from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tools.evidence import Edge, Source, TimeWindow, ToolError
from tools.live import files
from tools.live.files import RunbookFolder, TopologyFile, WrittenRunbooks, WrittenTopology
from tools.live.notebook import Notebook

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
WINDOW = TimeWindow(since=NOON - timedelta(hours=1), until=NOON)
TOML = """
# who calls whom
[[edges]]
caller = "checkout"
callee = "payments"

[[edges]]
caller = "checkout"
callee = "orders-db"
kind = "data"

[[edges]]
caller = "checkout"
callee = "payments"
kind = "call"
"""


def topology(tmp_path: Path, content: str | bytes, name: str = "topology.toml") -> WrittenTopology:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return WrittenTopology(TopologyFile(path=path), Notebook())


def test_dependencies_in_toml_each_once(tmp_path: Path) -> None:
    assert topology(tmp_path, TOML).edges() == [
        Edge(caller="checkout", callee="payments"),
        Edge(caller="checkout", callee="orders-db", kind="data"),
    ]


def test_dependencies_in_json_as_a_recording_has_them(tmp_path: Path) -> None:
    document = {"edges": [{"caller": "edge", "callee": "pages", "kind": "call"}]}
    assert topology(tmp_path, json.dumps(document), "t.json").edges() == [Edge(caller="edge", callee="pages")]


def test_a_correction_counts_at_once(tmp_path: Path) -> None:
    written = topology(tmp_path, TOML)
    assert len(written.edges()) == 2
    topology(tmp_path, '[[edges]]\ncaller = "a"\ncallee = "b"\n')
    assert written.edges() == [Edge(caller="a", callee="b")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[[edges]]\ncaller = "a"\ncalee = "b"\n', "edge 1: there is no key 'calee'; did you mean 'callee'?"),
        ('[[edges]]\ncaller = "a"\n', "edge 1: callee is 'None'"),
        ('[[edges]]\ncaller = "a"\ncallee = " "\n', "edge 1: callee is"),
        ('[[edges]]\ncaller = "a"\ncallee = 7\n', "edge 1: callee is '7'"),
        ('[[edges]]\ncaller = "a"\ncallee = "a"\n', "both 'a'"),
        ('[[edges]]\ncaller = "a"\ncallee = "b"\nkind = "calls"\n', "kind is 'calls'; did you mean 'call'?"),
        ('[[edges]]\ncaller = "a"\ncallee = "b"\nkind = ["call"]\n', "kind is"),
        ('[[edge]]\ncaller = "a"\ncallee = "b"\n', "there is no key 'edge'; did you mean 'edges'?"),
        ('[edges]\ncaller = "a"\n', "edges is no list"),
        ('edges = ["a"]', "edge 1 is a string"),
        ("[[edges", "is no TOML"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_a_mistake_is_one_line_with_file_and_key(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(ToolError) as refused:
        topology(tmp_path, content).edges()
    assert refused.value.source is Source.TOPOLOGY
    assert words in refused.value.message
    assert "topology.toml" in refused.value.message
    assert refused.value.message.isprintable()


@pytest.mark.parametrize(("content", "words"), [("[" * 100_000, "is no JSON"), ("[]", "holds a"), ("{", "is no JSON")])
def test_json_that_is_none(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(ToolError, match=words):
        topology(tmp_path, content, "t.json").edges()


def test_a_file_that_is_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"nowhere\.toml: cannot be read: No such file"):
        WrittenTopology(TopologyFile(path=tmp_path / "nowhere.toml"), Notebook()).edges()
    with pytest.raises(ToolError, match="larger than 4 MB"):
        topology(tmp_path, "#" * (4 * 2**20 + 1)).edges()


def test_what_the_doctor_sees_of_a_topology(tmp_path: Path) -> None:
    seen = topology(tmp_path, TOML).look(WINDOW)
    assert seen.facts == ("2 dependencies between 3 services",)
    assert seen.services == ("checkout", "orders-db", "payments")
    assert seen.newest is not None
    assert "add [[edges]]" in topology(tmp_path, "").look(WINDOW).troubles[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pages = tmp_path / "runbooks"
    (pages / "checkout").mkdir(parents=True)
    (pages / "pool.md").write_text("---\nservice: inventory\n---\n# When the pool is exhausted\nRaise the limit.\n")
    (pages / "checkout" / "pool.md").write_text("# Another pool\n")
    (pages / "notes.txt").write_text("no page")
    (pages / ".git").mkdir()
    (pages / ".git" / "hidden.md").write_text("# hidden")
    return pages


def test_pages_of_a_folder_and_of_those_below(folder: Path) -> None:
    notes = Notebook()
    first, second = WrittenRunbooks(RunbookFolder(path=folder), notes).runbooks()
    assert (first.id, first.title, first.service) == ("checkout/pool", "Another pool", None)
    assert (second.id, second.title, second.service) == ("pool", "When the pool is exhausted", "inventory")
    assert second.body == "# When the pool is exhausted\nRaise the limit.\n"
    assert len(notes) == 0


def test_a_page_that_cannot_be_used_is_a_note(folder: Path, tmp_path: Path) -> None:
    (folder / "empty.md").write_bytes(b"")
    (tmp_path / "secret.md").write_text("# not for everybody")
    (folder / "link.md").symlink_to(tmp_path / "secret.md")
    notes = Notebook()
    assert len(WrittenRunbooks(RunbookFolder(path=folder), notes).runbooks()) == 2
    told = [text for _, text in notes]
    assert any("empty.md: is empty" in text for text in told)
    assert any("link.md: is a link that leads out" in text for text in told)


def test_a_wiki_is_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_PAGES", 1)
    notes = Notebook()
    assert len(WrittenRunbooks(RunbookFolder(path=folder), notes).runbooks()) == 1
    assert "1 of 2 pages were read" in notes[0][1]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="there is no folder"):
        WrittenRunbooks(RunbookFolder(path=tmp_path / "nowhere"), Notebook()).runbooks()


def test_what_the_doctor_sees_of_runbooks(folder: Path, tmp_path: Path) -> None:
    seen = WrittenRunbooks(RunbookFolder(path=folder), Notebook()).look(WINDOW)
    assert (seen.facts, seen.services) == (("2 pages, 1 of them for a service",), ("inventory",))
    (tmp_path / "bare").mkdir()
    bare = WrittenRunbooks(RunbookFolder(path=tmp_path / "bare"), Notebook()).look(WINDOW)
    assert bare.newest is None
    assert "end in .md" in bare.troubles[0]
