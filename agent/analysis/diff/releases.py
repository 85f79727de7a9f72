"""Resources that are no longer given back on every path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from agent.analysis.diff.callees import Work, work_of
from agent.analysis.diff.calls import Call
from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.values import Place, edit
from agent.analysis.diff.view import CodeView
from agent.analysis.edits import Edit, EditKind


class Form(IntEnum):
    """How surely a release runs."""

    PLAIN = 0
    """Only when control comes by."""
    SCOPED = 1
    """Whatever happens: defer, finally, with, using, try-with-resources."""


@dataclass(frozen=True, slots=True)
class Release:
    target: str
    """Last name of what is released: `conn`, or the callee of a `with`."""
    name: str
    method: str
    line: int
    form: Form
    side: Side
    hunk: Hunk

    @property
    def function(self) -> str:
        found = self.side.definition_at(self.line, functions_only=True)
        return found.name if found else ""

    @property
    def place(self) -> Place:
        return Place(self.hunk.path, self.hunk.language, self.side.scope(self.line), self.side.lines[self.line].text)


_SCOPES = re.compile(
    r"^(?:async\s+|await\s+)*(?:(?P<with>with)\b|(?P<using>using)\s*(?:\(|var\b|await\b|[\w<>]+\s+\w+\s*=)|(?P<try>try)\s*\()"
)
_FINALLY = frozenset({"finally", "ensure", "defer", "after"})
_CONDITIONAL = frozenset(
    {"if", "else", "elif", "elsif", "unless", "case", "switch", "match", "when", "except", "catch", "rescue"}
)
_EXIT = frozenset({"return", "throw", "raise", "continue", "break", "panic", "goto"})


def release_edits(view: CodeView) -> Iterator[Edit]:
    """RELEASE_REMOVED for each resource whose release went, weakened, or no longer covers every path."""
    always = frozenset(name for h in view.hunks for side in (h.before, h.after) for name in _run_always(side))
    old = [r for h in view.hunks for r in find_releases(h.before, h, always)]
    new = [r for h in view.hunks for r in find_releases(h.after, h, always)]
    free = list(new)
    for release in old:
        twin = _twin(release, free)
        if twin is not None:
            free.remove(twin)
            if _weaker(release, twin, view):
                yield edit(EditKind.RELEASE_REMOVED, twin.place, release.name, _text(release), _text(twin))
        elif release.side.lines[release.line].changed and not _resource_gone(release, view):
            yield edit(EditKind.RELEASE_REMOVED, release.place, release.name, _text(release), None)


def _text(release: Release) -> str:
    return release.side.lines[release.line].stripped[:200]


def _run_always(side: Side) -> Iterator[str]:
    """Names of what is called in a `finally`: whatever it is called, it tidies up."""
    for call in side.calls:
        if work_of(call) in {Work.PLAIN, Work.RELEASE} and not call.decorator and _form(side, call) is Form.SCOPED:
            yield call.last


def find_releases(side: Side, hunk: Hunk, always: frozenset[str] = frozenset()) -> Iterator[Release]:
    """Every place where a side gives something back: by the name of the call, or because it is one of `always`."""
    for call in side.calls:
        if (work_of(call) is Work.RELEASE or call.last in always) and not call.decorator:
            target = call.segments[-2] if len(call.segments) > 1 else call.last
            yield Release(target, call.name, call.last.lower(), call.line, _form(side, call), side, hunk)
    for index, line in enumerate(side.lines):
        match = _SCOPES.match(line.stripped)
        if match and line.tokens:
            first = next(side.calls_on((index,)), None)
            if first:
                yield Release(_bound_to(line.stripped) or first.last, first.name, "", index, Form.SCOPED, side, hunk)
    yield from _block_forms(side, hunk)


def _block_forms(side: Side, hunk: Hunk) -> Iterator[Release]:
    """Kotlin's `x.use {`: the block closes what it was called on."""
    for call in side.calls:
        if call.last in {"use", "useLines"} and len(call.segments) > 1 and hunk.language.name in {"kotlin", "scala"}:
            yield Release(call.segments[-2], call.name, "", call.line, Form.SCOPED, side, hunk)


def _bound_to(text: str) -> str:
    match = re.search(r"\bas\s+(\w+)", text) or re.search(r"(\w+)\s*=", text)
    return match[1] if match else ""


def _form(side: Side, call: Call) -> Form:
    words = [t.text for t in side.lines[call.line].tokens[:2]]
    above = [t.text for at in side.ancestors(call.line) for t in side.lines[at].tokens[:2]]
    return Form.SCOPED if _FINALLY & set(words + above) else Form.PLAIN


def _twin(release: Release, free: list[Release]) -> Release | None:
    same = [
        r
        for r in free
        if r.target == release.target and (r.method == release.method or not r.method or not release.method)
    ]
    same = same or [r for r in free if r.method and r.method == release.method and r.name == release.name]
    near = [r for r in same if r.hunk is release.hunk]
    return next((r for r in near if r.function == release.function), None) or next(iter(near or same), None)


