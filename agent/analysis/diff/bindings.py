"""Values that have a name in a program: assignments, struct and object literals, named, default and plain arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.analysis.diff.calls import Call, arguments
from agent.analysis.diff.hunks import Side
from agent.analysis.diff.quantities import is_duration_pair, is_unit, read_quantity
from agent.analysis.diff.tokens import KEYWORDS, Token

BindingKind = Literal["assigned", "keyed", "argument", "setting", "item"]


@dataclass(frozen=True, slots=True)
class Binding:
    name: str
    """Dotted as far as the text shows it: `cfg.MaxConns`, `retry.tries`, `spec.replicas`."""
    value: str
    line: int
    kind: BindingKind
    owner: str = ""
    """What it is set in: the callee, the type, the parent key."""
    identity: str = ""
    """What tells apart the elements of a list that the value lies in: their names."""
    plain: bool = False
    """The value is a constant: a figure, a string, a word, a named constant."""

    @property
    def key(self) -> str:
        return self.name.rsplit(".", 1)[-1]


@dataclass(slots=True)
class _Frame:
    bracket: str
    owner: str
    callee: bool
    literal: bool
    """An object, struct or dict literal rather than a block of statements."""


_OPEN = frozenset("([{")
_CLOSE = {")": "(", "]": "[", "}": "{"}
_ENDS = frozenset({",", ";", ")", "]", "}"})
_JOINS = frozenset("+ - * / % . :: -> ?. && || ?? == != < > <= >= << >> = := => | & ( [ { , ? :".split())
_PLAIN_CHAIN = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|::)[A-Za-z_$][\w$]*)*")
_MAX_VALUE = 80
"""Tokens of a value that are looked at."""

_MAKERS = frozenset({"make", "with_capacity", "channel", "bounded"})
_COLON_KEYS = frozenset(
    {
        "go",
        "javascript",
        "typescript",
        "rust",
        "csharp",
        "ruby",
        "php",
        "swift",
        "dart",
        "kotlin",
        "c",
        "elixir",
        "code",
    }
)


def find_bindings(side: Side) -> tuple[Binding, ...]:
    """All named values of a side, in order."""
    return tuple(sorted(_Scanner(side).run(), key=lambda b: b.line))


class _Scanner:
    def __init__(self, side: Side) -> None:
        self.side = side
        self.tokens = side.tokens
        self.language = side.language.name
        self.frames: list[_Frame] = []
        self.calls = {c.open: c for c in side.calls if c.open >= 0}

    def run(self) -> Iterator[Binding]:
        for index, token in enumerate(self.tokens):
            if token.kind != "op":
                if token.text == "define" and index and self.tokens[index - 1].text == "#":
                    yield from self._macro(index)
                continue
            if token.text in _OPEN:
                self.frames.append(self._frame(index))
            elif token.text in _CLOSE:
                self._close(token.text)
            elif token.text in {"=", ":=", ":", "=>"}:
                found = self._binding(index, token.text)
                if found:
                    yield found
        for call in self.side.calls:
            yield from self._arguments(call)

    def _close(self, text: str) -> None:
        if any(f.bracket == _CLOSE[text] for f in self.frames):
            while self.frames.pop().bracket != _CLOSE[text]:
                pass

    def _frame(self, index: int) -> _Frame:
        bracket = self.tokens[index].text
        call = self.calls.get(index)
        if bracket == "(":
            return _Frame("(", call.own_name if call else "", call is not None, False)
        before = self.tokens[index - 1] if index else None
        if before is None:
            return _Frame(bracket, "", False, False)
        outer = self.frames[-1] if self.frames else None
        if before.text in {"=", ":=", ":", "=>", "return", "yield"} and bracket == "{":
            return _Frame(bracket, self._left(index - 1)[0], False, before.text != "=>")
        if before.text in {"(", ",", "["}:
            return _Frame(bracket, outer.owner if outer else "", bool(outer and outer.callee), True)
        if before.kind == "name" and bracket == "{" and self._is_type_name(index - 1):
            return _Frame(bracket, self._chain(index - 1), False, True)
        return _Frame(bracket, outer.owner if outer and bracket == "[" else "", False, False)

    def _is_type_name(self, at: int) -> bool:
        """`Policy{` and `&http.Client{` build a value; `type Policy struct {` and `if ok {` do not."""
        if self.tokens[at].line in self.side.definitions or self.tokens[at].text in KEYWORDS:
            return False
        if self.language not in {"go", "rust", "c", "csharp"}:
            return False
        words = [t.text for t in self.side.lines[self.tokens[at].line].tokens[:2]]
        return not {"if", "for", "switch", "while", "match", "else", "foreach", "impl"} & set(words)

    def _chain(self, at: int) -> str:
        parts = [self.tokens[at].text]
        while at >= 2 and self.tokens[at - 1].text in {".", "::", "->", "?."} and self.tokens[at - 2].kind == "name":
            at -= 2
            parts.insert(0, self.tokens[at].text)
        return ".".join(p.lstrip("@$") for p in parts)

    def _left(self, at: int) -> tuple[str, bool]:
        """The name left of the operator at `at` ("" when there is none), and whether it is a string key."""
        before = at - 1
        if before < 0:
            return "", False
        token = self.tokens[before]
        if token.text == "]" and before >= 2 and self.tokens[before - 1].kind == "string":
            return self.tokens[before - 1].string, True
        if token.kind == "string" and self.tokens[at].text in {":", "=>", "="}:
            return token.string, True
        if self.tokens[at].text == "=" and (named := self._annotated(at)):
            return named, False
        if token.text in {"?", "!"} and before >= 1:
            before -= 1
            token = self.tokens[before]
        if token.kind != "name" or token.text in KEYWORDS - {
            "default",
            "data",
            "type",
            "limit",
            "number",
            "len",
            "any",
            "object",
        }:
            return "", False
        return self._chain(before), False

    def _annotated(self, at: int) -> str:
        """`x: int = 5`, `var x time.Duration = 5`: the name before its type."""
        line = self.tokens[at].line
        start = at
        depth = 0
        while start > 0 and self.tokens[start - 1].line == line and at - start < 16:
            text = self.tokens[start - 1].text
            depth += (text in {")", "]", ">"}) - (text in {"(", "[", "<"})
            if depth < 0 or text in {",", "{", ";"}:
                break
            if text == ":" and depth == 0 and start >= 2 and self.tokens[start - 2].kind in {"name", "string"}:
                return self._chain(start - 2) if self.tokens[start - 2].kind == "name" else ""
            start -= 1
        words = self.side.lines[line].tokens
        if self.language == "go" and len(words) > 2 and words[0].text in {"var", "const"} and words[1].kind == "name":
            return words[1].text
        return ""

    def _binding(self, index: int, op: str) -> Binding | None:
        name, string_key = self._left(index)
        frame = self.frames[-1] if self.frames else None
        if not name or not self._binds(index, op, string_key=string_key, frame=frame):
            return None
        end = self._value_end(index + 1)
        if end <= index + 1:
            return None
        value = self.side.source(self.tokens[index + 1], self.tokens[end - 1])
        named_argument = op == "=" and frame is not None and frame.callee
        keyed = op in {":", "=>"} or named_argument
        owner = frame.owner if frame and keyed else ""
        if named_argument and is_unit(owner):
            return None
        if keyed and not owner:
            owner = self._outer_owner(index)
        full = f"{owner}.{name}" if owner else name
        named = self._named_by_sibling(name, index) if name in _VALUE_WORDS else ""
        line = self.tokens[index + 1].line if end == index + 2 else self.tokens[index].line
        return Binding(
            named or full,
            value,
            line,
            "keyed" if keyed else "assigned",
            owner,
            plain=is_plain(value, constants_only=True),
        )

    def _binds(self, index: int, op: str, *, string_key: bool, frame: _Frame | None) -> bool:
        if op in {"=", ":="}:
            return True
        if op == "=>":
            return self.language in {"php", "ruby", "perl", "elixir"}
        if self._in_ternary(index) or (self.tokens[index].line in self.side.definitions and not string_key):
            return False
        if string_key:
            return True
        if frame is not None and frame.bracket == "(":
            return frame.callee and self.language in {"csharp", "ruby", "php", "swift", "dart", "elixir"}
        if frame is not None and frame.literal:
            return self.language != "python"
        first = self.side.lines[self.tokens[index].line].tokens
        alone = len(first) > 2 and first[1].start == self.tokens[index].start
        typed = self.side.definition_at(self.tokens[index].line)
        return alone and self.language in _COLON_KEYS and not (typed and typed.kind in {"type", "enum", "union"})

    def _in_ternary(self, index: int) -> bool:
        depth = 0
        for back in range(index - 1, max(-1, index - 40), -1):
            text = self.tokens[back].text
            if text in _CLOSE:
                depth += 1
            elif text in _OPEN or text in {",", ";"}:
                if depth == 0:
                    return False
                depth -= text in _OPEN
            elif text == "?" and depth == 0:
                return self.tokens[back + 1].text != ":"
            elif text in {"case", "default"}:
                return True
        return False

    def _outer_owner(self, index: int) -> str:
        """Where the opening bracket stands outside of the hunk's brackets: the line it is nested under."""
        for at in self.side.ancestors(self.tokens[index].line):
            tokens = self.side.lines[at].tokens
            names = [t.text for t in tokens if t.kind == "name" and t.text not in KEYWORDS]
            return names[-1] if names and tokens[-1].text in {"{", "(", "["} and at not in self.side.definitions else ""
        return ""

    def _value_end(self, start: int) -> int:
        depth = 0
        for at in range(start, min(len(self.tokens), start + _MAX_VALUE)):
            token = self.tokens[at]
            if token.kind == "op":
                if depth == 0 and token.text in _ENDS:
                    return at
                depth += token.text in _OPEN
                depth -= token.text in _CLOSE
            if depth == 0 and at + 1 < len(self.tokens) and self.tokens[at + 1].line != token.line:
                following = self.tokens[at + 1].text
                if token.text not in _JOINS and following not in {
                    ".",
                    "?.",
                    "+",
                    "&&",
                    "||",
                    "*",
                    "?",
                    ":",
                    "??",
                    "->",
                }:
                    return at + 1
        return min(len(self.tokens), start + _MAX_VALUE)

    def _named_by_sibling(self, name: str, index: int) -> str:
        """`{name: "POOL", value: 5}`: the value is called POOL."""
        at = self.tokens[index].line
        parent = self.side.lines[at].parent
        near = [
            i for i in range(max(0, at - 6), min(len(self.side.lines), at + 7)) if self.side.lines[i].parent == parent
        ]
        for i in sorted(near, key=lambda i: abs(i - at)):
            match = _NAME_SIBLING.search(self.side.lines[i].text)
            if match:
                return match[2]
        return ""

    def _macro(self, index: int) -> Iterator[Binding]:
        line = [t for t in self.side.lines[self.tokens[index].line].tokens if t.start > self.tokens[index].start]
        if len(line) > 1 and line[0].kind == "name":
            value = self.side.source(line[1], line[-1])
            yield Binding(line[0].text, value, line[0].line, "assigned", plain=is_plain(value, constants_only=True))

    def _arguments(self, call: Call) -> Iterator[Binding]:
        if is_unit(call.name):
            return
        given = arguments(call, self.tokens)
        constant = [a for a in given if a and not any(t.text in {"=", ":", "=>"} for t in a[:3]) and self._constant(a)]
        if len(constant) == 2 and constant[0] is given[0] and given[0][0].kind == "string" and len(given) == 2:
            key = given[0][0].string
            if re.fullmatch(r"[\w.\-:/]{2,80}", key):
                value = self.side.source(given[1][0], given[1][-1])
                yield Binding(key, value, given[1][0].line, "argument", call.own_name, plain=True)
                return
        name = self._made_for(call) if call.last in _MAKERS else call.own_name
        for value, line in self._with_units(constant):
            yield Binding(name, value, line, "argument", call.own_name, plain=True)

    def _with_units(self, constant: Sequence[Sequence[Token]]) -> Iterator[tuple[str, int]]:
        """(text, line) of constant arguments; an amount and its unit in two arguments are one."""
        at = 0
        while at < len(constant):
            first, last = constant[at], constant[at]
            if at + 1 < len(constant) and is_duration_pair(self.side.source(first[0], constant[at + 1][-1])):
                at += 1
                last = constant[at]
            yield self.side.source(first[0], last[-1]), first[0].line
            at += 1

    def _made_for(self, call: Call) -> str:
        """`jobs: make(chan Job, 100)`: the capacity of the channel jobs."""
        words = [t for t in self.side.lines[call.line].tokens if t.start < self.tokens[call.start].start]
        at = next((i for i in range(len(words) - 1, -1, -1) if words[i].text in {"=", ":=", ":"}), 0)
        name = next((t.text for t in reversed(words[:at]) if t.kind == "name" and t.text not in KEYWORDS), "")
        chan = any(t.text == "chan" for t in self.tokens[call.open : call.open + 3])
        return ".".join(p for p in (name, "channel" if chan else call.last) if p)

    def _constant(self, argument: Sequence[Token]) -> bool:
        return is_plain(self.side.source(argument[0], argument[-1]), constants_only=True)


