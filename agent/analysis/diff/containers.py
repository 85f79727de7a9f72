"""Something that lives as long as the process and only grows: a container made empty outside of functions, filled inside."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.values import Place, edit
from agent.analysis.diff.view import CodeView
from agent.analysis.edits import Edit, EditKind

_MADE = re.compile(
    r"\b(?P<name>[A-Za-z_$][\w$]*)\s*(?::(?!=)[^=]+)?(?::=|=)\s*"
    r"(?:\{\}|\[\]|map\[.*\{\}|make\((?:map|\[\]).*\)"
    r"|(?:new\s+)?(?:[\w.]*(?:Map|Set|List|Array|Dictionary|Vec)\w*(?:::new|<.*>)?|dict|list|set|[\w.]*defaultdict)\(.*\))"
    r"\s*;?\s*$"
)
"""An empty map, set or list that is given a name, in the forms of the usual languages."""
_FILLS = r"append|add|put|set|push|push_back|setdefault|insert|offer|enqueue|computeIfAbsent|getOrPut|store|Store"
_EMPTIES = r"pop|popitem|clear|remove|delete|evict|discard|shift|splice|poll|removeIf|retain|drain|truncate|purge|prune"


def container_edits(view: CodeView) -> Iterator[Edit]:
    """CACHE_ADDED for each container that a diff makes and fills and never empties or measures."""
    for hunk in view.hunks:
        for name in _made(hunk.after):
            sides = [other.after for other in view.hunks if other.path == hunk.path]
            if any(_is_bounded(name, side) for side in sides):
                continue
            filled = next(((h, at) for h in view.hunks if h.path == hunk.path for at in _filled(name, h)), None)
            if filled is not None:
                there, at = filled
                place = Place(there.path, there.language, there.after.scope(at), there.after.lines[at].text)
                yield edit(EditKind.CACHE_ADDED, place, name, None, name)


def _made(side: Side) -> Iterator[str]:
    for index, line in side.changed_lines():
        match = _MADE.search(line.stripped)
        if match and side.definition_at(index, functions_only=True) is None:
            yield match["name"]


def _filled(name: str, hunk: Hunk) -> Iterator[int]:
    fills = re.compile(
        rf"\b{re.escape(name)}\s*\[[^\]]+\]\s*=(?!=)|\b{re.escape(name)}\s*\[.+\]\s*=(?!=)"
        rf"|\b{re.escape(name)}\.(?:{_FILLS})\(|\b{re.escape(name)}\s*=\s*append\({re.escape(name)}\b"
    )
    for index, line in hunk.after.changed_lines():
        if fills.search(line.stripped) and hunk.after.definition_at(index, functions_only=True) is not None:
            yield index


def _is_bounded(name: str, side: Side) -> bool:
    """Something is taken out of it, or its size is looked at."""
    bounds = re.compile(
        rf"\b{re.escape(name)}\.(?:{_EMPTIES}|size|length|len)\b|\bdel\s+{re.escape(name)}\b"
        rf"|\b(?:delete|len|clear)\(\s*{re.escape(name)}\b"
    )
    return any(bounds.search(line.stripped) for line in side.lines)
