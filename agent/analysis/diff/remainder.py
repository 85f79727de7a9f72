"""Facts of code that no other reader tells: awaits, signatures, expressions, and what is left."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from agent.analysis.diff.callees import Work
from agent.analysis.diff.calls import Call
from agent.analysis.diff.conditions import LOGIC
from agent.analysis.diff.hunks import Group, Hunk, Side, renested
from agent.analysis.diff.imports import is_import
from agent.analysis.diff.pairing import pairs_in
from agent.analysis.diff.tokens import KEYWORDS, Token
from agent.analysis.diff.values import Place, edit
from agent.analysis.diff.view import Called, CodeView
from agent.analysis.diff.wording import talking_lines
from agent.analysis.edits import Edit, EditKind

_LAUNCH = frozenset({"await", "go", "defer", "async", "spawn"})


def launch_edits(view: CodeView) -> Iterator[Edit]:
    """OTHER for calls that are no longer awaited, or now run beside instead of inline; `name` says `await f`."""
    before, after = _launched(view.called_before), _launched(view.called_after)
    for key in before.keys() & after.keys():
        old, new = before[key], after[key]
        if len(old) != len(new):
            continue
        lost = Counter(w for w, _ in old) - Counter(w for w, _ in new)
        won = Counter(w for w, _ in new) - Counter(w for w, _ in old)
        for word in (lost + won).keys() - {""}:
            called = next((c for w, c in new if (w == word) == (word in won) and c.changed), new[0][1])
            name = f"{word} {called.call.name}"
            yield edit(
                EditKind.OTHER, called.place(), name, *((None, name) if word in won else (name, called.call.name))
            )


def _launched(calls: Sequence[Called]) -> dict[str, list[tuple[str, Called]]]:
    found: dict[str, list[tuple[str, Called]]] = {}
    for called in calls:
        if called.work in {Work.LOG, Work.RELEASE, Work.TRIVIAL}:
            continue
        found.setdefault(called.call.key, []).append((_word_before(called.call, called.side), called))
    return found


def _word_before(call: Call, side: Side) -> str:
    at = call.start - 1
    if at >= 0 and side.tokens[at].text in _LAUNCH:
        return side.tokens[at].text
    end = call.close + 1
    if (
        call.close >= 0
        and end + 1 < len(side.tokens)
        and side.tokens[end].text == "."
        and side.tokens[end + 1].text == "await"
    ):
        return "await"
    return ""


def nesting_edits(hunk: Hunk) -> Iterator[Edit]:
    """OTHER for lines that were only indented otherwise, and so moved into or out of a block."""
    for i, j in renested(hunk):
        line = hunk.after.lines[j]
        place = Place(
            hunk.path, hunk.language, hunk.after.scope(j), line.text, hunk.after.loops(j) and not hunk.before.loops(i)
        )
        above = [
            _quoted(s, s.lines[k].parent) if s.lines[k].parent >= 0 else ""
            for s, k in ((hunk.before, i), (hunk.after, j))
        ]
        yield edit(EditKind.OTHER, place, _subject(hunk.after, j, ()), f"under {above[0]!r}", f"under {above[1]!r}")


def remaining_edits(hunk: Hunk, told: Iterable[Edit]) -> Iterator[Edit]:
    """CONDITION_CHANGED for changed logic and OTHER for each group of lines that nothing else spoke of."""
    lines = {e.line for e in told if e.path == hunk.path}
    talks = talking_lines(hunk.before, hunk), talking_lines(hunk.after, hunk)
    for group in hunk.groups:
        shown = {_quoted(hunk.before, i) for i in group.before} | {_quoted(hunk.after, i) for i in group.after}
        spoken = set(group.before) <= talks[0] and set(group.after) <= talks[1]
        if shown & lines or spoken or _says_nothing(hunk, group):
            continue
        pairs = list(pairs_in(hunk, group))
        if not pairs:
            yield _other(hunk, group)
        for a, b in pairs:
            yield _of_pair(hunk, a, b)


def _quoted(side: Side, index: int) -> str:
    return side.lines[index].stripped[:200]


def _says_nothing(hunk: Hunk, group: Group) -> bool:
    """Only imports, brackets and the heads of definitions that other facts stand for."""
    rows = [hunk.before.lines[i] for i in group.before] + [hunk.after.lines[i] for i in group.after]
    return all(is_import(r.text, hunk.language) or all(t.kind == "op" for t in r.tokens) for r in rows)


def _of_pair(hunk: Hunk, a: int, b: int) -> Edit:
    old, new = hunk.before.lines[a], hunk.after.lines[b]
    place = Place(hunk.path, hunk.language, hunk.after.scope(b), new.text)
    logic = _logic(old.tokens) != _logic(new.tokens) and b not in hunk.after.definitions
    kind = EditKind.CONDITION_CHANGED if logic else EditKind.OTHER
    return edit(kind, place, _subject(hunk.after, b, old.tokens), old.stripped[:200], new.stripped[:200])


def _logic(tokens: Sequence[Token]) -> list[str]:
    return [t.text for t in tokens if t.text in LOGIC - {"in", "is", "<", ">"} or t.text in {"true", "false"}]


def _subject(side: Side, index: int, before: Sequence[Token]) -> str:
    """The definition, the callee or the first name that differs on a line."""
    found = side.definitions.get(index)
    if found:
        return found.name
    call = next((c for c in side.calls_on((index,)) if not c.inside), None)
    if call:
        return call.name
    for at in side.ancestors(index):
        keyed = re.match(r"[\"']?([\w.$-]+)[\"']?\s*(?::=|[:=])\s*[^=]", side.lines[at].stripped)
        if keyed and at not in side.definitions:
            return keyed[1]
    old = {t.text for t in before} | KEYWORDS
    differing = next((t.text for t in side.lines[index].tokens if t.kind == "name" and t.text not in old), "")
    near = range(max(0, index - _CLOSES_WITHIN), index)
    around = next((c.name for c in side.calls_on(near) if c.close >= 0 and side.tokens[c.close].line == index), "")
    return differing or around


_CLOSES_WITHIN = 30
"""Lines above in which the call is sought whose last argument a line of brackets ends."""


def _other(hunk: Hunk, group: Group) -> Edit:
    side, lines = (hunk.after, group.after) if group.after else (hunk.before, group.before)
    shown = next((i for i in lines if i in side.definitions), lines[0])
    place = Place(hunk.path, hunk.language, side.scope(shown), side.lines[shown].text)
    before = " ".join(_quoted(hunk.before, i) for i in group.before[:3])[:200] or None
    after = " ".join(_quoted(hunk.after, i) for i in group.after[:3])[:200] or None
    return edit(EditKind.OTHER, place, _subject(side, shown, ()), before, after)
