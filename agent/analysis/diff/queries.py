"""Queries in code: SQL in strings, calls of drivers and mappers, and fetches that lost their batch."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from agent.analysis.diff.callees import Work, takes_many, work_of
from agent.analysis.diff.calls import Call, arguments
from agent.analysis.diff.hunks import Group, Hunk, Side
from agent.analysis.diff.languages import Family
from agent.analysis.diff.quantities import read_quantity
from agent.analysis.diff.values import Place, edit
from agent.analysis.diff.view import Called, CodeView
from agent.analysis.edits import Edit, EditKind

_SQL = re.compile(
    r"^\s*(?:--[^\n]*\n\s*)*(?:(?P<select>select)\b[\s\S]+\bfrom\b|insert\s+(?:ignore\s+)?into\b|update\s+[\w.\"`\[\]]+\s+(?:as\s+\w+\s+)?set\b|"
    r"delete\s+from\b|with\s+(?:recursive\s+)?\w+\s+as\s*\(|merge\s+into\b|replace\s+into\b|(?:from|where|join)\s+\w+[\s\S]*\b(?:where|select|order by|join)\b)",
    re.IGNORECASE,
)
_TABLE = re.compile(
    r"\b(?:from|into|update|join|table|index\s+\S+\s+on)\s+(?:only\s+|if\s+(?:not\s+)?exists\s+)?[\"`\[]?([A-Za-z_][\w.]*)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"^\s*(SELECT|FROM|WHERE|ORDER BY|GROUP BY|HAVING|LIMIT|OFFSET|FETCH FIRST|(LEFT|RIGHT|INNER|OUTER|CROSS|FULL)?\s*(OUTER )?JOIN|"
    r"UNION|VALUES|SET|RETURNING|FOR UPDATE|FOR SHARE|ON CONFLICT|AND|OR|ON)\b(?![a-z])"
)
_LIMIT = re.compile(r"\blimit\b|\bfetch\s+(first|next)\b|\btop\s*\(?\d|\brownum\b", re.IGNORECASE)
_CHAIN = frozenset(
    "order_by orderby group_by groupby having join outerjoin leftjoin innerjoin where filter_by options with_entities distinct "
    "sort populate projection aggregate match include thenby orderbydescending thenbydescending and_where or_where andwhere "
    "wherein where_in select_from using_index hint force_index raw annotate defer only values_list exclude".split()
)
_LIMITS = frozenset({"limit", "take", "first", "top", "paginate", "page", "setmaxresults", "max_results", "maxresults", "per", "fetch_size",
    "page_size", "pagesize", "per_page", "perpage", "max", "offset", "slice", "count", "batch_size"})  # fmt: skip
_BATCHED_SQL = re.compile(r"\bin\s*\(|=\s*any\s*\(|\bunnest\s*\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Sql:
    text: str
    table: str
    line: int
    side: Side
    hunk: Hunk

    def place(self) -> Place:
        loop = self.side.loops(self.line) or any(c.in_loop for c in self.side.calls if c.line == self.line)
        return Place(
            self.hunk.path, self.hunk.language, self.side.scope(self.line), self.side.lines[self.line].text, loop
        )


def query_edits(view: CodeView) -> Iterator[Edit]:
    """QUERY_ADDED, _CHANGED and _REMOVED for SQL in strings and chains of query builders, and LOCK_ADDED for row locks."""
    old = [s for h in view.hunks for s in _statements(h.before, h)]
    new = [s for h in view.hunks for s in _statements(h.after, h)]
    gone, came = _unpaired(old, new), _unpaired(new, old)
    for a in list(gone):
        b = max((s for s in came if s.table == a.table), key=lambda s: _ratio(a.text, s.text), default=None)
        if b is not None:
            came.remove(b)
            gone.remove(a)
            yield edit(EditKind.QUERY_CHANGED, b.place(), b.table, a.text, b.text)
            yield from _row_lock(a.text, b)
            if _LIMIT.search(a.text) and not _LIMIT.search(b.text):
                yield edit(EditKind.BATCH_REMOVED, b.place(), b.table, a.text, b.text)
    for b in came:
        loop = b.side.scope(b.line) in view.looped_helpers
        place = b.place()
        yield edit(
            EditKind.QUERY_ADDED,
            Place(place.path, place.language, place.section, place.line, place.in_loop or loop),
            b.table,
            None,
            b.text,
        )
        yield from _row_lock("", b)
    yield from (edit(EditKind.QUERY_REMOVED, a.place(), a.table, a.text, None) for a in gone)
    for hunk in view.hunks:
        yield from _clauses(hunk)
        yield from _chains(hunk)


def is_sql(text: str) -> bool:
    """Whether a string holds a statement of SQL."""
    return len(text) > 10 and bool(_SQL.match(text))


def tables_in(text: str) -> Iterator[str]:
    """The tables that a statement or a part of one names."""
    if (
        _SQL.match(text)
        or _CLAUSE.match(text)
        or re.match(r"\s*(create|alter|drop|truncate|lock)\b", text, re.IGNORECASE)
    ):
        yield from (m[1] for m in _TABLE.finditer(text))


def _row_lock(before: str, sql: _Sql) -> Iterator[Edit]:
    pattern = re.compile(r"\bfor\s+(no key\s+)?update\b|\block\s+table\b|\bwith\s*\(.*updlock", re.IGNORECASE)
    if pattern.search(sql.text) and not pattern.search(before):
        yield edit(EditKind.LOCK_ADDED, sql.place(), sql.table, None, sql.text)


def _unpaired(these: Sequence[_Sql], those: Sequence[_Sql]) -> list[_Sql]:
    spare = Counter(s.text for s in those)
    rest: list[_Sql] = []
    for sql in these:
        if spare[sql.text] > 0:
            spare[sql.text] -= 1
        else:
            rest.append(sql)
    return rest


def _statements(side: Side, hunk: Hunk) -> Iterator[_Sql]:
    for token in side.tokens:
        if token.kind == "string" and len(token.text) > 12 and _SQL.match(token.string):
            text = " ".join(token.string.split())
            table = _TABLE.search(text)
            yield _Sql(text[:500], table[1] if table else "", token.line, side, hunk)


def _ratio(a: str, b: str) -> float:
    return SequenceMatcher(None, a[:300], b[:300], autojunk=False).ratio()


def _clauses(hunk: Hunk) -> Iterator[Edit]:
    """Lines of a longer statement of which the hunk does not show the quotes."""
    whole = {t.line for side in hunk.sides for t in side.tokens if t.kind == "string" and _SQL.match(t.string)}
    for group in hunk.groups:
        old = [i for i in group.before if _CLAUSE.match(hunk.before.lines[i].text) and i not in whole]
        new = [i for i in group.after if _CLAUSE.match(hunk.after.lines[i].text) and i not in whole]
        if not old and not new:
            continue
        text_old = " ".join(hunk.before.lines[i].stripped for i in old) or None
        text_new = " ".join(hunk.after.lines[i].stripped for i in new) or None
        line = hunk.after.lines[new[0]].text if new else hunk.before.lines[old[0]].text
        shown = "\n".join(l.text for l in (hunk.after if new else hunk.before).lines)
        table = _TABLE.search(shown)
        place = Place(hunk.path, hunk.language, hunk.after.scope(new[0]) if new else hunk.before.scope(old[0]), line)
        if text_old and _LIMIT.search(text_old) and not (text_new and _LIMIT.search(text_new)):
            yield edit(EditKind.BATCH_REMOVED, place, table[1] if table else "LIMIT", text_old, text_new)
        yield edit(EditKind.QUERY_CHANGED, place, table[1] if table else "", text_old, text_new)


def _chains(hunk: Hunk) -> Iterator[Edit]:
    """`.order_by(a)` that became `.order_by(b)`, and the like, in the same group of lines."""
    for group in hunk.groups:
        old, new = _parts(hunk.before, group.before), _parts(hunk.after, group.after)
        for name in dict.fromkeys((*old, *new)):
            before, after = old.get(name), new.get(name)
            if (before and before[0]) == (after and after[0]) or not (group.before and group.after):
                continue
            side, found = (hunk.after, after) if after else (hunk.before, before)
            if found is None or _only_figures(before, after):
                continue
            place = Place(hunk.path, hunk.language, side.scope(found[1]), side.lines[found[1]].text)
            yield edit(EditKind.QUERY_CHANGED, place, name, before[0] if before else None, after[0] if after else None)


def _only_figures(before: tuple[str, int] | None, after: tuple[str, int] | None) -> bool:
    return bool(before and after and read_quantity(before[0]) and read_quantity(after[0]))


def _parts(side: Side, lines: Sequence[int]) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    inside = set(lines)
    for call in side.calls:
        if call.line not in inside or any(c.open in call.inside and _builds(side, c) for c in side.calls):
            continue
        if _builds(side, call):
            given = arguments(call, side.tokens)
            text = ", ".join(side.source(a[0], a[-1]) for a in given if a)
            found[call.last] = (text, call.line)
    return found


def _builds(side: Side, call: Call) -> bool:
    """Whether a call adds a clause to a query that is being built; a string's `join` does not."""
    before = call.at - 1
    chained = before >= 0 and side.tokens[before].text in {".", "->", "?."} and side.tokens[before - 1].kind != "string"
    clause = call.last.lower() in _CHAIN and call.last != "groupby"
    return (clause and chained) or work_of(call) is Work.EAGER


