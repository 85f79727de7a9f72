"""A hunk as it is analysed: both sides with tokens, nesting and the lines that really changed.

Nesting is read from the indentation, which is right in nearly every file and survives the cut ends of a hunk, where
brackets do not close.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property

from agent.analysis.diff.calls import Call, find_calls
from agent.analysis.diff.definitions import Definition, definition_of, section_name
from agent.analysis.diff.diff_text import ParsedFile, ParsedHunk
from agent.analysis.diff.languages import Family, Language, Role, language_of, role_of
from agent.analysis.diff.tokens import Token, lex

MAX_ALIGNED = 250_000
"""Removed times added lines of one run up to which they are aligned again; beyond, the diff's own marks stand."""

MAX_READ = 5_000
"""Lines of product files that are analysed, and as many of others: about a second. Reviews stop long before."""

MAX_DEPTH = 40
"""Levels of nesting that are looked through; deeper text is data."""

TAB = 4
_CLOSERS = frozenset({"}", ")", "]", "end", ";", ",", "{"})


@dataclass(slots=True)
class CodeLine:
    text: str
    indent: int
    tokens: tuple[Token, ...]
    changed: bool = False
    parent: int = -1
    """Index of the line this one is nested under, -1 when the hunk does not show it."""
    end: int = 0
    """Index after the last line that is nested under this one."""

    @property
    def stripped(self) -> str:
        return self.text.strip()


