"""Members of types, enums, unions, messages and records that appeared, went, were renamed or got another type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.analysis.diff.definitions import Definition
from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.quantities import words_of
from agent.analysis.diff.values import Place, edit
from agent.analysis.edits import Edit, EditKind


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    type: str
    line: int
    enum: bool = False
    owner: str = ""
    number: str = ""
    """Field number of a message: its name on the wire."""
    label: str = ""
    """Name in serialised form (`json:"x"`, `@JsonProperty("x")`)."""


_MODIFIERS = (
    r"(?:(?:public|private|protected|internal|static|final|readonly|volatile|transient|required|val|var|let|"
    r"pub(?:\(\w+\))?|const|lateinit|override|virtual|optional|repeated|@\w+(?:\([^()]*\))?)\s+)*"
)
_TYPED = re.compile(
    _MODIFIERS + r"(?P<type>[A-Za-z_][\w.]*(?:<[^=;]*>)?(?:\[\])*\??)\s+(?P<name>[A-Za-z_]\w*)\s*"
    r"(?:=\s*(?P<number>[^;{]*))?(?:;|\{\s*(?:get|set|init)|$)"
)
_COLON = re.compile(
    _MODIFIERS + r"[\"']?(?P<name>[A-Za-z_$][\w$]*)[\"']?\??(?:\([^()]*\))?\s*:\s*"
    r"(?P<type>[A-Za-z_\"'\[{(&*][^=;]*?)\s*(?:=.*)?[,;]?$"
)
_GO = re.compile(
    r"(?P<name>[A-Za-z_]\w*)\s+(?P<type>[\[\]*\w.{}()<-]+(?:\s*(?:struct|interface)\{\})?)\s*(?:`(?P<tag>[^`]*)`)?$"
)
_PROTO = re.compile(
    r"(?:(?:optional|repeated|required)\s+)?(?P<type>[\w.]+(?:<[^>]*>)?)\s+(?P<name>\w+)\s*=\s*(?P<number>\d+)"
)
_PROTO_ENUM = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)\s*=\s*(?P<number>-?\d+)")
_PARAMETERS = re.compile(r"\b(?:record|data class|case class|class)\s+\w+(?:<[^>]*>)?\s*\((?P<inner>.*)\)")
_ENUM_ITEM = re.compile(
    r"(?:@\w+(?:\([^()]*\))?\s*)*(?:case\s+)?(?P<name>[A-Za-z_]\w*)\s*(?:\([^()]*\)|=\s*[^,]+|\{[^{}]*\})?$"
)
_LABEL = re.compile(
    r"(?:json|bson|yaml|xml|db|form):\"([^\",]*)|rename\s*=\s*\"([^\"]+)\"|"
    r"@(?:JsonProperty|SerializedName|Column|Field)\(\s*(?:(?:value|name)\s*=\s*)?\"([^\"]+)\""
)
_COLON_TYPES = frozenset({"typescript", "javascript", "kotlin", "scala", "rust", "swift", "python", "graphql", "php"})
_NOT_TYPES = frozenset(
    "return throw new await package import using else case goto delete yield raise from default in type".split()
)


def field_edits(hunk: Hunk) -> Iterator[Edit]:
    """FIELD_*, ENUM_VALUE_* and TYPE_CHANGED of one hunk."""
    old, new = members(hunk.before), members(hunk.after)
    gone = [m for m in old if not any(_same(m, n) for n in new)]
    came = [m for m in new if not any(_same(m, n) for n in old)]
    gone = [m for m in gone if hunk.before.lines[m.line].changed]
    came = [m for m in came if hunk.after.lines[m.line].changed]
    for a in list(gone):
        b = _counterpart(a, came, hunk)
        if b is None:
            continue
        gone.remove(a)
        came.remove(b)
        yield from _changed(a, b, hunk)
    for m in gone:
        kind = EditKind.ENUM_VALUE_REMOVED if m.enum else EditKind.FIELD_REMOVED
        yield edit(kind, _place(hunk, hunk.before, m), _full(m), m.type or m.name, None)
    for m in came:
        kind = EditKind.ENUM_VALUE_ADDED if m.enum else EditKind.FIELD_ADDED
        yield edit(kind, _place(hunk, hunk.after, m), _full(m), None, m.type or m.name)


def _same(a: Member, b: Member) -> bool:
    return (a.name, a.type, a.number, a.label, a.enum) == (b.name, b.type, b.number, b.label, b.enum)


def _full(m: Member) -> str:
    return f"{m.owner}.{m.name}" if m.owner else m.name


def _place(hunk: Hunk, side: Side, m: Member) -> Place:
    return Place(hunk.path, hunk.language, m.owner or side.scope(m.line), side.lines[m.line].text)


def _changed(a: Member, b: Member, hunk: Hunk) -> Iterator[Edit]:
    place = _place(hunk, hunk.after, b)
    if a.name != b.name:
        yield edit(EditKind.FIELD_RENAMED, place, _full(a), a.name, b.name)
    elif a.label != b.label:
        yield edit(EditKind.FIELD_RENAMED, place, _full(a), a.label or a.name, b.label or b.name)
    if a.type != b.type:
        yield edit(EditKind.TYPE_CHANGED, place, _full(b), a.type, b.type)
    elif a.number != b.number:
        yield edit(EditKind.TYPE_CHANGED, place, _full(b), f"{a.type} = {a.number}", f"{b.type} = {b.number}")


def _counterpart(a: Member, came: Sequence[Member], hunk: Hunk) -> Member | None:
    """What became of a member: its namesake, its successor under the same number, or its neighbour of the same type."""
    for fits in (
        lambda m: m.name == a.name,
        lambda m: bool(a.number) and m.number == a.number and not a.enum,
        lambda m: not a.enum and m.type == a.type != "" and _replaced(a, m, hunk),
        lambda m: a.enum and _replaced(a, m, hunk) and bool(set(words_of(a.name)) & set(words_of(m.name))),
    ):
        found = next((m for m in came if m.enum == a.enum and fits(m)), None)
        if found:
            return found
    return None


def _replaced(a: Member, m: Member, hunk: Hunk) -> bool:
    group = hunk.group_before.get(a.line)
    return group is not None and hunk.group_after.get(m.line) is group


def members(side: Side) -> tuple[Member, ...]:
    """The members that the lines of a side declare."""
    return tuple(m for index, line in enumerate(side.lines) if line.tokens for m in _members(side, index))


def _members(side: Side, index: int) -> Iterator[Member]:
    text = side.source(side.lines[index].tokens[0], side.lines[index].tokens[-1])
    own = side.definitions.get(index)
    if own is not None:
        yield from _in_header(text, index, own, side)
        return
    home = side.definition_at(index)
    language = side.language.name
    if home is None:
        if language in {"java", "csharp"} and not _in_function(side, index):
            yield from _typed(text, index, "")
        elif language in {"graphql", "proto"}:
            yield from _contract(text, index, "", language, enum=False)
        return
    if home.kind == "function":
        return
    if language in {"proto", "graphql"}:
        yield from _contract(text, index, home.name, language, enum=home.kind == "enum")
    elif home.kind == "enum" or (language == "python" and _is_python_enum(side, index)):
        yield from _enum_items(text, index, home.name)
    elif home.kind == "union":
        yield from _alternatives(text, index, home.name)
    elif home.kind == "type":
        yield from _in_type(text, index, home, language)


def _in_function(side: Side, index: int) -> bool:
    return side.definition_at(index, functions_only=True) is not None


def _in_header(text: str, index: int, own: Definition, side: Side) -> Iterator[Member]:
    parameters = _PARAMETERS.search(text)
    if parameters and own.kind == "type":
        for part in re.split(r",\s*(?![^<(]*[>)])", parameters["inner"]):
            colon = re.match(r"(?:(?:val|var|private|override)\s+)*(\w+)\s*:\s*(.+)", part.strip())
            typed = re.match(r"(?:@\w+(?:\([^()]*\))?\s+)*([\w.<>, ?\[\]]+?)\s+(\w+)$", part.strip())
            if colon:
                yield Member(colon[1], colon[2].strip(), index, owner=own.name)
            elif typed:
                yield Member(typed[2], typed[1], index, owner=own.name)
    elif own.kind == "union":
        yield from _alternatives(text.split("=", 1)[-1], index, own.name)
    elif own.kind == "enum" and "{" in text:
        yield from _enum_items(text.split("{", 1)[1].rstrip("};"), index, own.name)
    elif own.kind == "type" and "{" in text and side.language.name in {"java", "csharp", "typescript"}:
        for part in text.split("{", 1)[1].rstrip("}").split(";"):
            yield from _in_type(part.strip() + ";", index, own, side.language.name)


def _alternatives(text: str, line: int, owner: str) -> Iterator[Member]:
    for part in text.strip().lstrip("|").rstrip(";").split("|"):
        name = part.strip().strip("'\"`")
        if re.fullmatch(r"[\w.:/ -]{1,80}", name):
            yield Member(name, "", line, enum=True, owner=owner)


def _enum_items(text: str, line: int, owner: str) -> Iterator[Member]:
    for part in re.split(r",(?![^(]*\))", text.strip().rstrip(";,")):
        match = _ENUM_ITEM.match(part.strip())
        if match and match["name"] not in {"case", "def", "fn", "fun", "public", "private", "return", "pass"}:
            yield Member(match["name"], "", line, enum=True, owner=owner)


def _is_python_enum(side: Side, index: int) -> bool:
    heads = [side.lines[at].text for at in side.ancestors(index)] + [side.section]
    return any(
        re.search(r"class \w+\((?:\w+,\s*)*(?:\w+\.)?(?:Str|Int)?(?:Enum|Flag)\b|TextChoices|IntegerChoices", h)
        for h in heads
    )


def _contract(text: str, line: int, owner: str, language: str, *, enum: bool) -> Iterator[Member]:
    match = _PROTO_ENUM.match(text) if enum else _PROTO.match(text)
    if language == "proto":
        if match and match[1] not in {"option", "syntax", "package", "reserved"}:
            yield Member(match["name"], "" if enum else match["type"], line, enum, owner, match["number"])
        return
    if enum or re.fullmatch(r"[A-Z][A-Z0-9_]+", text):
        yield from _enum_items(text, line, owner)
    elif found := _COLON.match(text):
        yield Member(found["name"], found["type"].strip(), line, owner=owner)


def _in_type(text: str, line: int, home: Definition, language: str) -> Iterator[Member]:
    if language == "go":
        match = _GO.match(text)
        if match and match["name"] not in _NOT_TYPES:
            yield Member(match["name"], match["type"], line, owner=home.name, label=_label(match["tag"] or ""))
    elif language in _COLON_TYPES:
        match = _COLON.match(text)
        if match and match["name"] not in _NOT_TYPES and not text.startswith(("return", "case ", "default:")):
            yield Member(match["name"], match["type"].strip(), line, owner=home.name, label=_label(text))
    else:
        yield from _typed(text, line, home.name)


def _typed(text: str, line: int, owner: str) -> Iterator[Member]:
    match = _TYPED.match(text)
    if match and match["type"] not in _NOT_TYPES and match["type"] not in {"class", "interface", "enum", "void"}:
        yield Member(match["name"], match["type"], line, owner=owner, label=_label(text))


def _label(text: str) -> str:
    match = _LABEL.search(text)
    return next((g for g in match.groups() if g), "") if match else ""
