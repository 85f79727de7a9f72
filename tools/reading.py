"""Reads the files of a recording folder whatever they hold: bounded memory, no exception, a note for every trouble."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO

import orjson

from tools.evidence import JsonObject, Source
from tools.redaction import masked_text

MAX_LINE_BYTES = 4 << 20
"""A longer line is left out: no log record or span is 4 MiB, and a file without line ends must not fill the memory."""
MAX_DOCUMENT_BYTES = 64 << 20
"""A JSON document or runbook is read whole; a larger one is a dump, or a small file packed to burst."""
MAX_STREAM_BYTES = 8 << 30
"""Where reading a line file stops, unpacked: minutes of work; what is behind it is named in a note."""
_NOT_A_RECORD = "what is not a JSON object was left out"
_CHUNK_BYTES = 1 << 18
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


class Unreadable(Exception):
    """A file, document or line cannot be used; the message says why in a few words."""


@dataclass
class _Tally:
    source: Source
    example: str
    count: int = 0


@dataclass
class Notes:
    """What was wrong with the files, one line per kind of trouble: how often, and the first example."""

    _tallies: dict[tuple[str, str], _Tally] = field(default_factory=dict)

    def add(self, source: Source, file: str, trouble: str, example: str = "", count: int = 1) -> None:
        """Count a trouble; only the first example is kept."""
        if count:
            self._tallies.setdefault((file, trouble), _Tally(source, example)).count += count

    def lines(self) -> tuple[tuple[Source, str], ...]:
        return tuple(
            (tally.source, f"{file}: {_times(tally, trouble)}") for (file, trouble), tally in self._tallies.items()
        )


def _times(tally: _Tally, trouble: str) -> str:
    if not tally.example:
        return trouble if tally.count == 1 else f"{trouble}, {tally.count} times"
    return (
        f"{trouble} ({tally.example})" if tally.count == 1 else f"{trouble}, {tally.count} times, first {tally.example}"
    )


def shown(value: object) -> str:
    """A value as a note quotes it: short, on one line, without secrets."""
    text = masked_text(repr(value) if not isinstance(value, str) else value)
    return repr(text if len(text) <= 60 else text[:57] + "...")


@dataclass(frozen=True)
class Part:
    """One file of a recording, packed with gzip or not."""

    source: Source
    path: Path
    notes: Notes

    @property
    def file(self) -> str:
        return self.path.name

    def note(self, trouble: str, example: str = "", count: int = 1) -> None:
        self.notes.add(self.source, self.file, trouble, example, count)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Numbered lines without their line end; what cannot be read is noted and ends the file."""
        carry, number, skipping = b"", 0, False
        for chunk in self._chunks():
            pieces = (carry + chunk).split(b"\n")
            carry = pieces.pop()
            for piece in pieces:
                number += 1
                if not skipping:
                    yield number, piece.removesuffix(b"\r")
                skipping = False
            if len(carry) > MAX_LINE_BYTES or skipping:
                if not skipping:
                    self.note(f"a line of more than {MAX_LINE_BYTES >> 20} MiB was left out", f"line {number + 1}")
                carry, skipping = b"", True
        if carry and not skipping:
            yield number + 1, carry.removesuffix(b"\r")

    def whole(self) -> bytes:
        """The whole file; raises Unreadable when it is empty or larger than a document may be."""
        pieces: list[bytes] = []
        size = 0
        for chunk in self._chunks():
            size += len(chunk)
            if size > MAX_DOCUMENT_BYTES:
                raise Unreadable(f"is larger than {MAX_DOCUMENT_BYTES >> 20} MiB")
            pieces.append(chunk)
        content = b"".join(pieces)
        if not content.strip():
            raise Unreadable("is empty")
        return content

    def _chunks(self) -> Iterator[bytes]:
        """Unpacked content, with the byte order mark taken off, at most MAX_STREAM_BYTES of it."""
        total, first = 0, True
        try:
            with self.path.open("rb") as opened:
                for chunk in _unpacked(opened):
                    yield chunk.removeprefix(_BOM) if first else chunk
                    first = False
                    total += len(chunk)
                    if total > MAX_STREAM_BYTES:
                        self.note(f"reading stopped after {MAX_STREAM_BYTES >> 30} GiB")
                        return
        except OSError as error:
            self.note("cannot be read", error.strerror or str(error))
        except (zlib.error, EOFError) as error:
            self.note("the gzip data end early or are damaged; what stands before is used", str(error))


