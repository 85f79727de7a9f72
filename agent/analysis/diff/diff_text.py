"""From the diffs people paste to the unified diffs a parser accepts.

A hunk may come without file headers (GitHub's `patch`), with a path or a function in place of line ranges, with wrong
counts, with carriage returns or with stray text around it. `normalise` finds the file and the section of every hunk,
recounts it and writes a unified diff; `unidiff` parses that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import dedent

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchedFile, PatchSet

from agent.analysis.diff.placing import guess_path, path_at_start

MAX_LINES = 60_000
"""Lines that are split into files and hunks; a longer diff is generated code or a vendored tree."""

MAX_WIDTH = 2_000
"""Characters of a line that are read; a longer line is minified or data."""

NOWHERE = "unknown"
"""Stands for the path of a hunk that no file can be found for."""


class DiffError(ValueError):
    """The text is no diff."""


@dataclass(slots=True)
class RawHunk:
    section: str
    lines: list[str] = field(default_factory=list)
    """Each with its column of `+`, `-` or space."""
    start: tuple[int, int] = (1, 1)


@dataclass(slots=True)
class RawFile:
    path: str
    old_path: str = ""
    hunks: list[RawHunk] = field(default_factory=list)
    binary: bool = False
    mode_changed: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ParsedHunk:
    section: str
    lines: tuple[tuple[str, str], ...]
    """(column, text) with column one of `+`, `-`, space."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    path: str
    old_path: str
    hunks: tuple[ParsedHunk, ...]
    binary: bool
    mode_changed: bool


def parse(diff: str, files: Sequence[str]) -> tuple[tuple[ParsedFile, ...], str | None]:
    """The files and hunks of a diff, and what was left out of it (None when nothing was).

    Raises DiffError when no hunk and no file header can be found or unidiff refuses the normalised text.
    """
    lines, cut = _lines(diff)
    raw = [f for f in _Reader(files).read(lines) if f.hunks or f.binary or f.mode_changed or f.old_path or f.deleted]
    if not raw:
        raise DiffError("no hunk was found in the diff")
    try:
        patches = PatchSet(normalise(raw))
    except UnidiffParseError as error:
        raise DiffError(f"the diff cannot be parsed: {error}") from error
    parsed = {p.target_file.removeprefix("b/"): p for p in patches}
    return tuple(_parsed(f, parsed.get(str(i))) for i, f in enumerate(raw)), cut


def normalise(raw: Sequence[RawFile]) -> str:
    """One unified diff with right counts; files are named by their number, so that no path needs quoting."""
    out: list[str] = []
    for number, file in enumerate(raw):
        if not any(hunk.lines for hunk in file.hunks):
            continue
        out += [f"--- a/{number}", f"+++ b/{number}"]
        for hunk in (h for h in file.hunks if h.lines):
            before = sum(1 for line in hunk.lines if line[0] != "+")
            after = sum(1 for line in hunk.lines if line[0] != "-")
            section = f" {hunk.section}" if hunk.section else ""
            out.append(f"@@ -{hunk.start[0]},{before} +{hunk.start[1]},{after} @@{section}")
            out += hunk.lines
    return "\n".join(out) + "\n"


def _parsed(file: RawFile, patch: PatchedFile | None) -> ParsedFile:
    hunks = tuple(
        ParsedHunk(hunk.section_header, tuple((line.line_type, line.value.rstrip("\n")) for line in hunk))
        for hunk in patch or ()
    )
    path = "" if file.path == NOWHERE else file.path
    return ParsedFile(path, file.old_path, hunks, file.binary, file.mode_changed)


_BREAKS = str.maketrans({c: " " for c in "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"})


def _lines(diff: str) -> tuple[list[str], str | None]:
    rows = [row.removesuffix("\r").translate(_BREAKS) for row in diff.split("\n")]
    while rows and not rows[-1].strip():
        rows.pop()
    if not any(row.startswith(("@@", "+", "-", "diff ")) for row in rows):
        rows = dedent("\n".join(rows)).split("\n")
    cut = None
    if len(rows) > MAX_LINES:
        cut = f"only the first {MAX_LINES} of {len(rows)} lines were read"
        rows = rows[:MAX_LINES]
    return [row[:MAX_WIDTH] for row in rows], cut


_RANGES = re.compile(r"@@+ -(\d+)(?:,\d+)?(?: -\d+(?:,\d+)?)* \+(\d+)(?:,\d+)? @@+(?: ?)(.*)")
_GIT = re.compile(r'diff --(?:git|cc|combined) (?:"?a/)?(?P<a>.+?)"?(?: "?b/(?P<b>.+?)"?)?$')
_SIGNATURE = re.compile(r"\d+\.\d+(\.\d+)*( .*)?$")


