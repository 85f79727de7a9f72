"""Named values in configuration files of all kinds, each under the full path that the hunk shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from agent.analysis.diff.bindings import Binding
from agent.analysis.diff.definitions import definition_of
from agent.analysis.diff.hunks import Side

_KEY = r"""(?:"[^"\n]{1,120}"|'[^'\n]{1,120}'|[\w$@.<~*/-][\w$@./ \[\]*<~-]{0,120}?)"""
_YAML = re.compile(rf"(?P<dashes>(?:- +)*)(?P<key>{_KEY}|\?)\s*:(?:\s+(?P<value>.*))?$")
_EQUALS = re.compile(rf"(?:export\s+|set\s+|local\s+)?(?P<key>{_KEY})\s*(?:=|\+=|:=)\s*(?P<value>.*)$")
_COLON = re.compile(rf"(?P<key>{_KEY})\s*:\s*(?P<value>.*)$")
_SPACED = re.compile(r"(?P<key>[A-Za-z][\w.-]*(?: [a-z-]+)?)\s+(?P<value>[^={].*)$")
_DOCKER = re.compile(r"(?P<key>[A-Z]{3,})\s+(?P<value>.*)$")
_PAIR = re.compile(r"""([\w.-]+)=("[^"]*"|'[^']*'|\S+)""")
_TAG = re.compile(
    r"<(?P<tag>[\w:.-]+)(?P<attributes>(?:\s+[\w:.-]+=(?:\"[^\"]*\"|'[^']*'))*)\s*/?>(?:(?P<text>[^<>]*)</(?P=tag)>)?"
)
_ATTRIBUTE = re.compile(r"([\w:.-]+)=(?:\"([^\"]*)\"|'([^']*)')")
_CRON = re.compile(r"(?P<value>(?:@\w+|(?:[\d*/,A-Za-z-]+\s+){4}[\d*/,A-Za-z-]+))\s+(?P<command>.*)$")
_FLAG = re.compile(r"(--?[A-Za-z][\w.:-]*)(?:[= ](.*))?$")
_NAMING = frozenset({"name", "key", "id", "parameter_name", "variable", "apply_method"})
_VALUES = frozenset({"value", "default", "val"})


def read_settings(side: Side) -> tuple[Binding, ...]:
    """Every setting and list item of one side of a hunk, in order, named by its path."""
    name = side.language.name
    if name in {"yaml", "json"} or (name == "conf" and _is_yaml(side)):
        found = list(_nested(side))
    elif name in {"xml", "html"}:
        found = list(_markup(side))
    elif name == "dockerfile":
        found = list(_dockerfile(side))
    elif name == "cron":
        found = list(_crontab(side))
    else:
        found = list(_assignments(side))
    return tuple(_named_values(found))


def _is_yaml(side: Side) -> bool:
    """MongoDB, Elasticsearch and others write YAML into `.conf`."""
    lines = [line.stripped for line in side.lines if line.tokens]
    return sum(bool(re.match(r"[\w.-]+:(\s|$)", text)) for text in lines) * 2 > len(lines)


def _code(side: Side, index: int) -> str:
    """A line without its comment and without the comma or semicolon at its end."""
    tokens = side.lines[index].tokens
    return side.source(tokens[0], tokens[-1]) if tokens else ""


def unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _nested(side: Side) -> Iterator[Binding]:
    """YAML and JSON: the path is the stack of keys by indentation; a dash counts as indentation."""
    root = _root(side)
    stack: list[tuple[int, str]] = []
    elements: list[tuple[int, int]] = []
    found: list[tuple[Binding, tuple[int, ...]]] = []
    for index, line in enumerate(side.lines):
        text = _code(side, index).rstrip(",")
        if not text or text in {"---", "{", "}", "[", "]", "},", "],"}:
            continue
        dashes = re.match(r"(?:- +)*", text)
        shift = len(dashes[0]) if dashes else 0
        indent = line.indent + shift
        while stack and stack[-1][0] >= indent:
            stack.pop()
        while elements and elements[-1][0] >= indent + (0 if shift else 1):
            elements.pop()
        if shift:
            elements.append((indent, index))
        parent = ".".join(([root] if root and line.indent else []) + [key for _, key in stack])
        inside = tuple(e for _, e in elements)
        opened, bindings = _entry(text, shift, parent, index, side.language.name)
        if opened:
            stack.append((indent, opened))
        found += ((b, inside) for b in bindings)
    yield from _identified(found)