class Side:
    """One version of a hunk: its context with either the removed or the added lines."""

    def __init__(self, rows: Sequence[str], language: Language, section: str) -> None:
        self.language = language
        self.section = section
        lexable = language.family not in {Family.PROSE, Family.DATA}
        lexed = lex("\n".join(rows), language) if lexable else lex("", language)
        self.tokens = lexed.tokens
        self.comments = lexed.comments
        self.text = lexed.text
        by_line: list[list[Token]] = [[] for _ in rows]
        for token in lexed.tokens:
            if token.line < len(rows):
                by_line[token.line].append(token)
        self.lines = [CodeLine(row, _indent(row), tuple(t)) for row, t in zip(rows, by_line, strict=True)]
        self._nest()

    def _nest(self) -> None:
        stack: list[int] = []
        for index, line in enumerate(self.lines):
            if not line.tokens:
                line.parent = stack[-1] if stack else -1
                continue
            bare = all(t.text in _CLOSERS for t in line.tokens)
            continues = line.tokens[0].text in _CLOSERS
            while stack and self.lines[stack[-1]].indent >= line.indent:
                if continues and self.lines[stack[-1]].indent == line.indent:
                    break
                self.lines[stack.pop()].end = index
            above = stack[-1] if stack else -1
            # `} else {` and `):` go on with what the line of the same indentation opened; a lone bracket only ends it.
            line.parent = self.lines[above].parent if bare and above >= 0 else above
            if bare and above >= 0 and self.lines[above].indent == line.indent:
                self.lines[stack.pop()].end = index
            elif not bare:
                stack.append(index)
        for index in stack:
            self.lines[index].end = len(self.lines)

    def source(self, first: Token, last: Token) -> str:
        """The text from one token to another, white space collapsed."""
        return " ".join(self.text[first.start : last.start + len(last.text)].split())

    def ancestors(self, index: int) -> Iterator[int]:
        """The lines that line `index` is nested under, innermost first."""
        index = self.lines[index].parent
        for _ in range(MAX_DEPTH):
            if index < 0:
                return
            yield index
            index = self.lines[index].parent

    def below(self, index: int) -> range:
        """The lines nested under line `index`."""
        return range(index + 1, max(index + 1, self.lines[index].end))

    def loops(self, index: int) -> bool:
        """Whether line `index` is nested under a loop that the hunk shows."""
        return any(at in self._loop_lines for at in self.ancestors(index))

    @cached_property
    def _loop_lines(self) -> frozenset[int]:
        return frozenset(i for i, line in enumerate(self.lines) if line.tokens and _is_loop(line.tokens))

    @cached_property
    def definitions(self) -> dict[int, Definition]:
        """Line -> what it defines."""
        found = {i: definition_of(line.text, self.language) for i, line in enumerate(self.lines) if line.tokens}
        return {i: d for i, d in found.items() if d is not None}

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        return find_calls(self.tokens, self.language, {i: d.name for i, d in self.definitions.items()})

    @cached_property
    def calls_by_line(self) -> dict[int, tuple[Call, ...]]:
        """Line -> the calls whose callee ends on it."""
        found: dict[int, list[Call]] = {}
        for call in self.calls:
            found.setdefault(call.line, []).append(call)
        return {line: tuple(calls) for line, calls in found.items()}

    def calls_on(self, lines: Iterable[int]) -> Iterator[Call]:
        """The calls on some lines, in the order of the lines."""
        for line in lines:
            yield from self.calls_by_line.get(line, ())

    @cached_property
    def calls_by_bracket(self) -> dict[int, Call]:
        """Index of an opening bracket -> its call."""
        return {c.open: c for c in self.calls if c.open >= 0}

    def around(self, call: Call) -> Iterator[Call]:
        """The calls in whose arguments `call` stands."""
        return (self.calls_by_bracket[at] for at in call.inside if at in self.calls_by_bracket)

    @cached_property
    def callees(self) -> frozenset[str]:
        """The last names of everything that is called."""
        return frozenset(c.last for c in self.calls)

    def definition_at(self, index: int, *, functions_only: bool = False) -> Definition | None:
        """The innermost definition that line `index` lies in (or is), as far as the hunk and its header show."""
        for at in (index, *self.ancestors(index)):
            found = self.definitions.get(at)
            if found and (found.kind == "function" or not functions_only):
                return found
        if index >= 0 and self.lines and self._after_unnested_definition(index):
            return None
        header = definition_of(self.section, self.language)
        return header if header and (header.kind == "function" or not functions_only) else None

    def _after_unnested_definition(self, index: int) -> bool:
        """A definition on the outermost level of the hunk ended before this line: the header's no longer holds."""
        return self.lines[index].indent <= self._margin and self._first_outer_definition < index

    @cached_property
    def _margin(self) -> int:
        return min((line.indent for line in self.lines if line.tokens), default=0)

    @cached_property
    def _first_outer_definition(self) -> int:
        outer = (at for at in self.definitions if self.lines[at].indent <= self._margin)
        return min(outer, default=len(self.lines))

    def scope(self, index: int) -> str:
        """Name of the innermost definition around line `index`, else what the hunk header quotes."""
        found = self.definition_at(index)
        return found.name if found else section_name(self.section, self.language)

    def changed_lines(self) -> Iterator[tuple[int, CodeLine]]:
        return ((i, line) for i, line in enumerate(self.lines) if line.changed)


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring lines that were replaced: indices into both sides; one of them may be empty."""

    before: tuple[int, ...]
    after: tuple[int, ...]


class Hunk:
    """One hunk with both sides and its groups of changed lines."""

    def __init__(self, path: str, language: Language, role: Role, parsed: ParsedHunk) -> None:
        self.path, self.language, self.role, self.section = path, language, role, parsed.section
        self.rows = parsed.lines
        self.before = Side([t for column, t in parsed.lines if column != "+"], language, parsed.section)
        self.after = Side([t for column, t in parsed.lines if column != "-"], language, parsed.section)
        self.restated: list[tuple[int, int]] = []
        """Lines that the diff takes out and puts in again: (before, after)."""
        self.groups = tuple(self._groups())
        for group in self.groups:
            for index in group.before:
                self.before.lines[index].changed = True
            for index in group.after:
                self.after.lines[index].changed = True

    def _groups(self) -> Iterator[Group]:
        old, new = 0, 0
        removed: list[int] = []
        added: list[int] = []
        for column, _ in (*self.rows, (" ", "")):
            if column == " ":
                if removed or added:
                    yield from self._aligned(removed, added)
                    removed, added = [], []
                old, new = old + 1, new + 1
            elif column == "-":
                removed.append(old)
                old += 1
            else:
                added.append(new)
                new += 1

    def _aligned(self, removed: list[int], added: list[int]) -> Iterator[Group]:
        keyed_old = [(i, _key(self.before.lines[i], self.language)) for i in removed]
        keyed_new = [(i, _key(self.after.lines[i], self.language)) for i in added]
        old = [(i, k) for i, k in keyed_old if k]
        new = [(i, k) for i, k in keyed_new if k]
        if len(old) * len(new) > MAX_ALIGNED:
            yield Group(tuple(i for i, _ in old), tuple(i for i, _ in new))
            return
        matcher = SequenceMatcher(None, [k for _, k in old], [k for _, k in new], autojunk=False)
        for tag, a, b, c, d in matcher.get_opcodes():
            if tag != "equal":
                yield Group(tuple(i for i, _ in old[a:b]), tuple(i for i, _ in new[c:d]))
            else:
                self.restated += [(i, j) for (i, _), (j, _) in zip(old[a:b], new[c:d], strict=True)]

    @cached_property
    def group_before(self) -> dict[int, Group]:
        """Removed line -> its group."""
        return {i: group for group in self.groups for i in group.before}

    @cached_property
    def group_after(self) -> dict[int, Group]:
        """Added line -> its group."""
        return {i: group for group in self.groups for i in group.after}

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.before, self.after


def renested(hunk: Hunk) -> list[tuple[int, int]]:
    """Lines (before, after) that kept their words and now depend on another line, where indentation decides that."""
    if not hunk.language.indentation:
        return []
    found: list[tuple[int, int]] = []
    for i, j in hunk.restated:
        old, new = _head(hunk.before, i), _head(hunk.after, j)
        if old is not None and new is not None and old != new:
            found.append((i, j))
    return found


def _head(side: Side, index: int) -> tuple[str, ...] | None:
    """The words of the line above in the nesting; None where that line is itself new or a definition."""
    parent = side.lines[index].parent
    if parent < 0:
        return ()
    line = side.lines[parent]
    return None if line.changed or parent in side.definitions else tuple(t.text for t in line.tokens)


@dataclass(frozen=True, slots=True)
class FileDiff:
    path: str
    old_path: str
    language: Language
    role: Role
    hunks: tuple[Hunk, ...]
    binary: bool
    mode_changed: bool


def analysed(files: Sequence[ParsedFile]) -> tuple[tuple[FileDiff, ...], int]:
    """Parsed files with both sides of every hunk lexed, nested and aligned; and the number of lines left out.

    Up to MAX_READ lines of what reaches production are read, and as many of the rest; lock files, whose content tells
    nothing, are not read. Tests and documentation are not counted as left out: their paths say what they are.
    """
    left = {True: MAX_READ, False: MAX_READ}
    skipped = 0
    found: list[FileDiff] = []
    for file in files:
        language, role = language_of(file.path), role_of(file.path)
        reaches = role in {Role.PRODUCT, Role.DEPENDENCIES}
        hunks: list[Hunk] = []
        for hunk in file.hunks if role is not Role.LOCKFILE else ():
            lines = hunk.lines[: left[reaches]]
            left[reaches] -= len(lines)
            if lines:
                hunks.append(Hunk(file.path, language, role, replace(hunk, lines=lines)))
            if role not in {Role.TESTS, Role.DOCUMENTATION}:
                skipped += len(hunk.lines) - len(lines)
        found.append(FileDiff(file.path, file.old_path, language, role, tuple(hunks), file.binary, file.mode_changed))
    return tuple(found), skipped


_LOOPS = frozenset({"for", "foreach", "while", "until", "loop", "repeat"})
_RUBY_LOOPS = frozenset(
    {
        "each",
        "map",
        "times",
        "flat_map",
        "each_with_index",
        "each_slice",
        "find_each",
        "find_in_batches",
        "upto",
        "collect",
    }
)


def _is_loop(tokens: tuple[Token, ...]) -> bool:
    for token in tokens:
        if token.text in _LOOPS:
            return True
        if token.kind != "op" and token.text not in {"await", "async", "parallel"}:
            break
    words = {t.text for t in tokens}
    return "do" in words and bool(words & _RUBY_LOOPS)


def _indent(text: str) -> int:
    width = 0
    for character in text:
        if character == "\t":
            width += TAB
        elif character == " ":
            width += 1
        else:
            break
    return width


def _key(line: CodeLine, language: Language) -> tuple[str, ...]:
    """What makes two lines the same: their tokens; their words where nothing is lexed; () for nothing at all."""
    if language.family in {Family.PROSE, Family.DATA}:
        return tuple(line.text.split())
    return tuple(t.text for t in line.tokens)
