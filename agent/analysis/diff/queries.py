"""Queries in code: SQL in strings and the chains of query builders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from agent.analysis.diff.callees import Work, work_of
from agent.analysis.diff.calls import Call, arguments
from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.quantities import read_quantity
from agent.analysis.diff.values import Place, edit
from agent.analysis.diff.view import CodeView
from agent.analysis.edits import Edit, EditKind

_SQL = re.compile(
    r"^\s*(?:--[^\n]*\n\s*)*(?:(?P<select>select)\b[\s\S]+\bfrom\b|insert\s+(?:ignore\s+)?into\b|"
    r"update\s+[\w.\"`\[\]]+\s+(?:as\s+\w+\s+)?set\b|"
    r"delete\s+from\b|with\s+(?:recursive\s+)?\w+\s+as\s*\(|merge\s+into\b|replace\s+into\b|(?:from|where|"
    r"join)\s+\w+[\s\S]*\b(?:where|select|order by|join)\b)",
    re.IGNORECASE,
)
_TABLE = re.compile(
    r"\b(?:from|into|update|join|table|index\s+\S+\s+on)\s+(?:only\s+|"
    r"if\s+(?:not\s+)?exists\s+)?[\"`\[]?([A-Za-z_][\w.]*)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"(SELECT|FROM|WHERE|ORDER BY|GROUP BY|HAVING|LIMIT|OFFSET|FETCH FIRST|(LEFT|RIGHT|INNER|OUTER|CROSS|"
    r"FULL)?\s*(OUTER )?JOIN|"
    r"UNION|VALUES|SET|RETURNING|FOR UPDATE|FOR SHARE|ON CONFLICT|AND|OR|ON)\b(?![a-z])"
)
_LIMIT = re.compile(r"\blimit\b|\bfetch\s+(first|next)\b|\btop\s*\(?\d|\brownum\b", re.IGNORECASE)
_FETCHED_ALONG = re.compile(r"\bjoin\s+fetch\b", re.IGNORECASE)
_CHAIN = frozenset(
    "order_by orderby group_by groupby having join outerjoin leftjoin innerjoin where filter_by options "
    "with_entities distinct "
    "sort populate projection aggregate match include thenby orderbydescending thenbydescending and_where or_where "
    "andwhere "
    "wherein where_in select_from using_index hint force_index raw annotate defer only values_list exclude".split()
)


@dataclass(frozen=True, slots=True)
class _Sql:
    text: str
    table: str
    line: int
    side: Side
    hunk: Hunk

    def place(self) -> Place:
        loop = self.side.loops(self.line) or any(c.in_loop for c in self.side.calls_on((self.line,)))
        return Place(
            self.hunk.path, self.hunk.language, self.side.scope(self.line), self.side.lines[self.line].text, loop
        )


def query_edits(view: CodeView) -> Iterator[Edit]:
    """QUERY_ADDED, _CHANGED and _REMOVED for SQL in strings and query builders, and LOCK_ADDED for row locks."""
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
            if any(p.search(a.text) and not p.search(b.text) for p in (_LIMIT, _FETCHED_ALONG)):
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
        or _CLAUSE.match(text.lstrip())
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
        old = [i for i in group.before if _CLAUSE.match(hunk.before.lines[i].stripped) and i not in whole]
        new = [i for i in group.after if _CLAUSE.match(hunk.after.lines[i].stripped) and i not in whole]
        if not old and not new:
            continue
        text_old = " ".join(hunk.before.lines[i].stripped for i in old) or None
        text_new = " ".join(hunk.after.lines[i].stripped for i in new) or None
        first = hunk.after.lines[new[0]].text if new else hunk.before.lines[old[0]].text
        shown = "\n".join(line.text for line in (hunk.after if new else hunk.before).lines)
        table = _TABLE.search(shown)
        place = Place(hunk.path, hunk.language, hunk.after.scope(new[0]) if new else hunk.before.scope(old[0]), first)
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
    for call in side.calls_on(lines):
        if any(_builds(side, c) for c in side.around(call)):
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