def batch_edits(view: CodeView) -> Iterator[Edit]:
    """BATCH_REMOVED: one call for many became calls for one, related rows are no longer loaded along, a limit went."""
    for hunk in view.hunks:
        for group in _wide_groups(hunk):
            yield from _scattered(hunk, group, view)
    yield from _not_eager(view)
    yield from _unlimited(view)


def _wide_groups(hunk: Hunk) -> list[Group]:
    """Groups with what the same function removed elsewhere in the hunk: batching and loop need not touch."""
    if not hunk.groups:
        return []
    by_scope: dict[str, tuple[list[int], list[int]]] = {}
    for group in hunk.groups:
        for i in group.before:
            by_scope.setdefault(hunk.before.scope(i), ([], []))[0].append(i)
        for i in group.after:
            by_scope.setdefault(hunk.after.scope(i), ([], []))[1].append(i)
    return [Group(tuple(a), tuple(b)) for a, b in by_scope.values()]


def _scattered(hunk: Hunk, group: Group, view: CodeView) -> Iterator[Edit]:
    kept = {c.call.key for c in view.calls("after")}
    had = {c.call.key for c in view.calls("before") if c.in_loop}
    gone = [c for c in hunk.before.calls if c.line in group.before and c.key not in kept and _is_batch(c, hunk.before)]
    fresh = [
        called
        for called in (Called(c, hunk.after, hunk) for c in hunk.after.calls)
        if called.call.line in group.after and called.in_loop and called.call.key not in had and _fetches(called)
    ]
    flat = [c for c in gone if not Called(c, hunk.before, hunk).in_loop]
    if not flat or not fresh:
        return
    pairs = [(c, f) for c in flat for f in fresh if len(c.segments) > 1 and f.call.segments[:-1] == c.segments[:-1]]
    call, each = pairs[0] if pairs else (flat[0], fresh[0])
    yield edit(EditKind.BATCH_REMOVED, each.place(in_loop=True), call.name, call.name, each.call.name)


