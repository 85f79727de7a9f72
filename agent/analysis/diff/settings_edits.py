"""What changed in a configuration file."""

from __future__ import annotations

from collections.abc import Iterator

from agent.analysis.diff.comparing import Changed, compare
from agent.analysis.diff.dependencies import dependency_edits
from agent.analysis.diff.hunks import Hunk
from agent.analysis.diff.languages import Role
from agent.analysis.diff.rules import removed_blocks, rule_edit
from agent.analysis.diff.settings import read_settings
from agent.analysis.diff.values import LINE, Place, edit, value_edits
from agent.analysis.edits import Edit, EditKind


def setting_edits(hunk: Hunk) -> Iterator[Edit]:
    """VALUE, REFERENCE_CHANGED, KEY_CHANGED, RULE_REMOVED, DEPENDENCY and their like of one hunk of settings."""
    told = list(_told(hunk))
    yield from told
    lines = {e.line for e in told}
    for group in hunk.groups:
        side, rows = (hunk.after, group.after) if group.after else (hunk.before, group.before)
        shown = [side.lines[i].stripped for i in rows if any(t.kind != "op" for t in side.lines[i].tokens)]
        silent = {hunk.before.lines[i].stripped[:LINE] for i in group.before} | {s[:LINE] for s in shown}
        if shown and not told and not silent & lines and hunk.role is Role.PRODUCT:
            place = Place(hunk.path, hunk.language, side.scope(rows[0]), shown[0])
            before = " ".join(hunk.before.lines[i].stripped for i in group.before[:3])[:LINE] or None
            after = " ".join(hunk.after.lines[i].stripped for i in group.after[:3])[:LINE] or None
            yield edit(EditKind.OTHER, place, side.scope(rows[0]), before, after)


def _told(hunk: Hunk) -> Iterator[Edit]:
    dependencies = list(dependency_edits(hunk))
    yield from dependencies
    versioned = {d.line for d in dependencies}
    gone = [(e, prefix) for e, prefix in removed_blocks(hunk)]
    yield from (e for e, _ in gone)
    for change in compare(read_settings(hunk.before), read_settings(hunk.after)):
        side = hunk.after if change.after else hunk.before
        line = side.lines[change.binding.line]
        if line.stripped[:200] in versioned or _covered(change, [p for _, p in gone]) or _is_version_line(hunk, change):
            continue
        place = Place(hunk.path, hunk.language, change.binding.owner, line.text)
        narrowed = rule_edit(change, place)
        if narrowed:
            yield narrowed
        elif change.binding.kind == "item" and change.binding.name in {"RUN", "COPY", "ADD"}:
            yield edit(EditKind.OTHER, place, change.binding.name, *_values(change))
        else:
            yield from value_edits(change, place)


def _values(change: Changed) -> tuple[str | None, str | None]:
    return (change.before.value if change.before else None), (change.after.value if change.after else None)


def _covered(change: Changed, prefixes: list[str]) -> bool:
    return change.after is None and any(change.binding.name.startswith(p) or p in change.binding.name for p in prefixes)


def _is_version_line(hunk: Hunk, change: Changed) -> bool:
    """In a list of packages the names and checksums beside the versions say nothing more."""
    return hunk.role is Role.LOCKFILE or (
        hunk.role is Role.DEPENDENCIES and hunk.language.name in {"gomod", "requirements"}
    )
