"""Which file a hunk belongs to when its header does not say so in the usual place."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.analysis.diff.languages import Role, is_file_name, language_of, role_of

_PLAIN = re.compile(r"[\w@.+~/-]+")
_BRACKETED = re.compile(r"[\w@.+~/()\[\]-]+")
"""Route groups and parameters of web frameworks stand in brackets in the names of folders."""


def path_at_start(rest: str, listed: Sequence[str]) -> tuple[str, str]:
    """Split what follows `@@` into a path ("" when there is none) and a section."""
    head, mark, tail = rest.partition("@@")
    if mark and _is_path(head.strip(), listed):
        return _full(head.strip(), listed), tail.strip()
    first, colon, section = rest.partition(": ")
    if colon and _is_path(first, listed):
        return _full(first, listed), section.strip()
    word = re.split(r"[:\s(]", rest, maxsplit=1)[0]
    if word and word in listed:
        return word, rest[len(word) :].lstrip(": \t")
    if _is_path(rest.rstrip(":"), listed):
        return _full(rest.rstrip(":"), listed), ""
    # Only then the names that hold spaces, which need every listed path to be tried.
    for path in (p for p in listed if " " in p and rest.startswith(p)):
        return path, rest[len(path) :].lstrip(": \t")
    return "", rest.strip()


def _is_path(text: str, listed: Sequence[str]) -> bool:
    if not text or len(text) > 300:
        return False
    if _PLAIN.fullmatch(text) and ("/" in text or is_file_name(text)):
        return True
    if "/" in text and _BRACKETED.fullmatch(text) and is_file_name(text):
        return True
    return text in listed


def _full(text: str, listed: Sequence[str]) -> str:
    """The listed path that ends with `text`, else `text` itself."""
    if text in listed:
        return text
    return next((path for path in listed if path.endswith("/" + text)), text)


_MARKS = {
    "gomod": r"^require \(|^module \S+|^\s*(github\.com|golang\.org|google\.golang\.org|gopkg\.in)/?\S* v\d",
    "go": r"\bfunc[ (]|:=|^package \w+$|\berr != nil|\binterface\{|\bfmt\.",
    "python": r"^\s*(async )?def \w+\(.*|^\s*(elif|except)\b|^\s*from [\w.]+ import|\bself\.|\bNone\b|:\s*$",
    "java": r"\b(public|private|protected) (static )?(final )?\w+[<\w>, ]* \w+|@Override|;\s*$|\bnew \w+\(",
    "kotlin": r"\bfun \w+\(|\bval \w+\b|\bdata class\b",
    "scala": r"\bdef \w+.*= |\bval \w+\b|\bobject \w+",
    "typescript": r"\b(const|let) \w+|=> |\bexport \b|\binterface \w+|===|\bawait\b",
    "javascript": r"\b(const|let|var) \w+|=> |\bfunction\b|===|\brequire\(|\bawait\b",
    "csharp": r"\b(public|private|internal) (async |static |sealed )*\w+[<\w>]* \w+|\busing \w+|\bvar \w+ =|;\s*$",
    "rust": r"\bfn \w+|\blet (mut )?\w+|::|\bimpl\b|&mut\b|\w!\(",
    "c": r"#include|->|::|;\s*$|\bstd::",
    "ruby": r"^\s*def \w+|\bend\b|\bdo \|",
    "php": r"\$\w+|->|<\?php|\bfunction\b",
    "sql": r"(?i)\b(select|insert into|alter table|create (unique )?index|create table|update \w+ set|drop)\b",
    "yaml": r"^\s*(- )?[\w.\"-]+:( |$)",
    "hcl": r"^\s*(resource|variable|module|locals|output|provider|data)\b.*\{|^\s*\w+\s+= ",
    "json": r"^\s*\"[^\"]+\"\s*:",
    "properties": r"^[\w.-]+\s*=",
    "toml": r"^\[[\w.-]+\]|^\w+ = ",
    "ini": r"^\[[\w.-]+\]|^\w+ ?= ",
    "dockerfile": r"^(FROM|RUN|ENV|COPY|ENTRYPOINT|CMD|EXPOSE|ARG) ",
    "xml": r"^\s*</?\w",
    "html": r"^\s*</?\w",
    "css": r"^\s*[\w-]+:.*;|^[.#]\w.*\{",
    "proto": r"^\s*(message|service|rpc|enum) \w+|= \d+;",
    "prose": r"^#+ |^[A-Z][a-z]+ .*[.]$",
}
_COMPILED = {name: re.compile(pattern, re.MULTILINE) for name, pattern in _MARKS.items()}


def guess_path(section: str, lines: Sequence[str], listed: Sequence[str]) -> str | None:
    """The listed file whose language fits the text best; product files before tests, lock files last."""
    if not listed:
        return None
    text = "\n".join([section, *lines[:80]])

    def fit(path: str) -> tuple[float, int]:
        pattern = _COMPILED.get(language_of(path).name)
        hits = len(pattern.findall(text)) if pattern else 0
        rank = {Role.PRODUCT: 0, Role.DEPENDENCIES: 0, Role.LOCKFILE: -2}.get(role_of(path), -1)
        return (min(hits, 5) + 0.5 * rank, -listed.index(path))

    return max(listed, key=fit)