def _root(side: Side) -> str:
    """The key that the hunk header quotes, unless the hunk shows it too."""
    if not re.match(r"[\w\"' .-]+(:|\s*\{)", side.section):
        return ""
    root = unquoted(re.split(r":|\s*\{", side.section, maxsplit=1)[0])
    shown = any(line.stripped.startswith((f"{root}:", f'"{root}":')) for line in side.lines)
    return "" if shown else root


def _entry(text: str, shift: int, parent: str, index: int, language: str) -> tuple[str, list[Binding]]:
    """What one line says: the key of a block it opens ("" when it opens none) and the values it holds."""
    match = _YAML.match(text) or (_COLON.match(text) if language == "json" else None)
    if match is None:
        return "", list(_item(text[shift:], parent, index))
    key = unquoted(match["key"])
    value = (match["value"] or "").strip().rstrip(",")
    if value in {"", "{", "["} or re.fullmatch(r"[|>][+-]?\d?|&\w+|\{\{-?[^}]*", value):
        return key, []
    return "", list(_scalar(key, value, parent, index))


def _identified(found: list[tuple[Binding, tuple[int, ...]]]) -> Iterator[Binding]:
    """Tell the elements of lists apart by what names them, so that swapped values do not cancel out."""
    labels: dict[int, list[str]] = {}
    for binding, inside in found:
        if (
            inside
            and binding.key in _NAMING | {"host", "subset", "port", "alias", "secretKey"}
            and binding.kind == "setting"
        ):
            labels.setdefault(inside[-1], []).append(binding.value)
    for binding, inside in found:
        identity = "/".join("+".join(labels.get(e, [])) for e in inside)
        own = binding.key in _NAMING
        yield binding if own or not identity.strip("/") else replace(binding, identity=identity)


def _scalar(key: str, value: str, parent: str, line: int) -> Iterator[Binding]:
    name = f"{parent}.{key}" if parent else key
    if value[:1] == "{" and value[-1:] == "}" and not value.startswith("{{"):
        inner = list(_flow(value[1:-1], name, line))
        if inner:
            yield from inner
            return
    yield Binding(name, unquoted(value), line, "setting", parent, plain=True)


def _flow(text: str, parent: str, line: int) -> Iterator[Binding]:
    """`cpu: 500m, limits: {memory: 1Gi}`: the inside of a mapping on one line."""
    for part in _split(text):
        match = re.match(r"\s*[\"']?([\w.$/-]+)[\"']?\s*[:=]\s*(.*)$", part)
        if match:
            yield from _scalar(match[1], match[2].strip(), parent, line)