def _unpacked(opened: IO[bytes]) -> Iterator[bytes]:
    """Content in chunks, gunzipped when it starts like gzip. Raises EOFError or zlib.error after what could be had."""
    raw = opened.read(_CHUNK_BYTES)
    if not raw.startswith(_GZIP):
        while raw:
            yield raw
            raw = opened.read(_CHUNK_BYTES)
        return
    unpack = zlib.decompressobj(wbits=31)
    while raw:
        # At most four chunks at once, so that a few packed bytes cannot unfold into all of the memory.
        content = unpack.decompress(raw, _CHUNK_BYTES * 4)
        if content:
            yield content
        raw = unpack.unconsumed_tail or unpack.unused_data or opened.read(_CHUNK_BYTES)
        if unpack.eof:
            raw = raw.lstrip(b"\0")  # tar and tape pad the end with zeros
            unpack = zlib.decompressobj(wbits=31) if raw else unpack
    if not unpack.eof:
        raise EOFError("no end of stream")


def decoded(part: Part, content: bytes, number: int = 0) -> str:
    """Text from UTF-8; bytes that are none are replaced and noted."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        part.note("bytes that are not UTF-8 were replaced", f"line {number}" if number else "")
        return content.decode("utf-8", "replace")


def parsed(part: Part, content: bytes, number: int = 0) -> object:
    """JSON from UTF-8; bytes that are none are replaced, NaN and infinities come back as words.

    Raises Unreadable when it is not JSON.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as strict:
        if b"\0" in content[:1024]:
            raise Unreadable("is binary, not JSON") from strict
        try:
            lenient = json.loads(content.decode("utf-8", "replace"), parse_constant=str)
            # Once through orjson again: it refuses what no UTF-8 text can hold, such as half of a surrogate pair.
            value = orjson.loads(orjson.dumps(lenient))
        except (ValueError, TypeError, RecursionError):
            raise Unreadable(f"is not JSON: {strict.msg} at character {strict.pos}") from strict
        decoded(part, content, number)
        return value


def records(part: Part) -> Iterator[tuple[int, JsonObject]]:
    """Numbered JSON objects of a file with one per line, or of one list; what is no object is noted and left out."""
    lines = ((number, line) for number, line in part.lines() if line.strip())
    first = next(lines, None)
    if first is None:
        part.note("is empty")
    elif first[1].lstrip().startswith(b"["):
        yield from _listed(part)
    else:
        yield from _lined(part, chain([first], lines))


def _listed(part: Part) -> Iterator[tuple[int, JsonObject]]:
    try:
        document = parsed(part, part.whole())
    except Unreadable as error:
        part.note(str(error))
        return
    for number, item in enumerate(document if isinstance(document, list) else [document], start=1):
        if isinstance(item, dict):
            yield number, item
        else:
            part.note(_NOT_A_RECORD, f"item {number} is a {json_kind(item)}")


def _lined(part: Part, lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, JsonObject]]:
    for number, line in lines:
        try:
            record = parsed(part, line, number)
        except Unreadable as error:
            start = shown(line[:200].decode("utf-8", "replace"))
            part.note(_NOT_A_RECORD, f"line {number} {error}: {start}")
            continue
        if isinstance(record, dict):
            yield number, record
        else:
            part.note(_NOT_A_RECORD, f"line {number} is a {json_kind(record)}")


def json_kind(value: object) -> str:
    """What JSON calls the kind of a value."""
    kinds = {
        "dict": "object",
        "bool": "boolean",
        "int": "number",
        "float": "number",
        "str": "string",
        "NoneType": "null",
    }
    return kinds.get(type(value).__name__, type(value).__name__)
