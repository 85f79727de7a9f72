"""One lexer for all languages: names, numbers, strings, operators; comments are set apart.

It knows what languages share and the few points in which they differ. It never fails: a character it does not know is
an operator, an unclosed string ends with its line, an unclosed comment with the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from agent.analysis.diff.languages import Family, Language

TokenKind = Literal["name", "number", "string", "op"]


@dataclass(frozen=True, slots=True)
class Token:
    kind: TokenKind
    text: str
    line: int
    """Index of the line it starts on."""
    start: int
    """Offset in the text that was lexed."""

    @property
    def string(self) -> str:
        """The content of a string literal without prefix and quotes; "" for other tokens."""
        if self.kind != "string":
            return ""
        text = re.sub(r"^[A-Za-z$@&]{0,3}#*(?=[\"'`])", "", self.text)
        for quote in ('"""', "'''", '"', "'", "`"):
            if text.startswith(quote):
                body = text[len(quote) :]
                return body[: -len(quote)] if body.endswith(quote) else body
        return text


@dataclass(frozen=True, slots=True)
class Lexed:
    tokens: tuple[Token, ...]
    comments: tuple[tuple[int, str], ...]
    """(line, text) of each comment, a block comment once per line."""
    text: str
    """What was lexed."""


_OPERATORS = (
    r"===|!==|<<=|>>=|\*\*=|\?\?=|\.\.\.|\.\.=|<=>|&&=|\|\|=|:=|==|!=|<=|>=|<<|>>(?!\w)|&&|\|\||\?\?|\?\.|\?:|=>|->|"
    r"<-|::|"
    r"\+\+|--|\+=|-=|\*=|/=|%=|\|=|&=|\^=|=~|!~|\*\*|!!|\|>|[^\w\s]"
)
_NUMBER = r"0[xX][0-9a-fA-F_]+|(?:\d[\d_]*)(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?[A-Za-zµ]*%?"
_SHORT = 400
"""Longest content of a quoted string on one line before the quote is taken for an apostrophe."""


_WHOLE_LINES = frozenset({"properties", "dockerfile", "cron", "env", "make"})
"""Formats in which a comment stands on a line of its own; behind a value its mark belongs to the value."""


def _before_comment(language: Language) -> str:
    """What must stand before a comment mark: where values are not quoted, a hash may be part of one."""
    if language.name in _WHOLE_LINES:
        return r"(?:(?<=\n)|(?<![\s\S]))[ \t]*"
    return r"(?<![^\s])" if language.family is Family.SETTINGS and language.name not in {"json", "hcl"} else ""


@cache
def _pattern(language: Language) -> re.Pattern[str]:
    parts: list[str] = []
    comments = [re.escape(mark) for mark in language.line_comments]
    if language.triple:
        parts.append(r'(?P<triple>[A-Za-z]{0,2}(?:"""[\s\S]*?(?:"""|\Z)|' + r"'''[\s\S]*?(?:'''|\Z)))")
    if language.backtick:
        parts.append(r"(?P<back>`(?:[^`\\]|\\[\s\S])*(?:`|\Z))")
    if language.block == "c":
        parts.append(r"(?P<block>/\*[\s\S]*?(?:\*/|\Z))")
    if language.block == "xml":
        parts.append(r"(?P<block><!--[\s\S]*?(?:-->|\Z))")
    if comments:
        parts.append(rf"(?P<comment>{_before_comment(language)}(?:{'|'.join(comments)})[^\n]*)")
    prefix = r"(?:[bBrRuUfFLc$@]{1,2}(?=[\"']))?#?"
    single = rf"'(?:[^'\\\n]|\\[^\n]){{0,{_SHORT}}}'" if language.name != "rust" else r"'(?:[^'\\\n]|\\[^\n']{1,8})'"
    double = rf'"(?:[^"\\\n]|\\[^\n]){{0,{_SHORT * 5}}}"'
    if language.name == "sql":
        single = rf"'(?:[^'\n]|''){{0,{_SHORT}}}'"
    parts.append(rf"(?P<string>{prefix}(?:{double}|{single}))")
    parts.append(rf"(?P<number>{_NUMBER})")
    dash = r"(?:-(?=\w))?" if language.family is Family.SETTINGS else ""
    tail = {"ruby": r"[?!]?(?!=)", "rust": r"(?:!(?=[(\[{]))?", "elixir": r"[?!]?(?!=)"}.get(language.name, "")
    parts.append(rf"(?P<name>[@$]{{0,2}}[^\W\d](?:[\w$]{dash})*{tail})")
    parts.append(rf"(?P<op>{_OPERATORS})")
    return re.compile("|".join(parts))


def lex(text: str, language: Language) -> Lexed:
    """Split `text` into tokens and comments; lines are counted from 0."""
    tokens: list[Token] = []
    comments: list[tuple[int, str]] = []
    if language.block == "c" and language.name != "sql":
        text = _open_comment(text)
    line = position = 0
    for match in _pattern(language).finditer(text):
        line += text.count("\n", position, match.start())
        position = match.start()
        kind, found = match.lastgroup, match.group()
        if kind in {"comment", "block"} or (kind == "triple" and _is_docstring(tokens, found, language)):
            comments.extend((line + i, part) for i, part in enumerate(found.split("\n")))
        elif kind in {"triple", "back", "string"}:
            tokens.append(Token("string", found, line, position))
        elif kind == "number":
            tokens.append(Token("number", found, line, position))
        elif kind == "name":
            tokens.append(Token("name", found, line, position))
        else:
            tokens.append(Token("op", found, line, position))
    return Lexed(tuple(tokens), tuple(comments), text)


_STARRED = re.compile(r"^[ \t]*\*(?=[ \t/]|$)[^\n]*", re.MULTILINE)


def _open_comment(text: str) -> str:
    """Close the gap where a hunk begins inside a block comment: its lines become line comments."""
    end, start = text.find("*/"), text.find("/*")
    if end >= 0 and (start < 0 or end < start):
        head = text[: end + 2].split("\n")
        text = "\n".join("//" + part for part in head) + text[end + 2 :]
    if start < 0 and "*" in text:
        text = _STARRED.sub(lambda m: "//" + m.group()[2:], text)
    return text


_SQL_START = re.compile(r"\s*(select|insert|update|delete|with|create|alter|merge)\b", re.IGNORECASE)


def _is_docstring(tokens: list[Token], found: str, language: Language) -> bool:
    """A triple-quoted string that stands alone, after `:` or at the beginning of a block, documents."""
    if language.name != "python" or _SQL_START.match(found.strip("rbfuRBFU\"' \n")):
        return False
    return not tokens or tokens[-1].text == ":"


KEYWORDS = frozenset(
    "if else elif elsif unless for foreach while until loop do switch case when match select default break continue "
    "return "
    "try catch except finally rescue ensure throw throws raise with using defer go await async yield new delete "
    "typeof sizeof "
    "instanceof in is not and or as import from package module export require include use func function fn def fun "
    "sub lambda "
    "class struct interface enum record trait impl object type namespace extends implements public private "
    "protected internal "
    "static final const let var val mut pub readonly abstract override virtual sealed data inline suspend lateinit "
    "void int "
    "long float double bool boolean string char byte short uint i32 i64 u32 u64 usize f64 str self this super nil "
    "null none "
    "undefined true false end begin then pass goto fallthrough range chan map make len print println assert global "
    "nonlocal del "
    "where move ref dyn unsafe extern template typename operator friend volatile transient synchronized native "
    "signed unsigned "
    "auto any number object unknown never".split()
)
"""Words of the languages themselves, lower-cased; no name of a system is among them."""
