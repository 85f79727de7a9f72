"""Fetches that lost their batch: one call for many that became one for each, related rows, limits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from agent.analysis.diff.callees import Work, takes_many, work_of
from agent.analysis.diff.calls import Call, arguments
from agent.analysis.diff.hunks import Group, Hunk, Side
from agent.analysis.diff.values import LINE, edit
from agent.analysis.diff.view import Called, CodeView
from agent.analysis.edits import Edit, EditKind

_LIMITS = frozenset(
    "limit take first top paginate page setmaxresults max_results maxresults per fetch_size page_size pagesize "
    "per_page perpage max offset slice count batch_size".split()
)
_BATCHED_SQL = re.compile(r"\bin\s*\(|=\s*any\s*\(|\bunnest\s*\(", re.IGNORECASE)


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
    gone = [c for c in hunk.before.calls_on(group.before) if c.key not in view.keys_after and _is_batch(c, hunk.before)]
    fresh = [
        called
        for called in (Called(c, hunk.after, hunk) for c in hunk.after.calls_on(group.after))
        if called.in_loop and called.call.key not in view.looped_before and _fetches(called)
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
    old = [c for c in view.called_before if c.work is Work.EAGER]
    new = Counter(c.call.last for c in view.called_after if c.work is Work.EAGER)
    for called in old:
        if called.changed and new.total() < len(old) and not new[called.call.last]:
            yield _lost(called)


_LIMITERS = frozenset(
    "limit take paginate simplepaginate setmaxresults top page find_each find_in_batches in_batches chunk "
    "chunkbyid".split()
)


def _unlimited(view: CodeView) -> Iterator[Edit]:
    """A limit that a query was given before and is not given now."""
    kept = {name.lower() for name in view.lasts_after}
    for called in view.called_before:
        lower = called.call.last.lower()
        limits = lower in _LIMITERS and len(called.call.segments) > 1 and called.changed
        if limits and lower not in kept and _query_stays(called):
            yield _lost(called)


def _query_stays(called: Called) -> bool:
    root = called.call.segments[0]
    return called.call.start == called.call.at or any(c.segments[0] == root for c in called.hunk.after.calls)


def _lost(called: Called) -> Edit:
    line = called.side.lines[called.call.line].stripped[:LINE]
    return edit(EditKind.BATCH_REMOVED, called.place(in_loop=False), called.call.name, line, None)
