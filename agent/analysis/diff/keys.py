"""How keys, topics, queues and the like are put together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.quantities import words_of
from agent.analysis.diff.tokens import Token
from agent.analysis.diff.values import Place, edit
from agent.analysis.diff.view import CodeView
from agent.analysis.edits import Edit, EditKind

_KEY_WORDS = frozenset(
    "key keys topic topics queue queues routing partition partitioner shard prefix channel subject bucket stream "
    "etag cachekey "
    "lockname hashkey dedup idempotency".split()
)
_STORES = frozenset(
    "cache redis memcached memcache kafka producer queue topic bus broker pubsub nats sqs sns rabbit amqp channel "
    "mq lock etcd "
    "consul dynamo bucket s3 kv store pipe pipeline publisher".split()
)
_VERBS = frozenset(
    "get set setex put delete del publish send subscribe produce enqueue lpush rpush hget hset expire incr lock "
    "getorload fetch".split()
)
_HOLE = re.compile(r"\$\{([^{}]*)\}|\{([^{}]*)\}|#\{([^{}]*)\}|%[sdvq]|\{\}")


@dataclass(frozen=True, slots=True)
class Composition:
    """A string made of fixed parts and names, or a fixed string, in the place of a key."""

    template: str
    line: int
    is_key: bool
    side: Side
    hunk: Hunk


def key_edits(view: CodeView) -> Iterator[Edit]:
    """KEY_CHANGED for keys that are composed in another way; the same composition in another place is none."""
    old = [c for h in view.hunks for c in compositions(h.before, h)]
    new = [c for h in view.hunks for c in compositions(h.after, h)]
    before, after = {c.template for c in old}, {c.template for c in new}
    gone = [c for c in old if c.is_key and c.template not in after and c.side.lines[c.line].changed]
    came = [c for c in new if c.is_key and c.template not in before and c.side.lines[c.line].changed]
    for a, b in zip(gone, came, strict=False):
        yield edit(EditKind.KEY_CHANGED, _place(b), _name(b), a.template, b.template)
    if not (gone and came):
        yield from _key_functions(view)


def _place(c: Composition) -> Place:
    return Place(c.hunk.path, c.hunk.language, c.side.scope(c.line), c.side.lines[c.line].text)


def _name(c: Composition) -> str:
    return c.side.scope(c.line) or "key"


def compositions(side: Side, hunk: Hunk) -> Iterator[Composition]:
    """Every composed string of a side with its template, holes named by the last name in them."""
    tokens = side.tokens
    at = 0
    while at < len(tokens):
        if tokens[at].kind != "string":
            at += 1
            continue
        start, end = _concatenation(tokens, at)
        template = "".join(_part(t) for t in tokens[start:end] if t.text not in {"+", ".", ".."} or t.kind != "op")
        if _HOLE.search(template) or end - start > 1:
            line = tokens[at].line
            yield Composition(template, line, _is_key(side, tokens, start, line), side, hunk)
        elif re.fullmatch(r"[\w.:/{}-]{2,120}", template):
            line = tokens[at].line
            yield Composition(template, line, _is_key(side, tokens, start, line), side, hunk)
        at = max(end, at + 1)


def _part(token: Token) -> str:
    if token.kind != "string":
        return "{" + token.text + "}" if token.kind == "name" else token.text
    return _HOLE.sub(lambda m: "{" + _last_name(next((g for g in m.groups() if g), "")) + "}", token.string)


def _last_name(expression: str) -> str:
    found = re.findall(r"[A-Za-z_]\w*", expression.split("!")[0].split(":")[0])
    return found[-1] if found else ""


def _concatenation(tokens: Sequence[Token], at: int) -> tuple[int, int]:
    """The run of `+` around a string; a dotted operand counts by its last name."""
    start = at
    if at >= 2 and tokens[at - 1].text == "+" and tokens[at - 2].kind in {"name", "string"}:
        start = at - 2
    end = at + 1
    while (
        end + 1 < len(tokens)
        and tokens[end].text in {"+", "||"}
        and tokens[end + 1].kind in {"name", "string", "number"}
    ):
        end += 2
        while end + 1 < len(tokens) and tokens[end].text == "." and tokens[end + 1].kind == "name":
            end += 2
        if end + 1 < len(tokens) and tokens[end].text == "(" and tokens[end + 1].text == ")":
            end += 2
    return start, end


def _is_key(side: Side, tokens: Sequence[Token], start: int, line: int) -> bool:
    if set(words_of(side.scope(line))) & _KEY_WORDS:
        return True
    before = tokens[max(0, start - 6) : start]
    assigned = next(
        (t.text for t, u in pairwise(before) if u.text in {"=", ":=", ":"} and t.kind == "name"),
        "",
    )
    if set(words_of(assigned)) & _KEY_WORDS:
        return True
    for call in side.calls_on(range(line - 2, line + 1)):
        near = call.open >= 0 and call.open < start <= (call.close if call.close >= 0 else call.open + 40)
        if near and call.last.lower() in _VERBS and {w for s in call.segments[:-1] for w in words_of(s)} & _STORES:
            return True
    return False


def _key_functions(view: CodeView) -> Iterator[Edit]:
    """A function that makes keys and returns something else than before."""
    for hunk in view.hunks:
        for group in hunk.groups:
            if not group.before or not group.after:
                continue
            old, new = hunk.before.lines[group.before[-1]], hunk.after.lines[group.after[-1]]
            name = hunk.after.scope(group.after[-1])
            makes_key = set(words_of(name)) & {"key", "partition", "shard", "topic", "routing"}
            if (
                makes_key
                and {"return"} & {t.text for t in new.tokens}
                and group.after[-1] not in hunk.after.definitions
            ):
                place = Place(hunk.path, hunk.language, name, new.text)
                yield edit(EditKind.KEY_CHANGED, place, name, old.stripped[:200], new.stripped[:200])
