from __future__ import annotations

import gzip
import io
import random
from pathlib import Path

import pytest

import tools.reading
from tools.evidence import Source
from tools.reading import Notes, Part, Unreadable, json_kind, parsed, records, shown


def part_of(tmp_path: Path, content: bytes, name: str = "logs.ndjson") -> Part:
    path = tmp_path / name
    path.write_bytes(content)
    return Part(Source.LOGS, path, Notes())


def notes_of(part: Part) -> list[str]:
    return [text for _, text in part.notes.lines()]


def test_lines_are_numbered_and_lose_their_end(tmp_path: Path) -> None:
    part = part_of(tmp_path, b"\xef\xbb\xbfone\r\ntwo\n\nfour")
    assert list(part.lines()) == [(1, b"one"), (2, b"two"), (3, b""), (4, b"four")]
    assert notes_of(part) == []


def test_gzip_is_known_by_its_content_and_may_have_several_members(tmp_path: Path) -> None:
    part = part_of(tmp_path, gzip.compress(b"one\ntw") + gzip.compress(b"o\n") + b"\0" * 512)
    assert [line for _, line in part.lines()] == [b"one", b"two"]
    assert notes_of(part) == []


def test_of_truncated_gzip_everything_before_the_end_is_used(tmp_path: Path) -> None:
    rows = b"".join(b"%d\n" % k for k in random.Random(1).choices(range(10**9), k=20_000))
    packed = gzip.compress(rows)
    part = part_of(tmp_path, packed[: len(packed) // 2], "logs.ndjson.gz")
    assert len(list(part.lines())) > 8_000
    assert notes_of(part) == [
        "logs.ndjson.gz: the gzip data end early or are damaged; what stands before is used (no end of stream)"
    ]


def test_damaged_gzip_is_a_note(tmp_path: Path) -> None:
    part = part_of(tmp_path, b"\x1f\x8b\x08\x00garbage garbage garbage")
    assert list(part.lines()) in ([], [(1, b"")])
    assert "gzip data end early or are damaged" in notes_of(part)[0]


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.reading, "MAX_LINE_BYTES", 1 << 19)
    part = part_of(tmp_path, b"first\n" + b"x" * (1 << 21) + b"\nlast\n")
    assert [line for _, line in part.lines()] == [b"first", b"last"]
    assert notes_of(part) == ["logs.ndjson: a line of more than 0 MiB was left out (line 2)"]


def test_reading_stops_somewhere_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.reading, "MAX_STREAM_BYTES", 1 << 20)
    part = part_of(tmp_path, gzip.compress(b"0123456789abcde\n" * (1 << 18)))
    assert 1 << 15 < len(list(part.lines())) < 1 << 18
    assert notes_of(part) == ["logs.ndjson: reading stopped after 0 GiB"]


def test_a_small_file_that_unpacks_to_a_large_document_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools.reading, "MAX_DOCUMENT_BYTES", 1 << 20)
    part = part_of(tmp_path, gzip.compress(b" " * (1 << 24)), "changes.json")
    with pytest.raises(Unreadable, match="is larger than 1 MiB"):
        part.whole()


def test_a_folder_in_the_place_of_a_file_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "logs.ndjson").mkdir()
    part = Part(Source.LOGS, tmp_path / "logs.ndjson", Notes())
    assert list(part.lines()) == []
    assert notes_of(part) == ["logs.ndjson: cannot be read (Is a directory)"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not JSON"),
        (b"\x00\x01\x02", "is binary, not JSON"),
        (b'{"a": "\\ud800"}', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"9" * 5_000, "is not JSON"),
    ],
)
def test_what_is_not_json(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        parsed(part_of(tmp_path, content), content)


def test_json_with_nan_and_foreign_bytes_is_read(tmp_path: Path) -> None:
    part = part_of(tmp_path, b"")
    assert parsed(part, b'{"a": NaN, "b": -Infinity, "c": "caf\xe9"}', 3) == {
        "a": "NaN",
        "b": "-Infinity",
        "c": "caf\ufffd",
    }
    assert notes_of(part) == ["logs.ndjson: bytes that are not UTF-8 were replaced (line 3)"]


def test_records_of_lines_and_of_one_list(tmp_path: Path) -> None:
    lined = part_of(tmp_path, b'{"a": 1}\n\n[1]\nnope\n"x"\n{"a": 2}\n')
    assert list(records(lined)) == [(1, {"a": 1}), (6, {"a": 2})]
    assert notes_of(lined) == ["logs.ndjson: what is not a JSON object was left out, 3 times, first line 3 is a list"]
    listed = part_of(tmp_path, b'[\n {"a": 1},\n 7, {"a": 2}\n]\n')
    assert list(records(listed)) == [(1, {"a": 1}), (3, {"a": 2})]
    assert notes_of(listed) == ["logs.ndjson: what is not a JSON object was left out (item 2 is a number)"]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"", "logs.ndjson: is empty"),
        (b" \n\n", "logs.ndjson: is empty"),
        (b"[1, 2", "logs.ndjson: is not JSON: unexpected end of data at character 5"),
    ],
)
def test_a_file_without_records_says_why(tmp_path: Path, content: bytes, note: str) -> None:
    part = part_of(tmp_path, content)
    assert list(records(part)) == []
    assert notes_of(part) == [note]


def test_notes_count_and_keep_the_first_example() -> None:
    notes = Notes()
    notes.add(Source.METRICS, "metrics.csv", "a value is not a number", "row 2: value='x'")
    notes.add(Source.METRICS, "metrics.csv", "a value is not a number", "row 9: value='y'", count=4)
    notes.add(Source.METRICS, "metrics.csv", "never", count=0)
    notes.add(Source.LOGS, "logs.ndjson", "is empty")
    assert notes.lines() == (
        (Source.METRICS, "metrics.csv: a value is not a number, 5 times, first row 2: value='x'"),
        (Source.LOGS, "logs.ndjson: is empty"),
    )


def test_a_quoted_value_is_short_on_one_line_and_holds_no_secret() -> None:
    assert shown("a\nb") == "'a\\nb'"
    assert len(shown("x" * 500)) < 70
    assert "hunter2" not in shown({"note": "password=hunter2"})


def test_json_kinds() -> None:
    assert [json_kind(value) for value in ({}, [], "", 1, 1.5, True, None)] == [
        *("object", "list", "string", "number", "number", "boolean", "null"),
    ]


def test_reading_needs_no_more_than_a_chunk_at_a_time(tmp_path: Path) -> None:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as packed:
        packed.write(b"line\n" * 1_000_000)
    part = part_of(tmp_path, out.getvalue())
    lines = part.lines()
    assert next(lines) == (1, b"line")
    assert sum(1 for _ in lines) == 999_999
