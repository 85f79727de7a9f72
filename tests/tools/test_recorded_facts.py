from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tools.recording_files import START, at, change
from tools.evidence import ChangeKind, Edge, Source
from tools.reading import Notes, Part
from tools.recorded_facts import MAX_DIFF, read_changes, read_edges, read_runbook, read_status_events


def part_of(tmp_path: Path, document: object, name: str = "changes.json") -> Part:
    path = tmp_path / name
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    path.write_bytes(raw)
    return Part(Source.CHANGES, path, Notes())


def notes_of(part: Part) -> list[str]:
    return [text for _, text in part.notes.lines()]


def test_changes_in_order_of_time(tmp_path: Path) -> None:
    part = part_of(tmp_path, [change(9, "b", "cart"), change(1, "a", None, "flag", before=False, after=True)])
    found = read_changes(part)
    assert found is not None
    assert [(each.id, each.kind, each.service) for each in found] == [
        ("a", ChangeKind.FLAG, None),
        ("b", ChangeKind.DEPLOY, "cart"),
    ]
    assert (found[0].before, found[0].after) == ("false", "true")
    assert notes_of(part) == []


def test_the_names_of_other_exports(tmp_path: Path) -> None:
    item = {
        "type": "Deployment",
        "timestamp": "2026-03-02T12:00:00+02:00",
        "service": {"name": "cart"},
        "message": "faster cart\n\nlonger text",
        "author": {"login": "mia"},
        "sha": "abc123",
        "files": [{"filename": "cart.py"}, "pool.py", 7],
        "patch": "@@ -1 +1 @@\n-a\n+b\n",
        "reviewers": ["x"],
    }
    found = read_changes(part_of(tmp_path, {"changes": [item]}))
    assert found is not None
    each = found[0]
    assert (each.id, each.commit, each.author, each.service, each.at) == ("abc123", "abc123", "mia", "cart", START)
    assert each.title == "faster cart\n\nlonger text"
    assert each.files == ("cart.py", "pool.py")
    assert each.diff == "@@ -1 +1 @@\n-a\n+b\n"
    assert each.in_effect


def test_a_merged_commit_that_nothing_carried_is_not_in_effect(tmp_path: Path) -> None:
    found = read_changes(part_of(tmp_path, [{"kind": "commit", "sha": "c1", "merged_at": at(3)}]))
    assert found is not None
    assert (found[0].kind, found[0].in_effect, found[0].at) == (ChangeKind.DEPLOY, False, found[0].merged_at)


def test_what_cannot_be_used_is_noted_and_the_rest_stays(tmp_path: Path) -> None:
    items = [
        change(0, "a", "cart", "teleport"),
        {"id": "no time", "kind": "deploy"},
        change(1, "bad time", "cart") | {"at": "soon"},
        change(2, "odd", "cart") | {"in_effect": "banana"},
        "text",
        change(3, "a", "cart"),
    ]
    part = part_of(tmp_path, items)
    found = read_changes(part)
    assert found is not None
    assert [(each.id, each.kind) for each in found] == [("a", ChangeKind.INFRA), ("a#6", ChangeKind.DEPLOY)]
    assert notes_of(part) == [
        "changes.json: an item is not an object and was left out (item 5: 'text')",
        "changes.json: a kind of change is unknown and was read as infra (item 1: kind='teleport')",
        "changes.json: an item cannot be used and was left out, 3 times, first item 2: at: Field required",
        "changes.json: a time cannot be read (item 3: at='soon')",
        "changes.json: an id was there again and got a number (item 6: id='a')",
    ]


def test_a_huge_diff_is_cut(tmp_path: Path) -> None:
    found = read_changes(part_of(tmp_path, [change(0, "a", "cart", diff="+" * (MAX_DIFF + 5))]))
    assert found is not None
    assert (found[0].diff or "").endswith("… (+5 characters)")


@pytest.mark.parametrize(
    ("document", "note"),
    [
        ({"deploys": []}, "changes.json: holds an object without a list 'changes' where a list of changes is due"),
        (7, "changes.json: holds a number where a list of changes is due"),
        (b"", "changes.json: is empty"),
        (b"\x00\x01", "changes.json: is binary, not JSON"),
        (b"[{", "changes.json: is not JSON: unexpected end of data at character 2"),
    ],
)
def test_a_file_of_another_kind_says_so(tmp_path: Path, document: Any, note: str) -> None:
    part = part_of(tmp_path, document)
    assert read_changes(part) is None
    assert notes_of(part)[0].startswith(note)


def test_an_empty_list_means_that_nothing_was_changed(tmp_path: Path) -> None:
    part = part_of(tmp_path, [])
    assert read_changes(part) == ()
    assert notes_of(part) == []


def test_status_events(tmp_path: Path) -> None:
    items = [
        {
            "id": "p1",
            "provider": "paycorp",
            "service": "cards",
            "status": "degraded",
            "title": "Slow",
            "started_at": at(5),
        },
        {
            "provider": "mailer",
            "component": "smtp",
            "state": "outage",
            "name": "Down",
            "created_at": at(1),
            "end": at(3),
        },
        {"id": "p3"},
    ]
    part = part_of(tmp_path, {"events": items}, "status_feed.json")
    found = read_status_events(part)
    assert found is not None
    assert [(event.id, event.provider, event.status) for event in found] == [
        ("status-2", "mailer", "outage"),
        ("p1", "paycorp", "degraded"),
    ]
    assert found[0].resolved_at is not None
    assert notes_of(part) == [
        "status_feed.json: an item cannot be used and was left out (item 3: started_at: Field required)"
    ]


def test_edges(tmp_path: Path) -> None:
    items = [
        {"caller": "a", "callee": "b"},
        {"source": "a", "target": "b"},
        {"from": "b", "to": "db", "kind": "data"},
        {"caller": "b", "callee": "c", "kind": "gossip"},
        {"caller": "b"},
    ]
    part = part_of(tmp_path, {"edges": items}, "topology.json")
    assert read_edges(part) == (
        Edge(caller="a", callee="b"),
        Edge(caller="b", callee="db", kind="data"),
        Edge(caller="b", callee="c"),
    )
    assert len(notes_of(part)) == 2
    assert read_edges(part_of(tmp_path, {"nodes": []}, "topology.json")) is None


@pytest.mark.parametrize(
    ("text", "title", "service"),
    [
        ("---\nowner: x\nservice: cart\n---\n\n## When the cart is slow\nDo this.\n", "When the cart is slow", "cart"),
        ("---\r\nservice: 'cart'\r\n---\r\n# T\r\n", "T", "cart"),
        ("no heading, service: cart\n", "page", None),
    ],
)
def test_runbooks(tmp_path: Path, text: str, title: str, service: str | None) -> None:
    page = read_runbook(part_of(tmp_path, text.encode(), "page.md"))
    assert page is not None
    assert (page.id, page.title, page.service) == ("page", title, service)
    assert "owner" not in page.body


@pytest.mark.parametrize("content", [b"", b"  \n", b"a\x00b"])
def test_a_runbook_without_text_is_none(tmp_path: Path, content: bytes) -> None:
    part = part_of(tmp_path, content, "page.md")
    assert read_runbook(part) is None
    assert len(notes_of(part)) == 1
