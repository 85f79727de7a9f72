"""Writes a recording as the folder that `tools.recorded` reads: whole or not at all, and with secrets masked."""

from __future__ import annotations

import gzip
import os
import re
import secrets
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pandas as pd
from pydantic import JsonValue

from tools.backend import LOG_COLUMNS, SPAN_COLUMNS
from tools.evidence import Frozen, JsonObject, Runbook, Source
from tools.masked_columns import masked_attribute_column
from tools.moments import iso_texts
from tools.recorded import TELEMETRY, Recording, RecordingError
from tools.recorded_manifest import MANIFEST, Manifest, Note
from tools.redaction import MASK, masked, masked_text, masked_texts
from tools.words import clean_name

ALERT_FILE = "alert.json"
PACK_FROM = 4 << 20
"""Bytes from which a file is packed with gzip: what is smaller opens in any editor, what is larger in none with joy."""
_LINES = 10_000
"""Lines that are put together at once."""
_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")


class RecordingExists(RecordingError):
    """There is something already where the recording should stand."""


@dataclass
class Written:
    """What was put into the folder."""

    files: dict[str, int] = field(default_factory=dict[str, int])
    """Bytes of each file, packed where it is."""
    masked: dict[Source, int] = field(default_factory=dict[Source, int])
    """Texts of each kind that hold a mask."""

    @property
    def size(self) -> int:
        return sum(self.files.values())


def check_target(folder: Path, *, force: bool = False) -> None:
    """Raise RecordingExists where writing would put something away that nobody asked to put away."""
    if not os.path.lexists(folder):
        return
    if not force:
        raise RecordingExists(f"{folder}: is there already; --force replaces a recording, --out names another folder")
    if folder.is_symlink() or not any((folder / name).is_file() for name in (ALERT_FILE, f"{ALERT_FILE}.gz")):
        raise RecordingExists(f"{folder}: is no recording (it holds no {ALERT_FILE}), so it is not replaced")


def write_recording(recording: Recording, folder: Path, *, force: bool = False) -> Written:
    """Write the recording to `folder`; reading that gives the same recording, with secrets masked.

    It is written beside its place and moved there at the end, so that whatever interrupts it leaves nothing half. Raises
    RecordingExists, and OSError when it cannot be written.
    """
    check_target(folder, force=force)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _draft_of(folder) as draft:
        written = _Folder(draft).put(recording)
        _move(draft, folder)
    return written


@contextmanager
def _draft_of(folder: Path) -> Generator[Path]:
    """An empty folder on the same disk, gone afterwards unless it was moved."""
    draft = _beside(folder)
    draft.mkdir()
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _beside(folder: Path) -> Path:
    """A hidden name that nobody has yet."""
    return folder.parent / f".{folder.name}.{secrets.token_hex(4)}"


def _move(draft: Path, folder: Path) -> None:
    """Put the draft into its place. What it replaces is deleted only once the new recording stands."""
    old = _beside(folder) if folder.is_dir() else None
    if old is not None:
        folder.rename(old)
    try:
        draft.rename(folder)  # onto a folder that came meanwhile it fails: nothing is overwritten
    except OSError:
        if old is not None:
            with suppress(OSError):
                old.rename(folder)
        raise
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