def _split(text: str) -> list[str]:
    """Split at the commas that no bracket or quote encloses."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth += (character in "{[(") - (character in "}])")
        if character == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _item(text: str, parent: str, line: int) -> Iterator[Binding]:
    """One element of a list; a command-line flag is a setting of its own."""
    value = unquoted(text.strip().removeprefix("- ").rstrip(","))
    flag = _FLAG.match(value)
    if flag and flag[2] is not None:
        yield Binding(f"{parent}.{flag[1]}" if parent else flag[1], flag[2], line, "setting", parent, plain=True)
    elif value[:1] == "{" and value[-1:] == "}" and "{{" not in value:
        yield from _flow(value[1:-1], parent, line)
    elif value:
        yield Binding(parent, value, line, "item", parent, plain=True)


def _assignments(side: Side) -> Iterator[Binding]:
    """`key = value`, `key value;` and blocks: HCL, TOML, INI, properties, .env, nginx and the like."""
    section = _header(side)
    for index, line in enumerate(side.lines):
        text = _code(side, index).rstrip(";").strip()
        found = side.definitions.get(index)
        if found and found.kind == "section":
            section = found.name
            continue
        if not text or text in {"}", "{", "]", ")", "],", "},"} or text.endswith("{"):
            continue
        parent = _parents(side, index, section)
        match = _EQUALS.match(text) or (_COLON.match(text) if _takes_colon(side.language.name, text) else None)
        if match is None and side.language.name in {"conf", "ini"}:
            match = _SPACED.match(text)
        if match is None:
            if line.parent >= 0 or text.endswith(","):
                yield from _item(text, parent, index)
            continue
        value = match["value"].strip().rstrip(",")
        if value not in {"", "{", "[", "("}:
            yield from _scalar(unquoted(match["key"]), value, parent, index)


def _takes_colon(language: str, text: str) -> bool:
    return language == "properties" or (language in {"ini", "conf"} and bool(re.match(r"[\w.-]+:\s", text)))


def _header(side: Side) -> str:
    header = definition_of(side.section, side.language)
    if header:
        return header.name
    text = side.section.strip().rstrip("{=[ ").strip()
    return text if re.fullmatch(r"[\w.\"/ -]{1,80}", text) else ""


def _parents(side: Side, index: int, section: str) -> str:
    parts: list[str] = []
    for at in side.ancestors(index):
        found = side.definitions.get(at)
        text = side.lines[at].stripped
        if found:
            parts.insert(0, found.name)
        elif text.endswith(("{", "[", "(")):
            label = re.split(r"=|:?\s*[{(\[]+\s*$", text)[0].strip()
            parts.insert(0, re.sub(r'["\s]+', ".", label).strip("."))
    return ".".join([section, *parts] if section and (not parts or side.language.name != "hcl") else parts).strip(".")


def _dockerfile(side: Side) -> Iterator[Binding]:
    for index, _ in enumerate(side.lines):
        match = _DOCKER.match(_code(side, index))
        if match is None:
            continue
        key, value = match["key"], match["value"]
        pairs = _PAIR.findall(value)
        if key in {"ENV", "ARG", "LABEL"} and pairs:
            for name, given in pairs:
                yield Binding(name, unquoted(given), index, "setting", key, plain=True)
        elif key == "ENV" and " " in value:
            name, given = value.split(" ", 1)
            yield Binding(name, unquoted(given), index, "setting", key, plain=True)
        else:
            yield Binding(key, value, index, "item" if key in {"RUN", "COPY", "ADD"} else "setting", "", plain=True)


def _crontab(side: Side) -> Iterator[Binding]:
    for index, line in enumerate(side.lines):
        match = _CRON.match(line.stripped)
        if match and line.tokens:
            command = match["command"]
            yield Binding(
                "schedule", match["value"], index, "setting", command.split()[0] if command else "", plain=True
            )
            yield Binding("command", command, index, "setting", "schedule", plain=True)
        elif line.tokens:
            yield from (
                Binding(k, unquoted(v), index, "setting", plain=True) for k, v in _PAIR.findall(line.stripped)[:1]
            )


def _markup(side: Side) -> Iterator[Binding]:
    for index, line in enumerate(side.lines):
        parent = ".".join(_tags_above(side, index))
        for match in _TAG.finditer(line.stripped):
            tag, text = match["tag"], match["text"]
            given = {a: b or c for a, b, c in _ATTRIBUTE.findall(match["attributes"] or "")}
            label = given.get("name") or given.get("key") or given.get("id") or given.get("Include") or ""
            path = ".".join(p for p in (parent, tag, label) if p)
            for attribute, value in given.items():
                if attribute not in {"name", "key", "id"}:
                    named = path if attribute == "value" and label else f"{path}.{attribute}"
                    yield Binding(named, value, index, "setting", parent, plain=True)
                elif len(given) == 1 and not text:
                    yield Binding(f"{parent}.{tag}" if parent else tag, value, index, "item", parent, plain=True)
            if text and text.strip():
                yield Binding(path, text.strip(), index, "setting", parent, plain=True)


def _tags_above(side: Side, index: int) -> list[str]:
    tags: list[str] = []
    for at in side.ancestors(index):
        match = re.match(r"<([\w:.-]+)", side.lines[at].stripped)
        if match and not match[1].startswith("/"):
            tags.insert(0, match[1])
    return tags


def _named_values(found: list[Binding]) -> Iterator[Binding]:
    """`name: X` beside `value: Y` is the setting X (Terraform parameters, environment variables of a container)."""
    for position, binding in enumerate(found):
        label = _label(found, position) if binding.key.lower() in _VALUES and binding.kind == "setting" else ""
        if label:
            parent = binding.name.rsplit(".", 1)[0] if "." in binding.name else ""
            name = f"{parent}.{label}" if parent else label
            yield Binding(name, binding.value, binding.line, "setting", parent, plain=True)
        else:
            yield binding


def _label(found: list[Binding], position: int) -> str:
    """The nearest sibling that names; one before the value wins, because that is how people write it."""
    binding = found[position]
    for other in [*reversed(found[max(0, position - 3) : position]), *found[position + 1 : position + 3]]:
        if other.key.lower() in _NAMING and other.owner == binding.owner and abs(other.line - binding.line) < 6:
            return other.value
        if other.key.lower() in _VALUES:
            continue
    return ""
