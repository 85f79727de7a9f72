"""Whether a diff only moves code: whole definitions to another place, or statements into a helper and back.

Order counts: a statement that moved past another one is not inert, for that is how releases, checks and writes break.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.analysis.diff.calls import Call, arguments
from agent.analysis.diff.definitions import definition_of
from agent.analysis.diff.hunks import Hunk, Side, renested
from agent.analysis.diff.imports import acts_on_import, is_import
from agent.analysis.diff.languages import Family
from agent.analysis.diff.releases import release_edits
from agent.analysis.diff.tokens import Token
from agent.analysis.diff.view import CodeView

Shape = tuple[str, ...]
"""The tokens of a line."""


@dataclass(frozen=True, slots=True)
class _Line:
    shape: Shape
    index: int
    hunk: Hunk
    side: Side


@dataclass(frozen=True, slots=True)
class _Block:
    """A definition with all its lines."""

    name: str
    lines: tuple[_Line, ...]

    @property
    def body(self) -> tuple[_Line, ...]:
        return self.lines[1:]


def only_moves(hunks: Sequence[Hunk]) -> bool:
    """Whether the hunks taken together only move or regroup statements."""
    if not hunks or any(h.language.family is not Family.CODE or h.language.name in {"shell", "code"} for h in hunks):
        return False
    view = CodeView(hunks)
    if any(True for _ in release_edits(view)):
        return False
    removed, added = list(_changed(hunks, 0)), list(_changed(hunks, 1))
    if not (removed and added) or any(renested(h) for h in hunks):
        return False
    removed, added = _without_moved_definitions(removed, added)
    if not removed and not added:
        return True
    return (
        _is_extraction(removed, added, view, view.helpers)
        or _is_extraction(added, removed, view, view.dissolved)
        or _same_sequence(removed, added)
        or _is_repackaged(removed, added, view)
    )


def _changed(hunks: Sequence[Hunk], which: int) -> Iterator[_Line]:
    """The changed lines of one side, and the restated ones that now stand in another function."""
    for hunk in hunks:
        side = hunk.sides[which]
        moved = {pair[which] for pair in hunk.restated if _home(hunk.before, pair[0]) != _home(hunk.after, pair[1])}
        for index, line in enumerate(side.lines):
            if not (line.changed or index in moved) or not line.tokens:
                continue
            if not (is_import(line.text, hunk.language) and not acts_on_import(line.text)):
                yield _Line(tuple(t.text for t in line.tokens), index, hunk, side)


def _home(side: Side, index: int) -> str:
    found = side.definition_at(index, functions_only=True)
    return found.name if found else ""


def _blocks(lines: Sequence[_Line]) -> list[_Block]:
    """The definitions that lie in `lines` with all of their lines."""
    by_place = {(id(line.side), line.index): line for line in lines}
    found: list[_Block] = []
    covered: set[tuple[int, int]] = set()
    for line in lines:
        definition = line.side.definitions.get(line.index)
        key = (id(line.side), line.index)
        if definition is None or definition.kind not in {"function", "type"} or key in covered:
            continue
        inner = [i for i in line.side.below(line.index) if line.side.lines[i].tokens]
        inside = [by_place.get((id(line.side), i)) for i in inner]
        if all(inside):
            found.append(_Block(definition.name, (line, *(i for i in inside if i))))
            covered.update((id(line.side), i) for i in inner)
    return found


def _without_moved_definitions(removed: list[_Line], added: list[_Line]) -> tuple[list[_Line], list[_Line]]:
    """Drop the definitions that stand, token for token, on both sides."""
    targets: dict[tuple[Shape, ...], list[_Block]] = {}
    for block in _blocks(added):
        targets.setdefault(tuple(line.shape for line in block.lines), []).append(block)
    gone: set[int] = set()
    for block in _blocks(removed):
        same = targets.get(tuple(line.shape for line in block.lines))
        if same and len(block.lines) > 1:
            gone.update(id(line) for line in (*block.lines, *same.pop().lines))
    # Closing brackets of the moved definitions are left; they belong to no statement.
    rest = [line for line in removed if id(line) not in gone]
    came = [line for line in added if id(line) not in gone]
    if gone:
        rest, came = _without_brackets(rest), _without_brackets(came)
    return rest, came


def _without_brackets(lines: list[_Line]) -> list[_Line]:
    return [line for line in lines if not set(line.shape) <= {"}", ")", "]", ";", ",", "end", "{"}]


def _is_extraction(removed: Sequence[_Line], added: Sequence[_Line], view: CodeView, helpers: frozenset[str]) -> bool:
    """Removed statements stand, in order, in new functions that are called where the statements were."""
    blocks = {b.name: b for b in _blocks(added) if b.name in helpers and len(b.lines) > 1}
    if not blocks or not removed:
        return False
    inside = {id(line) for b in blocks.values() for line in b.lines}
    glue = _without_brackets([line for line in added if id(line) not in inside])
    calls = [(call, line) for line in glue for call in line.side.calls_on((line.index,)) if call.last in blocks]
    if not calls or len({c.last for c, _ in calls}) != len(calls) or not _contiguous(removed):
        return False
    if not all(_is_glue(line, blocks) for line in glue) or not all(
        _arguments_fit(c, line, blocks[c.last]) for c, line in calls
    ):
        return False
    moved = [line for call, _ in calls for line in _without_brackets(list(blocks[call.last].body))]
    if not _leaves_alike(calls, blocks):
        return False
    return _in_order(_without_brackets(list(removed)), moved)


def _contiguous(lines: Sequence[_Line], *, past_restated: bool = False) -> bool:
    """No statement that stayed lies between the ones that went; with `past_restated`, one the diff rewrites may."""
    for a, b in pairwise(lines):
        if a.side is not b.side:
            return False
        restated = (
            {pair[0 if a.side is a.hunk.before else 1] for pair in a.hunk.restated} if past_restated else set[int]()
        )
        between = (i for i in range(a.index + 1, b.index) if i not in restated)
        if any(set(_texts(a.side, i)) - {"}", ")", "]", "{"} for i in between):
            return False
    return True


def _texts(side: Side, index: int) -> list[str]:
    return [t.text for t in side.lines[index].tokens]


def _is_glue(line: _Line, blocks: dict[str, _Block]) -> bool:
    """A call of a helper, the check of its error, or a return of plain names."""
    here = list(line.side.calls_on((line.index,)))
    if any(c.last in blocks for c in here):
        others = [c for c in here if c.last not in blocks and c.open >= 0]
        loops = {"for", "while", "foreach", "go", "async"} & set(line.shape)
        return not loops and not others and not any(t.kind in {"number"} for t in line.side.lines[line.index].tokens)
    if line.shape[:2] == ("if", "err") or line.shape[:3] == ("if", "(", "err"):
        return True
    return _plain_return(line)


def _plain_return(line: _Line) -> bool:
    tokens = line.side.lines[line.index].tokens
    calls = line.index in line.side.calls_by_line
    return line.shape[0] == "return" and not calls and not any(t.kind in {"string", "number"} for t in tokens)


def _arguments_fit(call: Call, line: _Line, block: _Block) -> bool:
    """Each plain argument goes to the parameter of the same name, so that nothing was swapped."""
    parameters = _parameters(block.lines[0])
    given = [_name_of(a) for a in arguments(call, line.side.tokens)]
    return len(given) == len(parameters) and all(g == p for g, p in zip(given, parameters, strict=True))


def _parameters(header: _Line) -> list[str]:
    """The names of a definition's parameters, in order."""
    text = header.side.source(header.side.lines[header.index].tokens[0], header.side.lines[header.index].tokens[-1])
    found = definition_of(text, header.hunk.language)
    if not found:
        return []
    match = re.search(
        rf"\b{re.escape(found.name)}\s*(?:\[[^\]]*\]|<[^<>]*>)?\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)", text
    )
    parts = [p.strip() for p in match[1].split(",")] if match and match[1].strip() else []
    names = [_parameter(p, header.hunk.language.name) for p in parts]
    return [n for n in names if n not in {"self", "cls", "&self", "this"}]


