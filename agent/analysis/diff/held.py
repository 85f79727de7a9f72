"""Work that is now done while a transaction, a lock or a connection is held."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from agent.analysis.diff.callees import Work, words
from agent.analysis.diff.calls import Call
from agent.analysis.diff.hunks import Side
from agent.analysis.diff.quantities import words_of
from agent.analysis.diff.tokens import KEYWORDS
from agent.analysis.diff.values import Place, edit
from agent.analysis.diff.view import Called, CodeView
from agent.analysis.edits import Edit, EditKind

_HELD_WORDS = frozenset(
    "transaction transactional atomic begin tx txn lock locked mutex synchronized semaphore acquire connection "
    "connect conn "
    "session uow cursor checkout lease unit_of_work rlock mu guard".split()
)
_NOT_HELD = frozenset(
    {"http", "requests", "aiohttp", "httpx", "client", "unlock", "release", "span", "websocket", "block"}
)
_CALLBACKS = re.compile(
    r"\$?(?!begin|commit|rollback|new|get)\w*(tx|trx|txn|transaction|transact|atomic|atomically|transactionscope|withlock|with_lock|"
    r"synchronized|with_?connection|use_?connection|with_?session|tx_?func)|lock|beginfunc|begintxfunc",
    re.IGNORECASE,
)
"""Callees that run what they are given inside of something."""

_BEGINS = frozenset(
    {
        "begin",
        "begintx",
        "begintransaction",
        "starttransaction",
        "beginx",
        "lock",
        "rlock",
        "acquire",
        "checkout",
        "getconnection",
    }
)
_ENDS = frozenset(
    {"commit", "rollback", "unlock", "runlock", "release", "close", "committransaction", "end", "putconn"}
)
_REMOTE = frozenset(
    "client http https grpc api gateway remote rpc send publish notify post fetch request charge upload download "
    "email mail mailer "
    "sms invoke produce producer emit webhook bus kafka queue s3 sqs sns provider partner stub dispatch enqueue push "
    "capture payment payments deposit deposits bucket storage webclient resttemplate axios".split()
)


@dataclass(frozen=True, slots=True)
class Held:
    """A stretch of lines during which something is held."""

    lines: frozenset[int]
    opener: str
    targets: frozenset[str]
    is_lock: bool


def held_edits(view: CodeView) -> Iterator[Edit]:
    """TRANSACTION_WIDENED, and LOCK_ADDED for locks that are taken by a block rather than by a call."""
    helpers = _helpers(view)
    before = Counter[str]()
    outside = Counter[str]()
    scopes = {id(h.before): find_held(h.before, helpers) for h in view.hunks}
    for called in view.called_before:
        (before if _holding(called, scopes[id(called.side)]) else outside)[called.call.key] += 1
    seen = Counter[str]()
    known = before + outside
    for hunk in view.hunks:
        after = find_held(hunk.after, helpers)
        for call in hunk.after.calls if after else ():
            called = Called(call, hunk.after, hunk)
            held = _holding(called, after)
            if held is None or not _is_work(called, held):
                continue
            seen[call.key] += 1
            was_outside = seen[call.key] > before[call.key] and outside[call.key] > 0
            if was_outside or (known[call.key] == 0 and called.changed and _is_remote(called)):
                yield edit(EditKind.TRANSACTION_WIDENED, called.place(), call.name, None, held.opener)
        yield from _locks(hunk.before, hunk.after, scopes[id(hunk.before)], after, hunk.path)


def _locks(before: Side, after: Side, old: list[Held], new: list[Held], path: str) -> Iterator[Edit]:
    """Locks that a statement takes: `with lock:`, `synchronized (x) {`, a synchronized method."""
    fresh = Counter(h.opener for h in new if h.is_lock) - Counter(h.opener for h in old if h.is_lock)
    called = {
        c.line for c in after.calls if c.last in {"Lock", "RLock", "lock", "synchronized", "withLock", "with_lock"}
    }
    for index, line in after.changed_lines():
        if fresh[line.stripped] > 0 and index not in called:
            place = Place(path, after.language, after.scope(index), line.text)
            yield edit(EditKind.LOCK_ADDED, place, line.stripped.rstrip(":{ "), None, line.stripped)


def _is_work(called: Called, held: Held) -> bool:
    if (
        called.work in {Work.LOG, Work.METRIC, Work.TRIVIAL, Work.LOCK, Work.RELEASE, Work.CACHE}
        or called.call.decorator
    ):
        return False
    if called.work is Work.QUERY and not held.is_lock:
        return False
    roots = set(called.call.segments[:-1]) or {called.call.last}
    opens = called.call.last.lower() in _BEGINS | _ENDS or _CALLBACKS.fullmatch(called.call.last)
    return not roots & held.targets and not opens


def _is_remote(called: Called) -> bool:
    return bool(words(called.call) & _REMOTE)


def _holding(called: Called, scopes: list[Held]) -> Held | None:
    return next((h for h in scopes if called.call.line in h.lines), None)


def _helpers(view: CodeView) -> frozenset[str]:
    """Functions of the diff that open something and hand it on: context managers and wrappers around a callback."""
    found: set[str] = set()
    for hunk in view.hunks:
        side = hunk.after
        for index, definition in side.definitions.items():
            body = side.below(index)
            hands_on = any(
                t.text in {"yield", "fn", "callback", "block", "work", "action", "body"}
                for i in body
                for t in side.lines[i].tokens
            )
            if definition.kind == "function" and hands_on and any(_opens(side, i, frozenset()) for i in body):
                found.add(definition.name)
    return frozenset(found)


def find_held(side: Side, helpers: frozenset[str]) -> list[Held]:
    """All stretches of a side in which a transaction, a lock or a connection is held."""
    found = [h for index in range(len(side.lines)) if (h := _block(side, index, helpers))]
    for call in side.calls:
        opens_block = _opens(side, call.line, helpers)
        if call.last.lower() in _BEGINS and not opens_block and (held := _until_end(side, call)):
            found.append(held)
    return found


def _opens(side: Side, index: int, helpers: frozenset[str]) -> bool:
    line = side.lines[index]
    texts = [t.text for t in line.tokens]
    if not texts:
        return False
    if texts[0] in {"with", "using"} or texts[:2] == ["async", "with"]:
        names = {t.text for t in line.tokens if t.kind == "name"}
        said = {w for n in names for w in words_of(n)}
        return bool(names & helpers) or (bool(said & _HELD_WORDS) and not said & _NOT_HELD)
    if texts[0] in {"synchronized", "lock"} and "(" in texts[:2]:
        return True
    if texts[0] == "@" or texts[0].startswith("@"):
        return (
            texts[0].lstrip("@") in {"Transactional", "transaction", "atomic", "Synchronized", "synchronized"}
            or "atomic" in texts[:4]
        )
    calls = list(side.calls_on((index,)))
    opening = texts[-1] in {"{", "(", "do", "=>", "|"} or "=>" in texts or "->" in texts
    if opening and any(_CALLBACKS.fullmatch(c.last) or c.last in helpers for c in calls):
        return index not in side.definitions
    return index in side.definitions and "synchronized" in texts


def _block(side: Side, index: int, helpers: frozenset[str]) -> Held | None:
    if not _opens(side, index, helpers):
        return None
    line = side.lines[index]
    body = side.below(index)
    if line.tokens[0].text.startswith("@"):
        start = next((i for i in range(index + 1, min(index + 6, len(side.lines))) if i in side.definitions), None)
        if start is None:
            return None
        body = side.below(start)
    names = {t.text for t in line.tokens if t.kind == "name"}
    said = {w for n in names for w in words_of(n)}
    return Held(
        frozenset(body),
        line.stripped,
        _handed_on(side, index),
        bool(said & {"lock", "mutex", "synchronized", "mu", "semaphore", "locked"}),
    )


def _handed_on(side: Side, index: int) -> frozenset[str]:
    """What the block gets to work with: the name after `as`, the parameters of the callback, or the lock itself."""
    tokens = side.lines[index].tokens
    texts = [t.text for t in tokens]
    opener = next((c for c in side.calls_on((index,)) if _CALLBACKS.fullmatch(c.last) and c.open >= 0), None)
    if "as" in texts:
        start = tokens[texts.index("as")].start
    elif opener is not None:
        start = side.tokens[opener.open].start
    else:
        start = tokens[0].start
    names = {t.text for t in tokens if t.kind == "name" and t.start >= start} - KEYWORDS
    # Receivers and contexts are at hand anyway; only after `as` is such a name the thing that is held.
    return frozenset(names if "as" in texts else names - {"ctx", "context", "s", "c", "db"})


_POOLED = frozenset({"pool", "conn", "db", "lock", "semaphore", "sem", "connection"})
"""Words of what is acquired in the sense meant here."""


def _until_end(side: Side, call: Call) -> Held | None:
    """From `BeginTx`, `Lock` or `Acquire` to its counterpart, or to the end of the function when that is deferred."""
    words_said = words(call)
    is_lock = bool(words_said & {"lock", "rlock", "mutex", "mu"})
    if call.last.lower() in {"acquire", "checkout"} and not words_said & _POOLED:
        return None
    line = side.lines[call.line]
    assigned = {t.text for t in line.tokens if t.kind == "name" and t.start < side.tokens[call.start].start}
    targets = assigned - KEYWORDS - {"err", "ctx", "_"}
    if is_lock:
        targets |= set(call.segments[:-1][-1:])
    home = side.definition_at(call.line, functions_only=True)
    end = len(side.lines)
    for other in side.calls:
        if other.line > call.line and other.last.lower() in _ENDS and targets & set(other.segments[:-1]):
            texts = [t.text for t in side.lines[other.line].tokens[:2]]
            if "defer" not in texts and "finally" not in texts and not _leaves_after(side, other.line):
                end = other.line
                break
    lines = [i for i in range(call.line + 1, end) if _same_function(side, i, home.name if home else "")]
    return Held(frozenset(lines), line.stripped, frozenset(targets), is_lock) if lines else None


def _leaves_after(side: Side, line: int) -> bool:
    """A rollback or unlock on the way out of an error branch does not end what is held on the main path."""
    parent = side.lines[line].parent
    return (
        parent >= 0
        and side.lines[parent].tokens[0].text in {"if", "except", "catch", "}"}
        and line + 1 < len(side.lines)
    )


def _same_function(side: Side, index: int, name: str) -> bool:
    found = side.definition_at(index, functions_only=True)
    return (found.name if found else "") == name