def _resource_gone(release: Release, view: CodeView) -> bool:
    """Nothing of that name is acquired any longer, so there is nothing to give back."""
    side = release.hunk.after
    if release.method == "" or release.name == release.target:
        return release.name.rsplit(".", 1)[-1] not in view.lasts_after and release.target not in view.words_after
    assigned = [i for i, line in enumerate(release.side.lines) if _assigns(line.text, release.target)]
    if not assigned:
        return not any(_mentions(line.text, release.target) for line in side.lines) and _had_other_use(release)
    if any(not release.side.lines[i].changed for i in assigned):
        return False
    return not any(_assigns(line.text, release.target) or _mentions(line.text, release.target) for line in side.lines)


def _had_other_use(release: Release) -> bool:
    return any(
        line.changed and i != release.line and _mentions(line.text, release.target)
        for i, line in enumerate(release.side.lines)
    )


def _assigns(text: str, target: str) -> bool:
    return bool(re.search(rf"\b{re.escape(target)}\b[\w\s,:<>*]*(:=|=(?!=)|<-)|\bas {re.escape(target)}\b", text))


def _mentions(text: str, target: str) -> bool:
    return bool(re.search(rf"\b{re.escape(target)}\b", text))


def _weaker(old: Release, new: Release, view: CodeView) -> bool:
    """The release still stands somewhere, but covers fewer paths."""
    if old.form > new.form:
        return True
    if old.hunk is new.hunk and old.function != new.function:
        return _moved_away(old, new)
    if old.hunk is not new.hunk:
        return False
    if _conditions(new) > _conditions(old):
        return True
    return (new.form is Form.PLAIN and _exits_before(new) > _exits_before(old)) or _deferred_later(old, new)


def _conditions(release: Release) -> int:
    acquired = _acquired(release)
    depth = 0
    for at in release.side.ancestors(release.line):
        if acquired is not None and at < acquired:
            break
        depth += bool(_CONDITIONAL & {t.text for t in release.side.lines[at].tokens[:2]})
    return depth


def _acquired(release: Release) -> int | None:
    """The line above that assigns what is released."""
    for at in range(release.line - 1, -1, -1):
        if _acquires(release.side.lines[at].text, release.target):
            return at
    return None


def _exits_before(release: Release) -> int:
    """Ways out between the acquisition and the release, the check of the acquisition itself left out."""
    start = _acquired(release)
    return len(_exits(release.side, -1 if start is None else start, release.line, release.function))


def _exits(side: Side, start: int, end: int, function: str) -> list[int]:
    check = _own_check(side, start)
    found: list[int] = []
    for at in range(start + 1, end):
        tokens = side.lines[at].tokens
        if at in check or not _EXIT & {t.text for t in tokens}:
            continue
        definition = side.definition_at(at, functions_only=True)
        if (definition.name if definition else "") == function:
            found.append(at)
    return found


def _own_check(side: Side, acquired: int) -> range:
    """The `if err != nil { return }` right after an acquisition: nothing is held there yet."""
    if acquired < 0:
        return range(0)
    assigned = {t.text for t in side.lines[acquired].tokens[:5] if t.kind == "name"} | {"err", "error", "ok"}
    for at in range(acquired + 1, min(acquired + 3, len(side.lines))):
        tokens = side.lines[at].tokens
        if tokens and tokens[0].text == "if" and assigned & {t.text for t in tokens}:
            return range(at, side.below(at).stop + 1)
        if tokens:
            break
    return range(0)


def _deferred_later(old: Release, new: Release) -> bool:
    """A `defer` that was moved below an early way out."""
    if new.form is not Form.SCOPED or new.method == "":
        return False
    return _exits_before(new) > _exits_before(old)


def _moved_away(old: Release, new: Release) -> bool:
    """Into another function, while the acquisition stays: judged by the ways out before that function is called."""
    side = new.side
    acquired = next((i for i, line in enumerate(side.lines) if _acquires(line.text, old.target)), None)
    if acquired is None:
        return False
    home = side.definition_at(acquired, functions_only=True)
    if home is not None and home.name == new.function:
        return False
    call = next((c for c in side.calls if c.last == new.function and c.line > acquired), None)
    if call is None:
        return True
    return bool(_exits(side, acquired, call.line, home.name if home else "")) or not _go_like(new.hunk)


def _acquires(text: str, target: str) -> bool:
    taken = re.search(
        rf"\b{re.escape(target)}\s*\.\s*(r?lock|acquire|begin|open|enter|wait)\w*\s*\(", text, re.IGNORECASE
    )
    return bool(taken) or (_assigns(text, target) and "(" in text)


def _go_like(hunk: Hunk) -> bool:
    """Languages in which a call does not leave by an exception."""
    return hunk.language.name in {"go", "rust", "c"}