def _parameter(part: str, language: str) -> str:
    part = part.split("=")[0].strip().lstrip("*&.")
    if ":" in part or language in {"go", "python", "ruby"}:
        return re.split(r"[:\s]", re.sub(r"^(mut|val|var|const)\s+", "", part))[0]
    return part.split()[-1].strip("*&") if part.split() else ""


def _name_of(argument: Sequence[Token]) -> str:
    texts = [t.text for t in argument if t.text not in {"&", "*", "mut", "await"}]
    return texts[0] if len(texts) == 1 else "".join(texts)


def _leaves_alike(calls: Sequence[tuple[Call, _Line]], blocks: dict[str, _Block]) -> bool:
    """A way out in the middle of a helper only leaves the helper: its caller has to pass it on."""
    for call, line in calls:
        body = _without_brackets(list(blocks[call.last].body))
        early = [b for b in body[:-1] if {"return", "throw", "raise"} & set(b.shape)]
        jumps = any({"break", "continue", "goto"} & set(b.shape) for b in body)
        loops = any({"for", "while"} & set(b.shape) for b in body)
        if jumps and not loops:
            return False
        checked = line.shape[0] in {"return", "if"} or "try" in line.shape or any(t in {"err", "?"} for t in line.shape)
        if any("return" in b.shape for b in early) and not checked:
            return False
    return True