class _Folder:
    """The draft of a recording."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = Written()

    def put(self, recording: Recording) -> Written:
        """Write every part; the alert last, because a folder without one is no recording."""
        self._telemetry(recording)
        self._facts(recording)
        self._runbooks(recording.runbooks)
        self._put(MANIFEST, Source.ALERT, [_pretty(_manifest(recording).model_dump(mode="json"))])
        self._put(ALERT_FILE, Source.ALERT, [_pretty(recording.alert)])
        return self._written

    def _telemetry(self, recording: Recording) -> None:
        frames = {Source.METRICS: recording.metrics, Source.LOGS: recording.logs, Source.TRACES: recording.spans}
        for source, frame in frames.items():
            if frame is not None and len(frame):
                self._put(TELEMETRY[source][0], source, _WRITES[source](frame))
        for each in recording.asked:
            if not each.question.empty:
                source = each.question.source
                self._put(each.question.file, source, _WRITES[source](each.frame))

    def _facts(self, recording: Recording) -> None:
        facts: tuple[tuple[Source, str, str, Iterable[Frozen]], ...] = (
            (Source.CHANGES, "changes.json", "", recording.changes),
            (Source.TOPOLOGY, "topology.json", "edges", recording.edges),
            (Source.STATUS, "status_feed.json", "events", recording.status_events),
        )
        for source, name, key, values in facts:
            if source not in recording.missing:
                listed: JsonValue = [value.model_dump(mode="json", exclude_none=True) for value in values]
                self._put(name, source, [_pretty({key: listed} if key else listed)])

    def _runbooks(self, pages: Iterable[Runbook]) -> None:
        taken: set[str] = set()
        for page in pages:
            name = _NOT_IN_A_NAME.sub("-", page.id).strip(".-")[:80] or "page"
            while name in taken:
                name += "-"
            taken.add(name)
            self._put(f"runbooks/{name}.md", Source.RUNBOOKS, [_page(page).encode("utf-8", "replace")])

    def _put(self, name: str, source: Source, content: Iterable[bytes]) -> None:
        path = self._path / name
        path.parent.mkdir(exist_ok=True)
        masks = 0
        with path.open("wb") as opened:
            for piece in content:
                masks += piece.count(MASK.encode())
                opened.write(piece)
            opened.flush()
            os.fsync(opened.fileno())
        if path.stat().st_size >= PACK_FROM:
            path = _packed(path)
        self._written.files[path.relative_to(self._path).as_posix()] = path.stat().st_size
        if masks:
            self._written.masked[source] = self._written.masked.get(source, 0) + masks


def _packed(path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    with path.open("rb") as plain, packed.open("wb") as out:
        # Neither the name nor the moment of packing goes in, so that equal content is an equal file.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=out, mtime=0) as into:
            shutil.copyfileobj(plain, into, 1 << 20)
        os.fsync(out.fileno())
    path.unlink()
    return packed


def _manifest(recording: Recording) -> Manifest:
    frames = {Source.METRICS: recording.metrics, Source.LOGS: recording.logs, Source.TRACES: recording.spans}
    empty = [source for source, frame in frames.items() if frame is not None and frame.empty]
    if not recording.runbooks and Source.RUNBOOKS not in recording.missing:
        empty.append(Source.RUNBOOKS)
    return Manifest(
        window=recording.window,
        notes=tuple(Note(source=source, text=text) for source, text in recording.notes),
        empty=tuple(empty),
        asked=tuple(each.question for each in recording.asked),
    )


def _metrics(frame: pd.DataFrame) -> Iterator[bytes]:
    told = frame.assign(timestamp=iso_texts(frame["timestamp"]))
    names = ("service", "instance", "metric", "unit")
    told = told.assign(**{name: _names(frame[name]) for name in names})
    for first in range(0, len(told), _LINES):
        lines = told.iloc[first : first + _LINES].to_csv(
            index=False, header=first == 0, na_rep="nan", lineterminator="\n"
        )
        yield lines.encode("utf-8", "replace")


def _logs(frame: pd.DataFrame) -> Iterator[bytes]:
    return _records(frame, "timestamp", LOG_COLUMNS)


def _spans(frame: pd.DataFrame) -> Iterator[bytes]:
    return _records(frame, "start", SPAN_COLUMNS)


_WRITES: dict[Source, Callable[[pd.DataFrame], Iterator[bytes]]] = {
    Source.METRICS: _metrics,
    Source.LOGS: _logs,
    Source.TRACES: _spans,
}


def _records(frame: pd.DataFrame, time: str, columns: tuple[str, ...]) -> Iterator[bytes]:
    """One JSON object a line, every column in each, so that no attribute is mistaken for one."""
    for first in range(0, len(frame), _LINES):
        part = frame.iloc[first : first + _LINES]
        cells = [_cells(part[name], name == time) for name in columns]
        yield b"".join(_line(dict(zip(columns, row, strict=True))) for row in zip(*cells, strict=True))


def _cells(column: pd.Series, is_time: bool) -> list[object]:
    if is_time:
        return list(iso_texts(column))
    if column.name == "attributes":
        return masked_attribute_column(column).tolist()
    texts = column.tolist()
    if column.dtype == float:
        return texts
    changed = masked_texts(texts)
    return [changed.get(text, text) for text in texts] if changed else texts


def _names(column: pd.Series) -> pd.Series:
    """Names on one line, masked; there are few different ones."""
    return column.map({name: clean_name(masked_text(name)) for name in column.unique()}).astype("str")


def _line(record: JsonObject) -> bytes:
    try:
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # half of a surrogate pair, which no UTF-8 text can hold
        return orjson.dumps(_whole_letters(record), option=orjson.OPT_APPEND_NEWLINE)


def _pretty(value: JsonValue) -> bytes:
    told = masked(_whole_letters(value))
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _whole_letters(value: JsonValue) -> JsonValue:
    """JSON in which what is no letter became a question mark."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {str(_whole_letters(key)): _whole_letters(item) for key, item in value.items()}
    return [_whole_letters(item) for item in value] if isinstance(value, list) else value


def _page(page: Runbook) -> str:
    """A page with a head, so that its id, title and service come back as they are."""
    told = {"id": page.id, "title": page.title, "service": page.service}
    head = "".join(
        f"{key}: {orjson.dumps(_whole_letters(masked_text(value))).decode()}\n"
        for key, value in told.items()
        if value is not None
    )
    return f"---\n{head}---\n{masked_text(page.body)}"
