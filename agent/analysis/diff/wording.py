"""What people read: log lines, metrics, texts and looks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.analysis.diff.callees import Work
from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.languages import Family, Role
from agent.analysis.diff.pairing import pairs_of
from agent.analysis.diff.values import Place, edit, is_sentence
from agent.analysis.diff.view import Called, CodeView
from agent.analysis.edits import Edit, EditKind

_JSX = frozenset({"typescript", "javascript"})


@dataclass(frozen=True, slots=True)
class Statement:
    """A log or metric statement with the lines it spans."""

    called: Called
    lines: range

    @property
    def text(self) -> str:
        return " ".join(self.called.side.lines[i].stripped for i in self.lines)[:300]


def statements(side: Side, hunk: Hunk) -> tuple[Statement, ...]:
    """The log and metric statements of a side, outermost call of each chain."""
    found: dict[int, Statement] = {}
    for call in side.calls:
        called = Called(call, side, hunk)
        if called.work in {Work.LOG, Work.METRIC}:
            end = side.tokens[call.close].line if call.close >= 0 else call.line
            found[side.tokens[call.start].line] = Statement(called, range(side.tokens[call.start].line, end + 1))
    return tuple(found.values())


def talking_lines(side: Side, hunk: Hunk) -> set[int]:
    """Lines of log and metric statements: what changes there is a matter of wording."""
    return {i for s in statements(side, hunk) for i in s.lines}


def wording_edits(view: CodeView) -> Iterator[Edit]:
    """LOG and METRIC per changed statement, STYLE and TEXT per changed line of a user interface."""
    for hunk in view.hunks:
        yield from _spoken(hunk)
        if hunk.language.name in _JSX:
            yield from _interface(hunk)


def _spoken(hunk: Hunk) -> Iterator[Edit]:
    old = [s for s in statements(hunk.before, hunk) if any(hunk.before.lines[i].changed for i in s.lines)]
    new = [s for s in statements(hunk.after, hunk) if any(hunk.after.lines[i].changed for i in s.lines)]
    for work, kind in ((Work.LOG, EditKind.LOG), (Work.METRIC, EditKind.METRIC)):
        gone = [s for s in old if s.called.work is work]
        came = [s for s in new if s.called.work is work]
        for i in range(max(len(gone), len(came))):
            a, b = gone[i] if i < len(gone) else None, came[i] if i < len(came) else None
            shown = b or a
            if shown is None or (a and b and a.text == b.text):
                continue
            place = shown.called.place(in_loop=shown.called.in_loop and b is not None)
            place = Place(place.path, place.language, place.section, shown.text, place.in_loop)
            yield edit(kind, place, shown.called.call.name, a.text if a else None, b.text if b else None)


def _interface(hunk: Hunk) -> Iterator[Edit]:
    """Markup inside of code: class names, styles and the words between tags."""
    for a, b in pairs_of(hunk):
        old, new = hunk.before.lines[a], hunk.after.lines[b]
        kind = look_of(old.stripped, new.stripped)
        if kind:
            place = Place(hunk.path, hunk.language, hunk.after.scope(b), new.text)
            yield edit(kind, place, "", old.stripped[:200], new.stripped[:200])


_TAG_TEXT = re.compile(r">([^<>{}]+)<|^([A-Z][^<>{}=;()]*[a-z.!?…])$")
_LOOK_VALUE = re.compile(
    r"\b(className|class|style|aria-[\w-]+|alt|placeholder|title|data-testid)\s*=\s*(\"[^\"]*\"|'[^']*'|\{`[^`${}]*`\}|\{\"[^\"]*\"\}|\{\{[^{}]*\}\})"
)


def look_of(before: str, after: str) -> EditKind | None:
    """STYLE or TEXT when two lines of markup differ only in looks or in words between tags."""
    if "<" not in before + after and not _TAG_TEXT.match(before):
        return None
    if _LOOK_VALUE.sub("", before) == _LOOK_VALUE.sub("", after):
        return EditKind.STYLE
    worded, reworded = (_TAG_TEXT.sub("><", _LOOK_VALUE.sub("", text)) for text in (before, after))
    if worded == reworded and "<" in before:
        return EditKind.TEXT
    return None


def plain_edits(hunk: Hunk) -> Iterator[Edit]:
    """The one edit of a hunk of prose, styling or markup."""
    kind = {Role.DOCUMENTATION: EditKind.TEXT, Role.STYLE: EditKind.STYLE}.get(hunk.role)
    if kind is None and hunk.language.family is Family.STYLESHEET:
        kind = EditKind.STYLE
    for group in hunk.groups:
        old, new = _shown(hunk.before, group.before), _shown(hunk.after, group.after)
        line = new or old
        found = kind or _kind_of(hunk, old, new)
        yield edit(found, Place(hunk.path, hunk.language, "", line), "", old or None, new or None)


def _kind_of(hunk: Hunk, old: str, new: str) -> EditKind:
    if hunk.language.family is Family.PROSE:
        return EditKind.TEXT
    if hunk.language.name == "html":
        return look_of(old, new) or (EditKind.TEXT if is_sentence(new) and is_sentence(old) else EditKind.OTHER)
    return EditKind.OTHER


def _shown(side: Side, lines: Sequence[int]) -> str:
    return " ".join(side.lines[i].stripped for i in lines[:3])[:200]
