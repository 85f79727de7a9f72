"""Whether a diff only gives names to things that nobody outside of it can see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.analysis.diff.definitions import definition_of
from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.languages import Family
from agent.analysis.diff.tokens import KEYWORDS, Token

_MEMBER = frozenset({".", "->", "::", "?."})
_INJECTED = re.compile(r"@(?!Override)\w+|\[From\w+\]|#\[")
"""Parameters with annotations are bound by name by frameworks."""


@dataclass(slots=True)
class _Names:
    forward: dict[str, str] = field(default_factory=dict)
    backward: dict[str, str] = field(default_factory=dict)
    reserved: frozenset[str] = KEYWORDS

    def add(self, old: str, new: str) -> bool:
        """Whether `old` may become `new` without breaking the one-to-one mapping."""
        return self.forward.setdefault(old, new) == new and self.backward.setdefault(new, old) == old


def only_renames(hunks: Sequence[Hunk]) -> bool:
    """Token-wise identical after a one-to-one substitution of names that the diff itself declares."""
    if not hunks or any(h.language.family is not Family.CODE or h.language.name in {"shell", "code"} for h in hunks):
        return False
    # To Go these are ordinary names, and people use them for receivers.
    names = _Names(reserved=KEYWORDS - {"this", "self"} if all(h.language.name == "go" for h in hunks) else KEYWORDS)
    if not all(_maps(hunk, names) for hunk in hunks):
        return False
    renamed = {a: b for a, b in names.forward.items() if a != b}
    return bool(renamed) and all(_is_private(a, b, hunks) for a, b in renamed.items())


def _maps(hunk: Hunk, names: _Names) -> bool:
    for group in hunk.groups:
        old = [t for i in group.before for t in hunk.before.lines[i].tokens]
        new = [t for i in group.after for t in hunk.after.lines[i].tokens]
        if len(old) != len(new):
            return False
        for index, (a, b) in enumerate(zip(old, new, strict=True)):
            if a.kind != b.kind or not _fits(a, b, old, new, index, names):
                return False
    return True


def _fits(a: Token, b: Token, old: Sequence[Token], new: Sequence[Token], index: int, names: _Names) -> bool:
    if a.kind == "string":
        return _substituted(a.text, names) == b.text
    if a.kind != "name":
        return a.text == b.text
    fixed = _is_fixed(old, index) or _is_fixed(new, index)
    if fixed or a.text in names.reserved or b.text in names.reserved:
        return a.text == b.text
    return names.add(a.text, b.text)


def _is_fixed(tokens: Sequence[Token], index: int) -> bool:
    """Members, keys and named arguments are seen from elsewhere."""
    before = tokens[index - 1].text if index else ""
    after = tokens[index + 1].text if index + 1 < len(tokens) else ""
    if before in _MEMBER:
        return True
    if before in {"{", ","} and after in {"}", ",", ":"} and _in_braces(tokens, index):
        return True
    return after == "=" and before in {"(", ","} and "(" in {t.text for t in tokens[:index]}


def _in_braces(tokens: Sequence[Token], index: int) -> bool:
    depth = 0
    for token in reversed(tokens[:index]):
        depth += (token.text in {")", "]", "}"}) - (token.text in {"(", "[", "{"})
        if depth < 0:
            return token.text == "{"
    return False


_HOLE = re.compile(r"\$\{[^{}]*\}|#\{[^{}]*\}|\$[A-Za-z_]\w*|\{[^{}]*\}")
_NAME = re.compile(r"[A-Za-z_]\w*")


def _substituted(text: str, names: _Names) -> str:
    """A string with the names in its holes (`${a}`, `$a`, `#{a}`, `{a}`) replaced as outside of it."""
    bare = {old.lstrip("$@"): new.lstrip("$@") for old, new in names.forward.items()}
    return _HOLE.sub(lambda hole: _NAME.sub(lambda m: bare.get(m[0], m[0]), hole[0]), text)


def _in_holes(text: str) -> set[str]:
    return {name for hole in _HOLE.findall(text) for name in _NAME.findall(hole)}


def _is_private(old: str, new: str, hunks: Sequence[Hunk]) -> bool:
    """Declared in the changed lines, gone everywhere else, and not a name that others reach by."""
    declared = False
    for hunk in hunks:
        if _left_over(old, hunk.after) or _left_over(new, hunk.before):
            return False
        for (i, a), (j, b) in zip(hunk.before.changed_lines(), hunk.after.changed_lines(), strict=False):
            if _declares(a.text, old) and _declares(b.text, new):
                if not _may_rename(hunk, i, j, old):
                    return False
                declared = True
    return declared


def _left_over(name: str, side: Side) -> bool:
    tokens = side.tokens
    for index, token in enumerate(tokens):
        if token.kind == "string" and name.lstrip("$@") in _in_holes(token.text):
            return True
        if token.text == name and token.kind == "name" and not (index and tokens[index - 1].text in _MEMBER):
            return True
    return False


def _declares(text: str, name: str) -> bool:
    n = re.escape(name)
    patterns = (
        rf"\b{n}\b[\w\s,]*:=",
        rf"\b(?:let|const|var|val|auto|my|final|for|foreach|as|catch)\b[^=]*\b{n}\b",
        rf"^\s*{n}(?:\s*,\s*\w+)*\s*(?::[^=]+)?=(?!=)",
        rf"\b(?:func|fn|fun|def|function|lambda|sub)\b.*\b{n}\b",
        rf"\b[A-Za-z_][\w<>\[\].]*\s+{n}\s*(?:=(?!=)|;|,|\))",
        rf"\b{n}\b\s*(?:,\s*\w+\s*)*\)?\s*=>|\|[^|]*\b{n}\b[^|]*\|",
    )
    return any(re.search(p, text) for p in patterns)


def _may_rename(hunk: Hunk, i: int, j: int, old: str) -> bool:
    """Local variables always; parameters where callers pass them by position; functions where a compiler checks."""
    language = hunk.language
    text = hunk.before.lines[i].text
    found = definition_of(text, language)
    if found is None:
        local = hunk.before.definition_at(i, functions_only=True) is not None or hunk.before.lines[i].indent > 0
        exported = re.match(r"\s*(export|module\.exports|pub|public)\b", text)
        return local and not exported and _same_scope(hunk, i, j)
    if found.kind != "function" or _INJECTED.search(text):
        return False
    if found.name == old:
        return not language.dynamic and not _overridable(text)
    return language.name in {"go", "java", "rust", "c", "javascript", "typescript", "scala"}


def _same_scope(hunk: Hunk, i: int, j: int) -> bool:
    a, b = hunk.before.definition_at(i), hunk.after.definition_at(j)
    in_type = a is not None and a.kind != "function"
    return not in_type and (a is None) == (b is None)


def _overridable(text: str) -> bool:
    """A public method can be an interface's, a route's or a bean's: its name may be looked up."""
    return bool(re.search(r"\b(public|protected|override|export|open|virtual|abstract)\b|@", text)) or bool(
        re.match(r"func \(", text.strip())
    )