def _is_batch(call: Call, side: Side) -> bool:
    if work_of(call) in {Work.LOG, Work.METRIC, Work.TRIVIAL}:
        return False
    given = arguments(call, side.tokens)
    words = {t.text.lower() for a in given for t in a if t.kind == "name"}
    strings = " ".join(t.string for a in given for t in a if t.kind == "string")
    mapped = any(t.text in {"map", "select", "collect", "pluck"} for a in given for t in a)
    plural = any(
        len(a) == 1
        and a[0].kind == "name"
        and a[0].text.endswith("s")
        and not a[0].text.endswith("ss")
        and len(a[0].text) > 2
        for a in given
    )
    return takes_many(call) or mapped or bool(words & _LIMITS) or bool(_BATCHED_SQL.search(strings)) or plural


def _fetches(called: Called) -> bool:
    """Work worth batching: not a log line, a getter or arithmetic."""
    return called.work in {Work.PLAIN, Work.QUERY, Work.CACHE} and (
        len(called.call.segments) > 1 or called.work is Work.QUERY or called.call.reference or _awaited(called)
    )


def _awaited(called: Called) -> bool:
    at = called.call.start - 1
    return at >= 0 and called.side.tokens[at].text == "await"


def _not_eager(view: CodeView) -> Iterator[Edit]:
    after = Counter(c.call.last for c in view.calls("after") if c.work is Work.EAGER)
    for called in view.calls("before"):
        if (
            called.work is Work.EAGER
            and called.changed
            and sum(after.values()) < _count_eager(view)
            and not after[called.call.last]
        ):
            yield edit(
                EditKind.BATCH_REMOVED,
                called.place(in_loop=False),
                called.call.name,
                called.side.lines[called.call.line].stripped[:200],
                None,
            )


def _count_eager(view: CodeView) -> int:
    return sum(c.work is Work.EAGER for c in view.calls("before"))


def _unlimited(view: CodeView) -> Iterator[Edit]:
    """A limit that a query was given before and is not given now."""
    after = Counter(c.call.last.lower() for c in view.calls("after"))
    for called in view.calls("before"):
        lower = called.call.last.lower()
        limits = (
            lower in {"limit", "take", "paginate", "setmaxresults", "top", "page"} and len(called.call.segments) > 1
        )
        if (
            limits
            and called.changed
            and not after[lower]
            and called.hunk.language.family is Family.CODE
            and _query_stays(called, view)
        ):
            yield edit(
                EditKind.BATCH_REMOVED,
                called.place(in_loop=False),
                called.call.name,
                called.side.lines[called.call.line].stripped[:200],
                None,
            )


def _query_stays(called: Called, view: CodeView) -> bool:
    root = called.call.segments[0]
    return (
        any(c.call.segments[0] == root for c in view.calls("after") if c.hunk is called.hunk)
        or called.call.start == called.call.at
    )
