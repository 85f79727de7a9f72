"""Whether two versions of a stretch say the same: white space, line breaks, comments, quotes, order of imports."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from agent.analysis.diff.hunks import FileDiff, Hunk, Side
from agent.analysis.diff.imports import acts_on_import, is_import
from agent.analysis.diff.languages import Family
from agent.analysis.diff.tokens import Token
from agent.analysis.edits import Inert

_DIRECTIVE = re.compile(
    r"^\W*(go:|nolint|\+build|#!|#pragma|pragma|type:\s*ignore|noqa|eslint-|@ts-|prettier-|istanbul|tslint|syntax\s*=|escape\s*=|"
    r"frozen_string_literal|coding[:=]|-\*-|no-transaction|\+goose|\+migrate|migrate:|liquibase|changeset|rollback|name:\s*\w+\s*:|"
    r"language=|sourceMappingURL|webpack|vite|@jsx|@flow|yaml-language|checkov|tfsec|trivy|hadolint|nosec|nosonar|\+\s*[A-Z]+\s*\(|"
    r"/\*\+|!\d{5}|\+k8s|kubebuilder|\+optional|swagger|swag|@\w+|embed|export\s)",
    re.IGNORECASE,
)
"""Comments that a tool, a compiler or a database reads."""

_BREAK_ENDS = frozenset({"return", "break", "continue", "throw", "yield", "raise"})
_NEWLINES_MATTER = frozenset(
    {"javascript", "typescript", "kotlin", "scala", "swift", "ruby", "groovy", "python", "elixir", "lua", "go"}
)
_QUOTES_EQUAL = frozenset({"javascript", "typescript", "python"})
_LINES_ONLY = frozenset(
    {"shell", "make", "dockerfile", "cron", "conf", "ini", "properties", "env", "gomod", "requirements", "perl", "code"}
)


def unchanged_meaning(file: FileDiff) -> Inert | None:
    """REFORMATTED or COMMENTS when a file's versions say the same, else None."""
    if not file.hunks or file.language.family in {Family.PROSE, Family.DATA, Family.MARKUP}:
        return None
    if not all(_same(hunk) or _only_imports_sorted(hunk) for hunk in file.hunks):
        return None
    if any(hunk.groups for hunk in file.hunks):
        return Inert.REFORMATTED
    old = Counter(c for h in file.hunks for c in _comments(h.before))
    new = Counter(c for h in file.hunks for c in _comments(h.after))
    changed = (old - new) + (new - old)
    if any(_DIRECTIVE.match(comment) for comment in changed) or _docstrings_act(file):
        return None
    return Inert.COMMENTS if changed else Inert.REFORMATTED


_ACTING_DOCSTRINGS = re.compile(r"@\w*\.?(tool|command|agent|function_tool|prompt|resource)\b|docopt")


def _docstrings_act(file: FileDiff) -> bool:
    """Frameworks that hand docstrings to a model, a command line or a schema."""
    shown = (line.text for h in file.hunks for line in h.after.lines)
    return file.language.name == "python" and any(_ACTING_DOCSTRINGS.search(text) for text in shown)


def _comments(side: Side) -> Iterator[str]:
    return (" ".join(text.split()) for _, text in side.comments if text.strip(" /*#-;!"))


def _same(hunk: Hunk) -> bool:
    """Equal but for white space and comments, as far as the language lets these mean nothing."""
    if hunk.language.indentation and _steps(hunk.before) != _steps(hunk.after):
        return False
    if not hunk.groups:
        return True
    if hunk.language.name in _LINES_ONLY or hunk.language.family not in {Family.CODE, Family.SQL}:
        return False
    old, new = list(_stream(hunk.before)), list(_stream(hunk.after))
    return old == new


def _stream(side: Side) -> Iterator[str]:
    """Tokens without what formatters add or drop; a mark where a line break ends a statement early."""
    tokens = side.tokens
    language = side.language.name
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if (
            token.text == ","
            and following is not None
            and following.text in {")", "]", "}"}
            and _is_spare(tokens, index)
        ):
            continue
        if (
            token.text == ";"
            and language in {"javascript", "typescript"}
            and (following is None or following.line > token.line)
        ):
            continue
        yield _plain(token, language)
        breaks = following is None or following.line > token.line
        if token.text in _BREAK_ENDS and breaks and language in _NEWLINES_MATTER:
            yield "\n"
        if (
            language in {"python", "ruby", "elixir", "lua", "kotlin", "scala", "swift"}
            and breaks
            and _ends_statement(tokens, index)
        ):
            yield "\n"


def _is_spare(tokens: Sequence[Token], index: int) -> bool:
    """A comma before a closing bracket says nothing, unless it is all that makes a tuple."""
    if tokens[index + 1].text != ")":
        return True
    depth = 0
    for at in range(index - 1, max(-1, index - 400), -1):
        text = tokens[at].text
        depth += (text in {")", "]", "}"}) - (text in {"(", "[", "{"})
        if depth == 0 and text == ",":
            return True
        if depth < 0:
            return at > 0 and (tokens[at - 1].kind == "name" or tokens[at - 1].text in {")", "]"})
    return False


def _ends_statement(tokens: Sequence[Token], index: int) -> bool:
    """A line break outside of brackets, where neither side obviously goes on."""
    depth = 0
    for token in tokens[max(0, index - 200) : index + 1]:
        depth += (token.text in {"(", "[", "{"}) - (token.text in {")", "]", "}"})
    return depth <= 0 and tokens[index].text not in {
        ",",
        "+",
        "-",
        "*",
        "/",
        "&&",
        "||",
        "and",
        "or",
        "=",
        "(",
        "[",
        "{",
        ".",
        "\\",
    }


def _plain(token: Token, language: str) -> str:
    if token.kind == "string" and language in _QUOTES_EQUAL and token.text[:1] in "\"'":
        return "'" + token.string.replace('\\"', '"').replace("\\'", "'") + "'"
    return token.text


def _steps(side: Side) -> list[int]:
    """The depth of each line that begins outside of brackets, by rank, so that two spaces and four are the same."""
    depths: list[int] = []
    stack: list[int] = []
    open_brackets = 0
    for line in side.lines:
        inside = open_brackets > 0
        for token in line.tokens:
            open_brackets = max(0, open_brackets + (token.text in {"(", "[", "{"}) - (token.text in {")", "]", "}"}))
        if not line.tokens or inside:
            continue
        while stack and stack[-1] > line.indent:
            stack.pop()
        if not stack or stack[-1] < line.indent:
            stack.append(line.indent)
        depths.append(len(stack))
    return depths


def _only_imports_sorted(hunk: Hunk) -> bool:
    """The same imports in another order; imports that act when they are read do not count."""
    old = [line.stripped for _, line in hunk.before.changed_lines()]
    new = [line.stripped for _, line in hunk.after.changed_lines()]
    inner_old, inner_new = _without_frame(old), _without_frame(new)
    if hunk.language.family is not Family.CODE or Counter(inner_old) != Counter(inner_new) or not inner_old:
        return False
    return all(is_import(text, hunk.language) and not acts_on_import(text) for text in inner_old)


def _without_frame(lines: Sequence[str]) -> list[str]:
    return [" ".join(text.split()) for text in lines if text not in {"import (", ")"}]
