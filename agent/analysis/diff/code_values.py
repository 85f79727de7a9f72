"""Named values that changed in code, and literals that changed in lines that are otherwise the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.analysis.diff.bindings import Binding, find_bindings
from agent.analysis.diff.comparing import Changed, compare
from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.pairing import pairs_of
from agent.analysis.diff.quantities import Quantity, read_quantity, words_of
from agent.analysis.diff.queries import is_sql
from agent.analysis.diff.tokens import Token
from agent.analysis.diff.values import Place, edit, kind_of_value, value_edits
from agent.analysis.diff.view import CodeView
from agent.analysis.diff.wording import talking_lines
from agent.analysis.edits import Edit, EditKind

_BACKOFF = frozenset({"backoff", "jitter", "multiplier", "exponential"})
_OUTPUT = frozenset(
    {
        "return",
        "yield",
        "json",
        "jsonify",
        "render",
        "response",
        "body",
        "payload",
        "data",
        "result",
        "event",
        "message",
    }
)


def value_changes(view: CodeView) -> Iterator[Edit]:
    """VALUE and its relatives, FIELD_* of object literals, and BACKOFF_REMOVED, over the code of a diff."""
    for hunk in view.hunks:
        talks = {"before": talking_lines(hunk.before, hunk), "after": talking_lines(hunk.after, hunk)}
        old = [
            b for b in find_bindings(hunk.before) if hunk.before.lines[b.line].changed and b.line not in talks["before"]
        ]
        new = [
            b for b in find_bindings(hunk.after) if hunk.after.lines[b.line].changed and b.line not in talks["after"]
        ]
        named: set[tuple[str, int]] = set()
        for change in compare(old, new):
            for found in _edits_of(change, hunk, view):
                if change.after:
                    named.add(("after", change.after.line))
                yield found
        yield from _literals(hunk, {line for _, line in named}, talks)


def _edits_of(change: Changed, hunk: Hunk, view: CodeView) -> Iterator[Edit]:
    side = hunk.after if change.after else hunk.before
    place = Place(hunk.path, hunk.language, side.scope(change.binding.line), side.lines[change.binding.line].text)
    before, after = change.before, change.after
    if before and after:
        if change.renamed and (before.value == after.value or before.kind == "assigned"):
            shared = before.kind == "assigned" and side.definition_at(after.line, functions_only=True) is None
            keyed = (
                before.kind == "keyed"
                and not before.owner.endswith(tuple(view.helpers))
                and before.owner == after.owner
            )
            if shared or keyed:
                yield edit(EditKind.FIELD_RENAMED, place, before.name, before.key, after.key)
        elif before.kind == after.kind == "argument" and _names_a_key(before, after):
            yield edit(
                EditKind.FIELD_RENAMED, place, before.name, before.value.strip(_QUOTES), after.value.strip(_QUOTES)
            )
        elif is_sql(before.value.strip("\"'`")) or is_sql(after.value.strip("\"'`")):
            return  # told as a query
        elif before.plain or after.plain or _other_member(before.value, after.value):
            yield from value_edits(change, place)
        return
    yield from _alone(change, place, hunk, view)


_QUOTES = "\"'`"
_KEYED_CALLS = frozenset(
    {"set", "add", "header", "setheader", "addheader", "append", "put", "field", "setparameter", "setextra"}
)


def _names_a_key(before: Binding, after: Binding) -> bool:
    """The first argument of `headers.Set("X-Tenant", t)`: a name by which somebody else looks the value up."""
    texts = (before.value, after.value)
    quoted = all(t[:1] in _QUOTES and re.fullmatch(r"[\w.:-]{2,60}", t.strip(_QUOTES)) for t in texts)
    return quoted and before.owner.rsplit(".", 1)[-1].lower().replace("_", "") in _KEYED_CALLS


def _other_member(before: str, after: str) -> bool:
    """`tls.VersionTLS12` against `tls.VersionTLS13`; the same member of another variable is no other value."""
    chain = re.compile(r"[A-Za-z_]\w*((\.|::)[A-Za-z_]\w*)+")
    if not chain.fullmatch(before) or not chain.fullmatch(after):
        return False
    return re.split(r"\.|::", before)[-1] != re.split(r"\.|::", after)[-1]


def _alone(change: Changed, place: Place, hunk: Hunk, view: CodeView) -> Iterator[Edit]:
    """A named value that went or appeared while what it is set in stays."""
    found = change.binding
    other = hunk.after if change.before else hunk.before
    went = change.before is not None
    if (
        found.kind == "assigned"
        and not went
        and set(words_of(found.key)) & {"cache", "memo"}
        and _EMPTY_MAP.match(found.value)
    ):
        yield edit(EditKind.CACHE_ADDED, place, found.name, None, found.value)
    targeted = _target_stays(found, hunk, other) if went else found.kind == "keyed" and _replaces(found.line, hunk)
    if found.kind not in {"keyed", "argument"} or not (_owner_stays(found, other) or targeted):
        return
    if "".join(words_of(found.key)) in _KEY_FIELDS:
        yield edit(
            EditKind.KEY_CHANGED, place, found.name, found.value if went else None, None if went else found.value
        )
        return
    if went and set(words_of(found.key)) & _BACKOFF:
        yield edit(EditKind.BACKOFF_REMOVED, place, found.name, found.value, None)
    if found.kind == "argument":
        if (
            found.plain
            and read_quantity(found.value, found.name) is not None
            and (_lost_argument(found, other) or targeted)
        ):
            yield edit(EditKind.VALUE, place, found.name, found.value if went else None, None if went else found.value)
        return
    if found.plain and not _is_output(found, hunk):
        yield edit(EditKind.VALUE, place, found.name, found.value if went else None, None if went else found.value)
    else:
        kind = EditKind.FIELD_REMOVED if went else EditKind.FIELD_ADDED
        yield edit(kind, place, found.name, found.value if went else None, None if went else found.value)


_EMPTY_MAP = re.compile(
    r"new (Concurrent|Weak)?(Hash)?Map\b|\{\}|dict\(\)|defaultdict\(|HashMap::new|make\(map|map\[\w+\]\S+\{\}|"
    r"mutableMapOf\("
)
_KEY_FIELDS = frozenset(
    {"key", "partitionkey", "routingkey", "messagegroupid", "groupid", "messagekey", "orderingkey", "dedupid"}
)


def _replaces(line: int, hunk: Hunk) -> bool:
    """Whether a new line stands in place of an old one."""
    group = hunk.group_after.get(line)
    return group is not None and bool(group.before)


def _target_stays(found: Binding, hunk: Hunk, other: Side) -> bool:
    """What the value was for is still made, in another way: `c = new LRUCache({max})` became `c = new Map()`."""
    side = hunk.before if other is hunk.after else hunk.after
    words = [t.text for t in side.lines[found.line].tokens]
    at = next((i for i, w in enumerate(words) if w in {"=", ":="}), 0)
    target = next((w for w in reversed(words[:at]) if w.isidentifier()), "")
    if target and any(line.changed and target in {t.text for t in line.tokens} for line in other.lines):
        return True
    group = hunk.group_before.get(found.line)
    bounds = set(words_of(found.name)) & _BOUNDS or read_quantity(found.value, found.name) not in {None, _plain(found)}
    return bool(group and group.after and bounds)


_BOUNDS = frozenset(
    "timeout limit max min size ttl retries tries attempts deadline interval capacity pool concurrency threads workers "
    "batch page depth delay backoff expire expires age rate threshold lifetime".split()
)
"""Words of names whose loss is worth telling even where all around it was rewritten."""


def _plain(found: Binding) -> Quantity | None:
    """The figure of a value as one without a unit."""
    quantity = read_quantity(found.value, found.name)
    return Quantity(quantity.value) if quantity else None


def _lost_argument(found: Binding, other: Side) -> bool:
    """The call is still there with fewer constant arguments (a timeout that was dropped)."""
    return found.owner.rsplit(".", 1)[-1] in other.callees and any(c.own_name == found.owner for c in other.calls)


def _owner_stays(found: Binding, other: Side) -> bool:
    if not found.owner:
        return any(line.changed for line in other.lines) or any(line.tokens for line in other.lines)
    last = found.owner.rsplit(".", 1)[-1]
    return any(t.text == last for t in other.tokens)


def _is_output(found: Binding, hunk: Hunk) -> bool:
    """A key of what is returned or sent, rather than an option of what is called."""
    return bool(set(words_of(found.owner.rsplit(".", 1)[-1])) & _OUTPUT) or (
        not found.owner and hunk.language.name == "python"
    )


def _literals(hunk: Hunk, named: set[int], talks: dict[str, set[int]]) -> Iterator[Edit]:
    """Lines of the same shape in which only literals differ, where no named value told already."""
    for a, b in pairs_of(hunk):
        if b in named or a in talks["before"] or b in talks["after"]:
            continue
        old, new = hunk.before.lines[a].tokens, hunk.after.lines[b].tokens
        if len(old) != len(new):
            continue
        differing = [i for i, (x, y) in enumerate(zip(old, new, strict=True)) if x.text != y.text]
        if not differing or any(not _literal(old[i]) or not _literal(new[i]) for i in differing):
            continue
        if {"if", "while", "elif", "case", "unless", "until"} & {t.text for t in new[:3]}:
            continue
        for i in differing:
            if is_sql(old[i].string) or is_sql(new[i].string):
                continue
            name = _context(hunk.after, new, i)
            place = Place(hunk.path, hunk.language, hunk.after.scope(b), hunk.after.lines[b].text)
            before, after = old[i].text, new[i].text
            yield edit(kind_of_value(name, before, after, hunk.language), place, name, before, after)


def _literal(token: Token) -> bool:
    return token.kind in {"number", "string"} or token.text in {"true", "false", "True", "False", "nil", "null", "None"}


def _context(side: Side, tokens: Sequence[Token], at: int) -> str:
    """What a literal belongs to: the call around it, the name it is compared with or assigned to."""
    position = tokens[at].start
    around = [
        c
        for c in side.calls_on({t.line for t in tokens} | {max(0, tokens[0].line - 1)})
        if c.open >= 0
        and side.tokens[c.open].start < position
        and (c.close < 0 or side.tokens[c.close].start > position)
    ]
    if around:
        return max(around, key=lambda c: c.open).own_name
    return next(
        (t.text for t in reversed(tokens[:at]) if t.kind == "name" and t.text not in {"return", "const", "let", "var"}),
        "",
    )
