"""What kind of work a call does, told from the names of the callee and its receiver."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from agent.analysis.diff import callee_words as said
from agent.analysis.diff.calls import Call
from agent.analysis.diff.quantities import is_unit, words_of
from agent.analysis.diff.tokens import Token


class Work(StrEnum):
    """The kinds of calls that get facts of their own; everything else is `PLAIN`."""

    LOG = "log"
    METRIC = "metric"
    TRIVIAL = "trivial"
    SLEEP = "sleep"
    LOCK = "lock"
    RELEASE = "release"
    CACHE = "cache"
    QUERY = "query"
    EAGER = "eager"
    """Loads related rows with the first query (`selectinload`, `includes`, `Include`)."""
    ROUTE = "route"
    GUARD = "guard"
    FALLBACK = "fallback"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class _Callee:
    last: str
    lower: str
    """The last name in lower case without underscores, so that findOne and find_one are one."""
    before: tuple[str, ...]
    receiver: frozenset[str]
    """Words of the two names before the last."""
    decorator: bool

    @property
    def owner(self) -> str:
        return self.before[-1] if self.before else ""


def _is_log(c: _Callee) -> bool:
    if any(said.LOGGERS.fullmatch(s) for s in c.before):
        return True
    return bool(said.LOG_NAMES.fullmatch(c.last)) and c.owner in {"", "fmt", "out", "err", "System"}


def _is_metric(c: _Callee) -> bool:
    if c.owner == "TimeSpan":
        return False
    own = set(words_of(c.last)) & {"prometheus", "statsd", "metric", "metrics"}
    return c.last in said.METRIC_NAMES or bool(c.receiver & said.METRIC_WORDS or own)


def _is_sleep(c: _Callee) -> bool:
    return c.lower in said.SLEEPS or (c.lower == "delay" and bool(c.receiver & {"task", "timer"}))


def _is_lock(c: _Callee) -> bool:
    verbs = {"acquire", "lock", "trylock", "wait", "enter", "tryacquire", "write", "read"}
    return c.last in said.LOCK_NAMES or (bool(c.receiver & said.LOCK_WORDS) and c.lower in verbs)


def _is_eager(c: _Callee) -> bool:
    if c.last == "with" and c.owner[:1].isupper():
        return True  # Eloquent
    return c.lower in said.EAGER and (
        bool(c.before) or c.decorator or c.lower not in {"include", "includes", "preload"}
    )


def _is_cache(c: _Callee) -> bool:
    named = any(said.CACHE.fullmatch(w) for w in c.receiver)
    if named and (c.lower in said.CACHE_READS or c.lower in said.CACHE_WRITES):
        return True
    if c.decorator or not c.before:
        return bool(said.CACHE.fullmatch(c.last)) and (c.decorator or c.lower not in {"redis", "cache"})
    # Grouping into a local map is no cache; what outlives the call hangs on an object.
    return c.lower in said.KEEPS and (len(c.before) > 1 or c.owner.startswith("_"))


def _is_route(c: _Callee) -> bool:
    if c.lower in said.ROUTES:
        return bool(c.before) or c.decorator
    return c.lower in said.ROUTE_VERBS and c.owner.lower() in said.ROUTERS


def _is_query(c: _Callee) -> bool:
    if c.lower in said.QUERIES or re.match(r"(find|count|delete|exists)(All)?By[A-Z]", c.last):
        return True
    if c.lower not in said.QUERY_AFTER_DB:
        return False
    # A pool hands out and takes back whatever it pools; only these verbs make it a database's.
    strict = {"query", "exec", "execute", "fetch", "fetchall", "fetchone", "queryasync", "executeasync"}
    return bool(c.receiver & (said.DB_WORDS - {"pool"})) or ("pool" in c.receiver and c.lower in strict)


def _is_release(c: _Callee) -> bool:
    alone = {"cancel", "free", "clearinterval", "cleartimeout"}
    return c.lower in said.RELEASES and (bool(c.before) or c.lower in alone)


def _is_trivial(c: _Callee) -> bool:
    if (*c.before[-1:], c.last) in said.PAIRS or is_unit(".".join((*c.before, c.last))):
        return True
    if not c.before:
        return c.lower in said.BUILTINS
    if c.last[:1].islower():
        return c.lower in said.ACCESSORS
    # Upper case means an exported function to Go: only those of its text packages are harmless.
    return c.owner in said.TEXT_PACKAGES or c.lower in said.CAPITAL_ACCESSORS


_KINDS: tuple[tuple[Work, Callable[[_Callee], bool]], ...] = (
    (Work.LOG, _is_log),
    (Work.METRIC, _is_metric),
    (Work.SLEEP, _is_sleep),
    (Work.LOCK, _is_lock),
    (Work.EAGER, _is_eager),
    (Work.CACHE, _is_cache),
    (Work.ROUTE, _is_route),
    (Work.QUERY, _is_query),
    (Work.RELEASE, _is_release),
    (Work.GUARD, lambda c: bool(said.GUARDS.fullmatch(c.last))),
    (Work.FALLBACK, lambda c: bool(c.before and said.FALLBACKS.fullmatch(c.last))),
    (Work.TRIVIAL, _is_trivial),
)
"""First match wins."""


@lru_cache(maxsize=32768)
def _work(segments: tuple[str, ...], decorator: bool) -> Work:
    last, before = segments[-1], segments[:-1]
    receiver = frozenset(w for s in before[-2:] for w in words_of(s))
    callee = _Callee(last, last.lower().replace("_", "").rstrip("!?"), before, receiver, decorator)
    return next((work for work, fits in _KINDS if fits(callee)), Work.PLAIN)


def work_of(call: Call) -> Work:
    """The kind of work of a call."""
    if len(call.segments) == 1 and call.last in said.LOG_MACROS and call.open >= 0:
        return Work.LOG
    return _work(call.segments, call.decorator)


def is_accessor(call: Call, tokens: Sequence[Token]) -> bool:
    """`order.total()` inside an expression: a property by another name."""
    bare = call.open < 0 and not call.decorator and not call.reference
    if not (bare or call.close == call.open + 1) or len(call.segments) != 2 or call.start == 0:
        return False
    if not call.segments[0][:1].islower() or set(words_of(call.last)[:1]) & said.VERBS:
        return False
    before = tokens[call.start - 1]
    starts = {"=", ":=", "await", "return", "<-", "yield", "{", ";", "defer", "go"}
    return before.line == tokens[call.start].line and before.text not in starts


def words(call: Call) -> set[str]:
    """The words in a callee's dotted name."""
    return {w for s in call.segments for w in words_of(s)}


def takes_many(call: Call) -> bool:
    """Whether the callee's name says that it works on a collection, a page or a batch."""
    return bool(said.BULK.fullmatch(call.last) or said.PLURAL.fullmatch(call.last))