def _in_order(removed: Sequence[_Line], moved: Sequence[_Line]) -> bool:
    """Every removed statement stands among the moved ones, in order; returns may say what else they hand back."""
    at = 0
    for line in removed:
        here = next((i for i in range(at, len(moved)) if moved[i].shape == line.shape), None)
        if here is None:
            if _plain_return(line):
                continue
            return False
        if any(not _plain_return(m) for m in moved[at:here]):
            return False
        at = here + 1
    return all(_plain_return(m) for m in moved[at:])


_DRESS = frozenset("public private protected internal class record final ; , { } ( )".split())


def _same_sequence(removed: Sequence[_Line], added: Sequence[_Line]) -> bool:
    """The same names, literals and operators in the same order: a class that became a record."""
    old = [t for line in removed for t in line.shape if t not in _DRESS]
    new = [t for line in added for t in line.shape if t not in _DRESS]
    types = [line for line in (*removed, *added) if (d := line.side.definitions.get(line.index)) and d.kind == "type"]
    return bool(types) and bool(old) and old == new


_LOGIC = frozenset("+ - * / % && || ! == != < > <= >= << >> ?? ?. and or not & | ^ === !== = :=".split()) - {
    "=",
    ":=",
    "&",
}
_CONTROL = frozenset(
    "if else for while switch case try catch finally throw await async go defer lock synchronized yield with break "
    "continue".split()
)
_PLUMBING = frozenset({"builder", "build", "of", "newBuilder", "toBuilder"})


def _is_repackaged(removed: Sequence[_Line], added: Sequence[_Line], view: CodeView) -> bool:
    """The same calls, literals and operators, now through a type or constructor that the diff introduces."""
    if not view.helpers or not removed or not _contiguous(removed, past_restated=True):
        return False
    old, new = _facts(removed), _facts(added)
    own = view.helpers | _PLUMBING
    if old.literals != new.literals or old.logic != new.logic or old.control != new.control:
        return False
    if [c for c in old.calls if c.split(".")[-1] not in own] != [c for c in new.calls if c.split(".")[-1] not in own]:
        return False
    if not old.names <= new.names:
        return False
    blocks = {b.name: b for b in _blocks(added)}
    headers = {name: block for name, block in blocks.items() if name in view.helpers}
    used = [(c, line) for line in added for c in line.side.calls_on((line.index,)) if c.last in headers]
    return bool(used) and all(_passes_along(c, line, headers[c.last]) for c, line in used)


@dataclass(frozen=True, slots=True)
class _Facts:
    literals: Counter[str]
    logic: Counter[str]
    control: Counter[str]
    calls: list[str]
    names: set[str]


def _facts(lines: Sequence[_Line]) -> _Facts:
    tokens = [t for line in lines for t in line.side.lines[line.index].tokens]
    calls = [c.key for line in lines for c in line.side.calls_on((line.index,))]
    return _Facts(
        Counter(t.text for t in tokens if t.kind in {"string", "number"}),
        Counter(t.text for line in lines if line.index not in line.side.definitions for t in _operators(line)),
        Counter(t.text for t in tokens if t.text in _CONTROL),
        calls,
        {t.text for t in tokens if t.kind == "name"} - {"new"},
    )


def _operators(line: _Line) -> Iterator[Token]:
    """Arithmetic and logic; a star or a bang before a name at the beginning of an expression is neither."""
    tokens = line.side.lines[line.index].tokens
    for index, token in enumerate(tokens):
        binary = index > 0 and (tokens[index - 1].kind != "op" or tokens[index - 1].text in {")", "]"})
        if token.text in _LOGIC and (binary or token.text in {"!", "not"}):
            yield token


def _passes_along(call: Call, line: _Line, block: _Block) -> bool:
    """Positional arguments go to parameters of their own names, named ones to settings that sound like them."""
    given = arguments(call, line.side.tokens)
    if any(t.text == "{" for a in given for t in a):
        return _keyed_along(block)
    return _arguments_fit(call, line, block)


def _keyed_along(block: _Block) -> bool:
    for line in block.body:
        match = re.match(r"(\w+)\s*[:=]\s*\w+(?:\.\w+)*\.(\w+),?$", line.side.lines[line.index].stripped)
        if match and not _sounds_like(match[1], match[2]):
            return False
    return True


def _sounds_like(a: str, b: str) -> bool:
    x, y = a.lower(), b.lower()
    return (
        x in y
        or y in x
        or bool(set(re.findall(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}", a)) & set(re.findall(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}", b)))
    )
