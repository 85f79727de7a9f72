"""Reads a diff into small facts: what kind of change it is, of what, from where to where.

Any text is accepted. What cannot be read as a diff gives a reading that rests on the list of files and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.analysis.diff.batches import batch_edits
from agent.analysis.diff.called import call_edits
from agent.analysis.diff.code_values import value_changes
from agent.analysis.diff.containers import container_edits
from agent.analysis.diff.dependencies import dependency_edits
from agent.analysis.diff.diff_text import DiffError, parse
from agent.analysis.diff.failures import failure_edits
from agent.analysis.diff.fields import field_edits
from agent.analysis.diff.guards import guard_edits
from agent.analysis.diff.held import held_edits
from agent.analysis.diff.hunks import MAX_READ, FileDiff, Hunk, analysed
from agent.analysis.diff.inert import inert_by_paths, inert_reason
from agent.analysis.diff.keys import key_edits
from agent.analysis.diff.languages import Family, Role
from agent.analysis.diff.queries import query_edits
from agent.analysis.diff.releases import release_edits
from agent.analysis.diff.remainder import launch_edits, nesting_edits, remaining_edits
from agent.analysis.diff.schema import schema_edits
from agent.analysis.diff.settings_edits import setting_edits
from agent.analysis.diff.view import CodeView
from agent.analysis.diff.vocabulary import vocabulary_of
from agent.analysis.diff.wording import plain_edits, wording_edits
from agent.analysis.edits import DiffReading, Edit, EditKind, Inert

MAX_EDITS = 2_000
"""Edits that a reading keeps; a diff with more is generated, and its first ones tell as much."""

_VIEWS = (
    value_changes,
    call_edits,
    guard_edits,
    failure_edits,
    release_edits,
    container_edits,
    held_edits,
    query_edits,
    batch_edits,
    key_edits,
    launch_edits,
    wording_edits,
)
_SILENT = frozenset({Inert.MOVED, Inert.RENAMED, Inert.REFORMATTED, Inert.COMMENTS})
"""Nothing but the form changed, so there is nothing to tell."""

_REACHING = frozenset({Role.PRODUCT, Role.DEPENDENCIES})


def read_diff(diff: str | None, files: Sequence[str]) -> DiffReading:
    """Read a diff, as well formed or as sloppy as people paste it, with the list of files it belongs to.

    Never raises. `problem` says what was not read; without a readable diff the reading rests on `files` alone.
    """
    if diff is None or not diff.strip():
        return DiffReading(inert=inert_by_paths(files))
    try:
        parsed, cut = parse(diff, files)
    except DiffError as error:
        return DiffReading(inert=inert_by_paths(files), problem=str(error))
    patches, skipped = analysed(parsed)
    inert = None if cut or skipped else inert_reason(patches, files)
    edits = () if inert in _SILENT else tuple(dict.fromkeys(_edits(patches)))
    problems = [cut] if cut else []
    if skipped:
        problems.append(f"{skipped} lines beyond the first {MAX_READ} were not analysed")
    if len(edits) > MAX_EDITS:
        problems.append(f"only the first {MAX_EDITS} of {len(edits)} facts were kept")
    words = vocabulary_of(_telling_hunks(patches))
    return DiffReading(
        edits=edits[:MAX_EDITS],
        inert=inert,
        identifiers=words.identifiers,
        literals=words.literals,
        numbers=words.numbers,
        functions=words.functions,
        problem="; ".join(problems) or None,
    )


def _telling_hunks(files: Sequence[FileDiff]) -> list[Hunk]:
    """The hunks of what reaches production; of a diff without any, all."""
    reaching = [h for f in files if f.role in _REACHING for h in f.hunks]
    return reaching or [h for f in files for h in f.hunks]


def _edits(files: Sequence[FileDiff]) -> Iterator[Edit]:
    code = [h for f in files if f.role in _REACHING and f.language.family is Family.CODE for h in f.hunks]
    view = CodeView(code)
    told: list[Edit] = [e for h in code for e in dependency_edits(h)]
    versions = {e.line for e in told}
    for reader in _VIEWS:
        told += (e for e in reader(view) if e.line not in versions)
    for hunk in code:
        told += [*schema_edits(hunk), *field_edits(hunk), *nesting_edits(hunk)]
    for hunk in code:
        told += remaining_edits(hunk, told)
    # A line of markup whose looks or words changed says nothing else.
    looks = {(e.path, e.line) for e in told if e.kind in {EditKind.STYLE, EditKind.TEXT} and not e.name}
    yield from (e for e in told if (e.path, e.line) not in looks or e.kind in {EditKind.STYLE, EditKind.TEXT})
    for file in files:
        yield from _file_edits(file)


def _file_edits(file: FileDiff) -> Iterator[Edit]:
    """The facts of a file that is no code of the product, and those of a file as a whole."""
    if file.role is Role.TESTS or (file.role is Role.LOCKFILE):
        return
    if file.old_path and file.role in _REACHING:
        yield Edit(
            kind=EditKind.REFERENCE_CHANGED, path=file.path, name=file.path, before=file.old_path, after=file.path
        )
    if file.binary and file.role in _REACHING:
        yield Edit(kind=EditKind.OTHER, path=file.path, name=file.path, after="binary file")
    for hunk in file.hunks:
        family = hunk.language.family
        if file.role in {Role.DOCUMENTATION, Role.STYLE} or family in {Family.PROSE, Family.STYLESHEET, Family.DATA}:
            yield from plain_edits(hunk)
        elif family is Family.SETTINGS or hunk.language.name == "xml":
            yield from setting_edits(hunk)
        elif family is Family.SQL:
            yield from schema_edits(hunk)
        elif family is Family.CONTRACT:
            yield from field_edits(hunk)
        elif family is Family.MARKUP:
            yield from plain_edits(hunk)