class _Reader:
    """Walks the lines once and files each hunk under its path."""

    def __init__(self, files: Sequence[str]) -> None:
        self.listed = list(dict.fromkeys(f for f in files if f))
        self.files: dict[str, RawFile] = {}
        self.current: RawFile | None = None
        self.hunk: RawHunk | None = None
        self.loose: list[RawHunk] = []
        """Hunks whose file is told only by what stands in them."""

    def read(self, lines: list[str]) -> list[RawFile]:
        skip = False
        for number, line in enumerate(lines):
            following = lines[number + 1] if number + 1 < len(lines) else ""
            if skip:
                skip = False
            elif line.startswith("@@"):
                self._hunk_header(line)
            elif self._is_pair(line, following):
                self._names(_name(line[4:]), _name(following[4:]))
                skip = True
            elif line.startswith("diff --"):
                self._git(line)
            elif self.hunk is None:
                self._between(line)
            elif _ends_hunk(line, following):
                self.hunk = None
            else:
                self._body(line)
        if not self.files and not self.loose:
            self._bare(lines)
        self._place_loose()
        return list(self.files.values())

    @staticmethod
    def _is_pair(line: str, following: str) -> bool:
        return line.startswith("--- ") and following.startswith("+++ ")

    def _file(self, path: str) -> RawFile:
        self.current = self.files.setdefault(path, RawFile(path))
        self.hunk = None
        return self.current

    def _names(self, old: str, new: str) -> None:
        path = old if new in {"/dev/null", ""} else new
        renamed_by_git = self.current is not None and self.current.path == path
        file = self._file(path)
        file.deleted = file.deleted or new == "/dev/null"
        if not renamed_by_git and old not in {"/dev/null", "", new}:
            file.old_path = old

    def _git(self, line: str) -> None:
        match = _GIT.match(line)
        path = (match["b"] or match["a"]) if match else line[7:].strip()
        self._file(_name(path))

    def _between(self, line: str) -> None:
        """A line outside of hunks: extended headers of git, or the head of a bare list of changed lines."""
        file = self.current
        if file is None:
            return
        if line.startswith("rename from "):
            file.old_path = _name(line[12:])
        elif line.startswith(("Binary file", "GIT binary patch")):
            file.binary = True
        elif line.startswith(("old mode", "new mode")):
            file.mode_changed = True
        elif line.startswith("deleted file"):
            file.deleted = True
        elif line.startswith(("+", "-")) and not line.startswith(("+++", "---")):
            self.hunk = RawHunk("")
            file.hunks.append(self.hunk)
            self._body(line)

    def _hunk_header(self, line: str) -> None:
        ranges = _RANGES.match(line)
        rest = ranges[3] if ranges else line.lstrip("@").strip().removesuffix("@@").strip()
        hunk = RawHunk("", start=(int(ranges[1][:9]), int(ranges[2][:9])) if ranges else (1, 1))
        if ranges and self.current is not None:
            hunk.section = rest.strip()
            self.current.hunks.append(hunk)
            self.hunk = hunk
            return
        path, hunk.section = path_at_start(rest, self.listed)
        if path:
            self._file(path)
        if self.current is not None:
            self.current.hunks.append(hunk)
        else:
            self.loose.append(hunk)
        self.hunk = hunk

    def _body(self, line: str) -> None:
        if self.hunk is None or line.startswith("\\"):
            return
        if line[:1] not in {"+", "-", " "}:
            line = " " + line
        self.hunk.lines.append(line)

    def _bare(self, lines: list[str]) -> None:
        """No header at all: changed lines as they are, for the only or the first file."""
        if any(line[:1] in {"+", "-"} for line in lines):
            self.hunk = RawHunk("")
            self.loose.append(self.hunk)
            for line in lines:
                self._body(line)

    def _place_loose(self) -> None:
        for hunk in self.loose:
            path = guess_path(hunk.section, [line[1:] for line in hunk.lines], self.listed) or NOWHERE
            self.files.setdefault(path, RawFile(path)).hunks.append(hunk)


def _ends_hunk(line: str, following: str) -> bool:
    """A mail signature, or the head of the next file in the style of Subversion."""
    if line in {"-- ", "--"}:
        return bool(_SIGNATURE.match(following))
    return line.startswith("Index: ") and following.startswith("=====")


_ESCAPE = re.compile(r"\\([0-7]{3}|.)")


def _name(text: str) -> str:
    """A path as git writes it: prefix, quotes, octal bytes and the timestamp after a tab are taken off."""
    text = text.split("\t", 1)[0].strip()
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        text = _unquoted(text[1:-1])
    return re.sub(r"^[abciow12]/", "", text)


def _unquoted(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code, 8)) if len(code) == 3 else {"t": "\t", "n": " "}.get(code, code)

    plain = _ESCAPE.sub(one, text)
    try:
        return plain.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return plain
