"""Checks that appeared, went or now ask something else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from agent.analysis.diff.conditions import LOGIC, Asks, Condition
from agent.analysis.diff.hunks import CodeLine, Hunk, Side
from agent.analysis.diff.pairing import pairs_of
from agent.analysis.diff.quantities import read_quantity
from agent.analysis.diff.tokens import KEYWORDS, Token
from agent.analysis.diff.values import Place, edit
from agent.analysis.diff.view import CodeView
from agent.analysis.edits import Edit, EditKind

ALIKE = 0.45
"""Token likeness from which a condition that went and one that came in the same place are one that changed."""


@dataclass(frozen=True, slots=True)
class _At:
    condition: Condition
    hunk: Hunk
    side: Side

    @property
    def place(self) -> Place:
        line = self.side.lines[self.condition.line]
        return Place(self.hunk.path, self.hunk.language, self.side.scope(self.condition.line), line.text)

    @property
    def changed(self) -> bool:
        return self.side.lines[self.condition.line].changed


def guard_edits(view: CodeView) -> Iterator[Edit]:
    """GUARD_ADDED, GUARD_REMOVED and CONDITION_CHANGED over the whole diff."""
    old = [_At(c, h, h.before) for h in view.hunks for c in view.conditions(h.before)]
    new = [_At(c, h, h.after) for h in view.hunks for c in view.conditions(h.after)]
    kept = Counter(a.condition.key for a in old) & Counter(a.condition.key for a in new)
    gone, came = _unkept(old, kept), _unkept(new, kept)
    for a, b in _changed_pairs(gone, came):
        gone.remove(a)
        came.remove(b)
        if not a.condition.asks is b.condition.asks is Asks.ERROR:
            yield _changed(a, b)
    yield from (e for a in gone for e in _removed(a))
    yield from (e for a in came for e in _added(a))
    for hunk in view.hunks:
        yield from _operators(hunk)


_SAFE = frozenset({"?.", "??", "&.", "?:", "?["})
_TRUSTING = frozenset({"!!"})


def _operators(hunk: Hunk) -> Iterator[Edit]:
    """`a?.b` that became `a.b`, a default after `??` that went, `d.get(k)` that became `d[k]`; and the reverse."""
    for a, b in pairs_of(hunk):
        old, new = hunk.before.lines[a].tokens, hunk.after.lines[b].tokens
        was = sum(t.text in _SAFE for t in old) - sum(t.text in _TRUSTING for t in old) + _lookups(hunk, old)
        now = sum(t.text in _SAFE for t in new) - sum(t.text in _TRUSTING for t in new) + _lookups(hunk, new)
        if was == now or abs(len(old) - len(new)) > _SMALL_CHANGE:
            continue
        kind = EditKind.GUARD_REMOVED if now < was else EditKind.GUARD_ADDED
        place = Place(hunk.path, hunk.language, hunk.after.scope(b), hunk.after.lines[b].text)
        marked = old if now < was else new
        at = next((i for i, t in enumerate(marked) if t.text in _SAFE), len(marked))
        names = [t.text for t in marked[max(0, at - 6) : at] if t.kind == "name" and t.text not in KEYWORDS]
        yield edit(
            kind, place, ".".join(names[-2:]), hunk.before.lines[a].stripped[:200], hunk.after.lines[b].stripped[:200]
        )


_SMALL_CHANGE = 8
"""Tokens by which the two lines may differ; more is other code."""


def _lookups(hunk: Hunk, tokens: Sequence[Token]) -> int:
    """Lookups that answer with nothing instead of failing."""
    if hunk.language.name not in {"python", "rust", "ruby", "elixir"}:
        return 0
    texts = [t.text for t in tokens]
    return sum(texts[i : i + 3] == [".", "get", "("] and texts[i + 3 : i + 4] != [")"] for i in range(len(texts)))


def _unkept(found: Sequence[_At], kept: Counter[tuple[str, ...]]) -> list[_At]:
    spare = Counter(kept)
    rest: list[_At] = []
    for at in sorted(found, key=lambda a: a.changed):
        if spare[at.condition.key] > 0:
            spare[at.condition.key] -= 1
        elif at.changed:
            rest.append(at)
    return rest


def _changed_pairs(gone: Sequence[_At], came: Sequence[_At]) -> list[tuple[_At, _At]]:
    pairs: list[tuple[_At, _At]] = []
    free = list(came)
    for a in gone:
        group = a.hunk.group_before.get(a.condition.line)
        near = [b for b in free if group and b.hunk.group_after.get(b.condition.line) is group]
        best = max(near, key=lambda b: _alike(a.condition, b.condition), default=None)
        if best is not None and (_alike(a.condition, best.condition) >= ALIKE):
            pairs.append((a, best))
            free.remove(best)
    return pairs


def _alike(a: Condition, b: Condition) -> float:
    return SequenceMatcher(None, a.key, b.key, autojunk=False).ratio()


def _changed(a: _At, b: _At) -> Edit:
    found = edit(EditKind.CONDITION_CHANGED, b.place, b.condition.subject, a.condition.text, b.condition.text)
    old, new = _bound(a.condition), _bound(b.condition)
    if old is None or new is None or _without_figures(a.condition.key) != _without_figures(b.condition.key):
        return found
    return found.model_copy(update={"number_before": old, "number_after": new})


def _bound(condition: Condition) -> float | None:
    """The figure a condition compares with."""
    at = max((i for i, part in enumerate(condition.key) if part in {"<", ">", "<=", ">=", "==", "!="}), default=-1)
    quantity = read_quantity(" ".join(condition.key[at + 1 :]), condition.subject) if at >= 0 else None
    return quantity.value if quantity else None


def _without_figures(key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("0" if part[:1].isdigit() else part for part in key)


def _removed(at: _At) -> Iterator[Edit]:
    condition = at.condition
    if condition.asks in {Asks.ERROR, Asks.LOOP} or not _still_used(at) or _in_rewritten_loop(at) or _made_safe(at):
        return
    kind = EditKind.GUARD_REMOVED if _guards(at) else EditKind.CONDITION_CHANGED
    yield edit(kind, at.place, condition.subject, condition.text, None)


def _guards(at: _At) -> bool:
    """A check of presence, size or permission, or one that only leads out."""
    body = [at.side.lines[i] for i in at.condition.body if at.side.lines[i].tokens]
    only_leaves = at.condition.exits and len(body) <= 2 and not any(True for _ in at.side.calls_on(at.condition.body))
    return at.condition.asks is Asks.GUARD or (only_leaves and at.condition.asks is not Asks.CHOICE)


def _made_safe(at: _At) -> bool:
    """The check moved into the expression: `if (u && u.a) return u.a.b` became `return u?.a?.b`."""
    names = {p for p in at.condition.key if p.isidentifier()}
    for _, line in at.hunk.after.changed_lines():
        texts = [t.text for t in line.tokens]
        if any(a in names and b in _SAFE for a, b in pairwise(texts)):
            return True
    return False


def _in_rewritten_loop(at: _At) -> bool:
    """A question asked in a loop that is gone as a whole guarded nothing that is left."""
    above = [at.side.lines[i] for i in at.side.ancestors(at.condition.line)]
    return any(line.changed and line.tokens[0].text in {"for", "while", "foreach"} for line in above)


def _still_used(at: _At) -> bool:
    """False when what was guarded went together with its guard."""
    guarded = {c.last for c in at.side.calls_on(at.condition.body) if c.line != at.condition.line}
    if guarded and not at.condition.exits and not guarded & at.hunk.after.callees:
        return False
    names = {p for p in at.condition.key if re.fullmatch(r"[A-Za-z_]\w+", p)} - KEYWORDS
    own = {at.condition.line, *at.condition.body}
    used_before = any(_names(line) & names for i, line in at.side.changed_lines() if i not in own)
    used_after = any(_names(line) & names for line in at.hunk.after.lines)
    return used_after or not used_before


def _names(line: CodeLine) -> set[str]:
    return {t.text for t in line.tokens if t.kind == "name"}


def _added(at: _At) -> Iterator[Edit]:
    condition = at.condition
    if condition.asks in {Asks.ERROR, Asks.LOOP}:
        return
    if _guards(at) and (condition.exits or LOGIC & set(condition.key) or len(condition.body) <= 2):
        yield edit(EditKind.GUARD_ADDED, at.place, condition.subject, None, condition.text)
    elif any(not at.side.lines[i].changed and at.side.lines[i].tokens for i in condition.body) or condition.exits:
        yield edit(EditKind.CONDITION_CHANGED, at.place, condition.subject, None, condition.text)
