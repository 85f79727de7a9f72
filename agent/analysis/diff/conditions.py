"""The conditions in a stretch of code: what is asked, about what, and what follows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent.analysis.diff.hunks import Side
from agent.analysis.diff.quantities import words_of
from agent.analysis.diff.tokens import Token


class Asks(StrEnum):
    """What kind of question a condition is."""

    ERROR = "error"
    GUARD = "guard"
    LOOP = "loop"
    CHOICE = "choice"
    """One of several ways, by a value or a pattern."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Condition:
    text: str
    key: tuple[str, ...]
    """Its tokens, for comparison."""
    line: int
    asks: Asks
    subject: str
    """The expression it is about: `resp.ThreeDS`, `items`, `user.isAdmin`."""
    exits: bool
    """The guarded code leaves: return, throw, continue."""
    body: range
    """Lines that depend on it."""


_WORDS = frozenset({"if", "elif", "elsif", "unless", "guard", "while", "until", "when", "case", "assert", "switch"})
_LOOPS = frozenset({"while", "until"})
_CHOICES = frozenset({"case", "switch", "when", "match"})
_EXITS = frozenset(
    {
        "return",
        "continue",
        "break",
        "throw",
        "raise",
        "panic",
        "abort",
        "exit",
        "fail",
        "next",
        "goto",
        "halt",
        "redirect",
    }
)
_NULLS = frozenset(
    "nil null none undefined nullptr is_none isnone is_some isnull is_null ispresent isempty is_empty isnullorempty "
    "isblank isnullorwhitespace blank present empty nonnull notnull exists has_value hasvalue isset some ok nan "
    "isnan isfinite zero iszero".split()
)
_SIZES = frozenset({"len", "length", "size", "count", "capacity", "cap"})
_PERMISSION = frozenset(
    "auth authorized authorised authenticated permission permissions role roles admin allowed permitted owner scope "
    "scopes acl grant granted tenant verified forbidden".split()
)
_ERRORS = re.compile(r"^(err|error|e|ex|exc|exception|rc|errno|\w*Err|\w*Error|err\w+)$")
_GLUE = frozenset(
    {"not", "and", "or", "is", "in", "instanceof", "typeof", "true", "false", "let", "new", "await", "as", "mut"}
)
_COMPARE = frozenset({"==", "!=", "<", ">", "<=", ">=", "===", "!==", "is", "in", "=~"})
LOGIC = _COMPARE | {"&&", "||", "and", "or", "not", "!", "xor"}


def find_conditions(side: Side) -> tuple[Condition, ...]:
    """All conditions of a side, in order."""
    return tuple(_find(side))


def _find(side: Side) -> Iterator[Condition]:
    tokens = side.tokens
    for index, token in enumerate(tokens):
        if (
            token.kind == "name"
            and token.text in _WORDS
            and not (index and tokens[index - 1].text in {".", "::", "?."})
        ):
            inner = _inner(tokens, index, side.language.name)
            if inner:
                yield _condition(side, index, inner)
        elif token.text == "?" and token.kind == "op" and _is_ternary(tokens, index):
            start = _expression_start(tokens, index)
            if start < index:
                yield _condition(side, index, tokens[start:index], ternary=True)


def _is_ternary(tokens: Sequence[Token], index: int) -> bool:
    depth = 0
    for token in tokens[index + 1 : index + 60]:
        if token.text in {"(", "[", "{"}:
            depth += 1
        elif token.text in {")", "]", "}", ";"}:
            depth -= 1
        if depth < 0:
            return False
        if token.text == ":" and depth == 0:
            return tokens[index + 1].text not in {":", ")", ",", "=", ">"}
    return False


def _expression_start(tokens: Sequence[Token], end: int) -> int:
    depth = 0
    at = end - 1
    while at >= 0 and end - at < 60:
        text = tokens[at].text
        depth += (text in {")", "]"}) - (text in {"(", "["})
        if depth < 0 or (depth == 0 and text in {"=", ":=", ",", "return", "{", ";", "=>", "->", ":", "+=", "}"}):
            return at + 1
        at -= 1
    return at + 1


MAX_BODY = 60
"""Lines under a condition that are looked at."""

_STOPS = {"python": {":", "else"}, "ruby": {"then", "else"}, "elixir": {"do"}}


