"""Handling of errors that appeared or went while the call it was for stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from agent.analysis.diff.calls import Call
from agent.analysis.diff.conditions import Asks
from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.values import Place, edit
from agent.analysis.diff.view import CodeView
from agent.analysis.edits import Edit, EditKind

_CATCHES = frozenset({"catch", "except", "rescue"})


@dataclass(frozen=True, slots=True)
class _Handler:
    guarded: str
    """Callee whose failure it handles, or the exception types of a catch."""
    line: int
    side: Side
    hunk: Hunk
    catches: str = ""
    calls: frozenset[str] = frozenset()
    """Everything called in the guarded block of a catch."""

    @property
    def place(self) -> Place:
        return Place(self.hunk.path, self.hunk.language, self.side.scope(self.line), self.side.lines[self.line].text)

    @property
    def changed(self) -> bool:
        return self.side.lines[self.line].changed


def failure_edits(view: CodeView) -> Iterator[Edit]:
    """ERROR_HANDLING_REMOVED and _ADDED for checked errors, catch clauses and Rust's `?`."""
    called_before, called_after = view.lasts_before, view.lasts_after
    old = [h for hunk in view.hunks for h in _checks(hunk.before, hunk, view)]
    new = [h for hunk in view.hunks for h in _checks(hunk.after, hunk, view)]
    for handler in _only(old, new):
        stays = called_after[handler.guarded] >= called_before[handler.guarded] > 0
        if handler.changed and stays and not _passed_on(view, handler.guarded):
            yield edit(EditKind.ERROR_HANDLING_REMOVED, handler.place, handler.guarded, _line(handler), None)
    for handler in _only(new, old):
        if handler.changed and called_before[handler.guarded] > 0:
            yield edit(EditKind.ERROR_HANDLING_ADDED, handler.place, handler.guarded, None, _line(handler))
    yield from _catch_edits(view)
    yield from _unwrapped(view)


def _passed_on(view: CodeView, callee: str) -> bool:
    """The error now leaves with a return: of the call itself, or of the variable it was assigned to."""
    for called in view.called_after:
        call, side = called.call, called.side
        if call.last == callee:
            words = [t.text for t in side.lines[call.line].tokens]
            if "return" in words[:2]:
                return True
            taken = any(w.lower().startswith("err") for w in words[: words.index(callee)] if w != callee)
            below = side.lines[call.line + 1 : call.line + 6]
            if taken and any(x.tokens and x.tokens[0].text == "return" and "err" in x.text for x in below):
                return True
    return False


def _line(handler: _Handler) -> str:
    return handler.side.lines[handler.line].stripped[:200]


def _only(these: list[_Handler], those: list[_Handler]) -> Iterator[_Handler]:
    spare = Counter(h.guarded for h in those)
    for handler in sorted(these, key=lambda h: h.changed):
        if spare[handler.guarded] > 0:
            spare[handler.guarded] -= 1
        else:
            yield handler


def _checks(side: Side, hunk: Hunk, view: CodeView) -> Iterator[_Handler]:
    """`if err != nil` and its like, each with the call whose error it checks."""
    for condition in view.conditions(side):
        if condition.asks is not Asks.ERROR:
            continue
        guarded = _call_before(side, condition.line)
        if guarded:
            yield _Handler(guarded.last, condition.line, side, hunk)


def _call_before(side: Side, line: int) -> Call | None:
    """The outermost call on the line itself (`if err := f(); err != nil`) or on the statement above."""
    here = [c for c in side.calls_on((line,)) if not c.inside and c.last not in {"Is", "As", "Error"}]
    if here:
        return here[-1]
    above = [c for c in side.calls_on(range(line - 4, line)) if not c.inside]
    return above[-1] if above else None


def _catch_edits(view: CodeView) -> Iterator[Edit]:
    for hunk in view.hunks:
        old, new = list(_catches(hunk.before, hunk)), list(_catches(hunk.after, hunk))
        kept_old, kept_new = Counter(h.catches for h in new), Counter(h.catches for h in old)
        gone = [h for h in old if h.changed and kept_old[h.catches] == 0]
        came = [h for h in new if h.changed and kept_new[h.catches] == 0]
        for a, b in zip(gone, came, strict=False):
            yield edit(EditKind.CONDITION_CHANGED, b.place, b.guarded, _line(a), _line(b))
        for handler in gone[len(came) :]:
            if not handler.calls or handler.calls & view.lasts_after.keys():
                yield edit(EditKind.ERROR_HANDLING_REMOVED, handler.place, handler.guarded, _line(handler), None)
        for handler in came[len(gone) :]:
            if handler.calls & hunk.before.callees:
                yield edit(EditKind.ERROR_HANDLING_ADDED, handler.place, handler.guarded, None, _line(handler))


def _catches(side: Side, hunk: Hunk) -> Iterator[_Handler]:
    for index, line in enumerate(side.lines):
        words = [t.text for t in line.tokens]
        at = next((i for i, w in enumerate(words[:3]) if w in _CATCHES), None)
        if at is None or (at and words[at - 1] == "."):
            continue
        types = " ".join(w for w in words[at:] if w not in {"{", "}", ":", "(", ")"})
        tried = _tried(side, index)
        names = [c.last for c in side.calls_on(tried)]
        yield _Handler(names[0] if names else types, index, side, hunk, types, frozenset(names))


def _tried(side: Side, catch: int) -> range:
    """The lines of the `try` block above a catch clause."""
    indent = side.lines[catch].indent
    for at in range(catch - 1, -1, -1):
        line = side.lines[at]
        if line.tokens and line.indent <= indent and line.tokens[0].text in {"try", "begin", "do", "def"}:
            return range(at, catch)
        if line.tokens and line.indent < indent:
            return range(at + 1, catch)
    return range(0, catch)


def _unwrapped(view: CodeView) -> Iterator[Edit]:
    """A call whose error was passed on with `?` and is now unwrapped or ignored (Rust, Swift's `try`)."""
    for hunk in view.hunks:
        if hunk.language.name != "rust":
            continue
        passed = {c.last for c in hunk.before.calls if _followed_by(hunk.before, c, "?")}
        for call in hunk.after.calls:
            if call.last in passed and hunk.after.lines[call.line].changed and _followed_by(hunk.after, call, "."):
                follows = [c for c in hunk.after.calls_on((call.line,)) if c.segments[:-1][-1:] == (call.last,)]
                if any(c.last in {"unwrap", "expect"} for c in follows):
                    place = Place(
                        hunk.path, hunk.language, hunk.after.scope(call.line), hunk.after.lines[call.line].text
                    )
                    yield edit(EditKind.ERROR_HANDLING_REMOVED, place, call.name, "?", "unwrap")


def _followed_by(side: Side, call: Call, text: str) -> bool:
    at = call.close + 1
    while 0 < at < len(side.tokens) and side.tokens[at].text in {".", "await"} and text == "?":
        at += 1
    return 0 < at < len(side.tokens) and side.tokens[at].text.startswith(text)
