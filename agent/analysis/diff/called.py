"""Calls that appeared, went or moved into a loop, over the whole diff; moved calls cancel out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from agent.analysis.diff.callees import Work, words, work_of
from agent.analysis.diff.calls import arguments
from agent.analysis.diff.values import edit
from agent.analysis.diff.view import Called, CodeView
from agent.analysis.edits import Edit, EditKind

_ADDED = {
    Work.SLEEP: EditKind.SLEEP_ADDED,
    Work.LOCK: EditKind.LOCK_ADDED,
    Work.CACHE: EditKind.CACHE_ADDED,
    Work.QUERY: EditKind.QUERY_ADDED,
    Work.GUARD: EditKind.GUARD_ADDED,
    Work.FALLBACK: EditKind.ERROR_HANDLING_ADDED,
}
_REMOVED = {
    Work.CACHE: EditKind.CACHE_REMOVED,
    Work.QUERY: EditKind.QUERY_REMOVED,
    Work.GUARD: EditKind.GUARD_REMOVED,
    Work.FALLBACK: EditKind.ERROR_HANDLING_REMOVED,
    Work.ROUTE: EditKind.RULE_REMOVED,
}
_ELSEWHERE = frozenset({Work.LOG, Work.METRIC, Work.TRIVIAL})
"""Calls that other readers report, or that say nothing."""

_BACKOFF_WORDS = frozenset({"backoff", "jitter", "exponential"})
_RETRY_WORDS = frozenset({"backoff", "jitter", "retry", "retries", "attempt", "attempts", "delay"})


def call_edits(view: CodeView) -> Iterator[Edit]:
    """CALL_*, QUERY_*, CACHE_*, LOCK_ADDED, SLEEP_ADDED, BACKOFF_REMOVED, GUARD_* and ERROR_HANDLING_* of calls."""
    before, after = _by_key(view.called_before), _by_key(view.called_after)
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key, []), after.get(key, [])
        fresh = max(0, len(new) - len(old))
        looped = max(0, sum(c.in_loop for c in new) - sum(c.in_loop for c in old))
        chosen = sorted(new, key=lambda c: (not c.in_loop, not c.changed))[: max(fresh, looped)]
        for called in chosen:
            yield from _added(called, view, moved=fresh == 0)
        for called in sorted(old, key=lambda c: not c.changed)[: max(0, len(old) - len(new))]:
            yield from _removed(called, view)


def _by_key(calls: Sequence[Called]) -> dict[str, list[Called]]:
    found: dict[str, list[Called]] = defaultdict(list)
    for called in calls:
        if called.work not in _ELSEWHERE and not _inside_log(called):
            found[called.call.key].append(called)
    return found


def _inside_log(called: Called) -> bool:
    return any(work_of(c) in {Work.LOG, Work.METRIC} for c in called.side.around(called.call))


def _added(called: Called, view: CodeView, *, moved: bool) -> Iterator[Edit]:
    name = called.call.name
    in_loop = called.in_loop or called.scope in view.looped_helpers
    if not called.changed and not moved:
        return
    if called.call.last in view.helpers and not in_loop:
        return
    if called.work is Work.EAGER:
        return
    place = called.place(in_loop=in_loop)
    kind = _ADDED.get(called.work, EditKind.CALL_ADDED)
    argument = _first_argument(called) if called.work is Work.SLEEP else None
    yield edit(kind, place, name, None, argument)


def _removed(called: Called, view: CodeView) -> Iterator[Edit]:
    if not called.changed or called.call.last in view.dissolved or called.work in {Work.RELEASE, Work.EAGER}:
        return
    place, name = called.place(in_loop=False), called.call.name
    if _backs_off(called):
        yield edit(EditKind.BACKOFF_REMOVED, place, name, _first_argument(called), None)
        return
    kind = _REMOVED.get(called.work, EditKind.CALL_REMOVED)
    if called.work is Work.ROUTE:
        route = _first_string(called)
        kind, name = (kind, route) if "/" in route else (EditKind.CALL_REMOVED, name)
    if called.hunk.path.endswith("urls.py") and called.call.last in {"path", "re_path", "url"}:
        kind, name = EditKind.RULE_REMOVED, _first_string(called) or name
    if called.work is Work.CACHE and len(called.call.segments) == 1 and not called.call.decorator:
        kind = EditKind.CALL_REMOVED
    yield edit(kind, place, name, called.side.lines[called.call.line].stripped[:200], None)


def _backs_off(called: Called) -> bool:
    if words(called.call) & _BACKOFF_WORDS:
        return True
    if called.work is not Work.SLEEP:
        return False
    near = called.side.lines[called.call.line].text + called.scope
    return called.in_loop or bool(_RETRY_WORDS & set(near.lower().replace("_", " ").split()))


def _first_argument(called: Called) -> str | None:
    given = arguments(called.call, called.side.tokens)
    return called.side.source(given[0][0], given[0][-1]) if given and given[0] else None


def _first_string(called: Called) -> str:
    given = arguments(called.call, called.side.tokens)
    return next((t.string for argument in given for t in argument if t.kind == "string"), "")