def _inner(tokens: Sequence[Token], index: int, language: str) -> Sequence[Token]:
    """The tokens of the condition behind the keyword at `index`."""
    start = index + 1
    if start >= len(tokens):
        return ()
    if tokens[start].text == "(" and language not in {"go", "rust", "python", "ruby", "swift", "elixir"}:
        end = _matching(tokens, start)
        return tokens[start + 1 : end]
    stop = _STOPS.get(language, {"{", ":"})
    if tokens[index].text == "case":
        stop = stop | {":", "->", "=>", ";"}
    depth, at = 0, start
    while at < len(tokens) and at - start < 120:
        text = tokens[at].text
        if depth == 0 and (text in stop or text in {")", "]", "}"}):
            break
        if language == "ruby" and depth == 0 and tokens[at].line != tokens[index].line:
            break
        depth += (text in {"(", "["}) - (text in {")", "]"})
        at += 1
    inner = tokens[start:at]
    cut = next((i for i in range(len(inner) - 1, -1, -1) if inner[i].text == ";"), -1)
    return inner[cut + 1 :]


def _matching(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for at in range(start, min(len(tokens), start + 200)):
        depth += (tokens[at].text in {"(", "["}) - (tokens[at].text in {")", "]"})
        if depth == 0:
            return at
    return min(len(tokens), start + 200)


def _condition(side: Side, index: int, inner: Sequence[Token], *, ternary: bool = False) -> Condition:
    keyword = side.tokens[index]
    line = inner[0].line if ternary else keyword.line
    text = side.source(inner[0], inner[-1])
    body = range(line, line + 1) if ternary else side.below(line)[:MAX_BODY]
    asks = Asks.LOOP if keyword.text in _LOOPS else Asks.CHOICE if keyword.text in _CHOICES else _asks(inner)
    return Condition(
        text, tuple(t.text for t in inner), line, asks, subject_of(inner), _exits(side, keyword, body), body
    )


def _exits(side: Side, keyword: Token, body: range) -> bool:
    inline = [t.text for t in side.lines[keyword.line].tokens if t.start > keyword.start]
    first = [t.text for at in body for t in side.lines[at].tokens[:2]]
    before = [t.text for t in side.lines[keyword.line].tokens if t.start < keyword.start]
    return keyword.text in {"guard", "assert"} or bool(_EXITS & set(inline + first)) or bool(_EXITS & set(before[:1]))


def _asks(inner: Sequence[Token]) -> Asks:
    names = [t.text for t in inner if t.kind == "name"]
    lower = {n.lower().rstrip("?!") for n in names}
    about_error = any(_ERRORS.match(n) for n in names) and (lower & _NULLS or len(names) == 1 or "errors" in lower)
    if about_error and (len(names[0]) > 2 or any(t.text in {"!=", "!==", "not"} for t in inner)):
        return Asks.ERROR
    negated = inner[0].text in {"!", "not"} or any(t.text == "!" for t in inner)
    compared = {t.text for t in inner} & {"<", ">", "<=", ">="}
    empty = any(t.kind == "string" and t.string == "" for t in inner) or any(t.text == "0" for t in inner)
    words = {w for n in names for w in words_of(n)}
    if lower & _NULLS or lower & _SIZES or negated or compared or empty or words & _PERMISSION:
        return Asks.GUARD
    # A bare name or member asks whether it is there.
    return Asks.GUARD if all(t.kind == "name" or t.text in {".", "::", "->"} for t in inner) else Asks.OTHER


def subject_of(inner: Sequence[Token]) -> str:
    """The first expression in a condition that is neither a keyword nor a measure of something else."""
    best = ""
    at = 0
    while at < len(inner):
        measures = inner[at].text in _SIZES and at + 1 < len(inner) and inner[at + 1].text == "("
        if inner[at].kind != "name" or inner[at].text in _GLUE or measures:
            at += 1
            continue
        parts = [inner[at].text]
        while at + 2 < len(inner) and inner[at + 1].text in {".", "?.", "->", "::"} and inner[at + 2].kind == "name":
            at += 2
            parts.append(inner[at].text)
        if len(parts) > 1 and parts[-1].lower().rstrip("?") in _NULLS | _SIZES:
            parts.pop()
        best = ".".join(parts)
        if best.lower() not in _NULLS:
            return best
        at += 1
    return best
