"""What a line defines: a function, a type, a resource, a section. Works on one line, in any language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from agent.analysis.diff.languages import Family, Language

DefinitionKind = Literal["function", "type", "enum", "union", "resource", "section"]


@dataclass(frozen=True, slots=True)
class Definition:
    kind: DefinitionKind
    name: str
    owner: str = ""
    """The type a method belongs to, where the line says so (`func (s *Store) Get`, `void Store::get`)."""


_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|override|virtual|async|sealed|open|"
    r"inline|suspend|operator|readonly|synchronized|native|partial|extern|unsafe|const|constexpr|pub(?:\([\w: ]+\))?|"
    r"declare|local|external|actual|expect|infix|tailrec|implicit|lazy|case|mutating|nonisolated|"
    r"@\w+(?:\([^()]*\))?)\s+)*"
)
_TYPE = re.compile(
    _MODIFIERS + r"(?P<word>class|interface|struct|record(?:\s+(?:class|struct))?|trait|protocol|object|"
    r"companion object|data class|enum class|enum|annotation class|message|service|impl|module|mixin|extension|union|"
    r"input|type|oneof)\s+(?:<[^<>]*>\s*)?(?P<name>[A-Za-z_][\w.]*(?:::\w+)*)(?P<rest>.*)"
)
_GO_TYPE = re.compile(r"(?:type\s+)?(?P<name>[A-Za-z_]\w*)(?:\[[^\]]*\])?\s+(?P<word>struct|interface)\s*\{")
_TYPE_WORDS = {"enum": "enum", "enum class": "enum", "union": "union"}

_FUNCTIONS = (
    re.compile(r"func\s*\(\s*(?:\w+\s+)?\*?(?P<owner>\w+)(?:\[[^\]]*\])?\s*\)\s*(?P<name>\w+)"),
    re.compile(
        _MODIFIERS + r"(?:func|fn|fun|sub|defp?|function\*?|rpc|macro_rules!|proc)\s+(?:<[^<>]*>\s*)?"
        r"(?:self\.|(?P<owner>[A-Za-z_]\w*)[.:]{1,2})?(?P<name>[\w$]+[?!]?)"
    ),
    re.compile(
        _MODIFIERS + r"(?:const|let|var|val)\s+(?P<owner>)(?P<name>[\w$]+)\s*(?::[^=]+)?=\s*(?:async\s*)?"
        r"(?:function\b|\([^()]*\)\s*(?::[^=]+)?=>|[\w$]+\s*=>|useCallback\()"
    ),
    re.compile(
        r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE|TRIGGER|VIEW)\s+(?P<owner>)(?P<name>[\w.\"]+)",
        re.IGNORECASE,
    ),
)
_NOT_A_TYPE = (
    r"(?!(?:return|new|await|throw|else|yield|case|in|not|and|or|delete|typeof|echo|raise|defer|go|assert|import|"
    r"package|using)\b)"
)
_TYPED_FUNCTION = re.compile(
    _MODIFIERS + r"(?:<[^<>]*>\s*)?" + _NOT_A_TYPE + r"(?P<type>[A-Za-z_][\w.:]*(?:<[^=;()]*>)?[\[\]*&?\s]*)\s"
    r"[*&]*(?:(?P<owner>[A-Za-z_]\w*)::)?(?P<name>~?[A-Za-z_]\w*)\s*\("
    r"[^;=]*(?:\)\s*(?:const|noexcept|override|throws\s+[\w., ]+|where\b.*)?\s*(?:\{.*|=>.*|:.*)?|[^)]*)$"
)
_METHOD = re.compile(
    r"(?:(?:async|static|get|set|public|private|protected|override|readonly|constructor)\s+|\*\s*)*(?P<owner>)"
    r"(?!(?:if|for|while|switch|catch|function|return|with|do|else|try)\b)(?P<name>#?[A-Za-z_$][\w$]*)"
    r"\s*\([^()]*\)\s*(?::\s*[^={]+)?\{"
)
_RESOURCE = re.compile(
    r"(?P<word>resource|data|module|variable|output|provider|locals|terraform|moved|check)\s*"
    r"(?P<labels>(?:\"[^\"]*\"\s*)*)\{"
)
_SECTION = re.compile(r"\[+\s*(?P<name>[\w .:\"'/@-]+?)\s*\]+\s*$")
_TYPED = frozenset({"java", "csharp", "c", "groovy", "dart", "code"})
_METHODS = frozenset({"javascript", "typescript", "groovy"})


@lru_cache(maxsize=16384)
def definition_of(text: str, language: Language) -> Definition | None:
    """What `text` (one line) defines, or None."""
    line = text.strip()[:300]
    if not line:
        return None
    if language.name == "hcl":
        return _resource(line)
    if language.family is Family.SETTINGS:
        section = _SECTION.fullmatch(line) if language.name in {"toml", "ini", "conf"} else None
        return Definition("section", section["name"].strip("\"' ")) if section else None
    if language.family in {Family.MARKUP, Family.STYLESHEET, Family.PROSE, Family.DATA}:
        return None
    return _function(line, language) or _type(line, language)


def _resource(line: str) -> Definition | None:
    match = _RESOURCE.match(line)
    if not match:
        return None
    labels = re.findall(r'"([^"]*)"', match["labels"])
    return Definition("resource", ".".join(labels) or match["word"], match["word"])


def _type(line: str, language: Language) -> Definition | None:
    go = _GO_TYPE.match(line)
    if go:
        return Definition("type", go["name"])
    match = _TYPE.match(line)
    if not match or (
        match["rest"].lstrip().startswith(("(", ".")) and match["word"] in {"type", "input", "object", "module"}
    ):
        return None
    word, rest = " ".join(match["word"].split()), match["rest"].lstrip()
    if word in {"type", "input", "message", "service", "module", "union", "extension", "oneof"} and not _starts_body(
        rest, language
    ):
        return None
    if rest.startswith("=") or (word == "union" and "=" in rest):
        return Definition("union", match["name"])
    return Definition("enum" if word in _TYPE_WORDS and word != "union" else "type", match["name"])


def _starts_body(rest: str, language: Language) -> bool:
    if language.name == "ruby":
        return True
    return (
        rest.startswith(("{", "=", "<", "implements", "extends", "for", ":", "@", "struct", "interface")) or rest == ""
    )


def _function(line: str, language: Language) -> Definition | None:
    for pattern in _FUNCTIONS:
        match = pattern.match(line)
        if match:
            return Definition("function", match["name"], match["owner"] or "")
    if language.name in _TYPED:
        match = _TYPED_FUNCTION.match(line)
        if match and _looks_declared(line, match):
            return Definition("function", match["name"], match["owner"] or "")
    if language.name in _METHODS:
        match = _METHOD.match(line)
        if match:
            return Definition("function", match["name"])
    return None


def _looks_declared(line: str, match: re.Match[str]) -> bool:
    """A declaration rather than a call or a variable: `int count(` but not `x = count(`, `else run(`."""
    return (
        match["type"].split()[-1:] not in (["record"], ["class"], ["interface"], ["enum"], ["struct"])
        and match["type"].strip() not in {"", "if", "while", "for", "switch", "catch", "else", "do"}
        and "=" not in line[: match.start("name")]
    )


def section_name(section: str, language: Language) -> str:
    """The name of the function, type, resource or key that a hunk header quotes; the text itself when it is short."""
    found = definition_of(section, language)
    if found:
        return found.name
    text = section.strip().strip("{([:,;").strip().strip("\"'[]")
    allowed = r"[\w.$:~-]{1,80}" if language.family is Family.CODE else r"[\w.\-/ :@]{1,80}"
    return text if re.fullmatch(allowed, text) else ""