_VALUE_WORDS = frozenset({"value", "default", "val", "Value"})
_NAME_SIBLING = re.compile(
    r"""["']?\b([nN]ame|[kK]ey|id|variable|parameter_?[nN]ame)["']?\s*[:=]\s*["']([\w.\-/]+)["']"""
)


def is_plain(value: str, *, constants_only: bool = False) -> bool:
    """A constant as far as the text shows it; with `constants_only`, a lower-case name is taken for a variable."""
    text = value.strip()
    if read_quantity(text) is not None or text.lower() in _WORDS:
        return True
    if len(text) > 1 and text[-1] in "\"'`" and text.count(text[-1]) == 2:
        return bool(re.fullmatch(r"[bruLB]{0,2}", text[: text.index(text[-1])])) and "${" not in text
    if len(text) > 1 and text[0] in "[{(" and text[-1] in "]})":
        items = [item.strip() for item in text[1:-1].split(",")]
        item = _CONSTANT_ITEM if constants_only else _ITEM
        return len(items) < 200 and all(item.fullmatch(i) for i in items)
    if not _PLAIN_CHAIN.fullmatch(text):
        return False
    if not constants_only:
        return True
    parts = re.split(r"\.|::", text)
    return parts[-1].isupper() or parts[0][:1].isupper()


_ITEM = re.compile(r"\"[^\"]*\"|'[^']*'|[-+\w.]+|")
_CONSTANT_ITEM = re.compile(r"\"[^\"]*\"|'[^']*'|[-+]?\d[\w.]*|[A-Z][A-Z0-9_]*|")
_WORDS = frozenset({"true", "false", "none", "nil", "null", "undefined"})
