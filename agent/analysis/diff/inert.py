"""What cannot change how the system behaves. In doubt the answer is None: a wrong word here clears a guilty change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.analysis.diff.callee_words import ACCEPTED_IN_LOGS
from agent.analysis.diff.callees import Work
from agent.analysis.diff.calls import Call
from agent.analysis.diff.comparing import compare
from agent.analysis.diff.dependencies import dependency_edits, runs_in_production
from agent.analysis.diff.hunks import FileDiff, Hunk, Side
from agent.analysis.diff.imports import acts_on_import, is_import
from agent.analysis.diff.languages import Family, Role, role_of
from agent.analysis.diff.moves import only_moves
from agent.analysis.diff.renames import only_renames
from agent.analysis.diff.sameness import unchanged_meaning
from agent.analysis.diff.settings import read_settings
from agent.analysis.diff.view import Called
from agent.analysis.diff.wording import Statement, look_of, statements
from agent.analysis.edits import EditKind, Inert

_ROLES = {
    Role.TESTS: Inert.TESTS,
    Role.DOCUMENTATION: Inert.DOCUMENTATION,
    Role.STYLE: Inert.STYLE,
    Role.BUILD: Inert.BUILD,
}
_STRENGTH = (
    Inert.MOVED,
    Inert.RENAMED,
    Inert.REFORMATTED,
    Inert.LOGGING,
    Inert.STYLE,
    Inert.BUILD,
    Inert.TESTS,
    Inert.COMMENTS,
    Inert.DOCUMENTATION,
)
"""The nearer to behaviour, the stronger the word; a mixed diff takes the strongest."""

_DELIVERS = re.compile(
    r"kubectl|helm (upgrade|install)|terraform|tofu apply|argocd|docker push|npm publish|gcloud|\baws \w|\baz \w|"
    r"ansible|rollout|deploy|"
    r"--prod\b|production|\bsecrets?\.|pulumi|flyctl|heroku|migrat",
    re.IGNORECASE,
)
"""Words of a pipeline file that acts on a running system."""


def inert_reason(files: Sequence[FileDiff], listed: Sequence[str]) -> Inert | None:
    """Why nothing of this can change behaviour, or None; files that are listed but not shown count by their path."""
    shown = {f.path for f in files}
    reasons = [_ROLES.get(role_of(path)) for path in listed if path not in shown]
    if None in reasons:
        return None
    open_hunks: list[Hunk] = []
    for file in files:
        reason = _of_file(file)
        if reason is not None:
            reasons.append(reason)
        elif file.hunks and _may_move(file):
            open_hunks += file.hunks
        else:
            return None
    if open_hunks:
        moved = Inert.MOVED if only_moves(open_hunks) else (Inert.RENAMED if only_renames(open_hunks) else None)
        if moved is None:
            return None
        reasons.append(moved)
    return min((r for r in reasons if r), key=_STRENGTH.index, default=None)


def inert_by_paths(listed: Sequence[str]) -> Inert | None:
    """The same from the list of files alone."""
    return inert_reason((), listed) if listed else None


def _may_move(file: FileDiff) -> bool:
    return not file.binary and not file.old_path and not file.mode_changed and file.role is Role.PRODUCT


def _of_file(file: FileDiff) -> Inert | None:
    reason = _ROLES.get(file.role)
    if reason and file.old_path and role_of(file.old_path) is not file.role:
        return None
    if reason is Inert.STYLE and not _keeps_keys(file):
        return None
    if reason is Inert.BUILD and _delivers(file):
        return None
    if reason:
        return reason
    if file.binary or file.old_path or file.mode_changed:
        return None
    if file.role is Role.DEPENDENCIES:
        return unchanged_meaning(file) or (Inert.BUILD if _only_tools(file) else None)
    if file.role is Role.LOCKFILE or not file.path:
        return None
    return unchanged_meaning(file) or _logging(file) or _looks(file)


def _keeps_keys(file: FileDiff) -> bool:
    """Translations may gain and change texts; a text that is gone leaves a hole in a page."""
    if file.language.family is not Family.SETTINGS:
        return True
    changes = [c for h in file.hunks for c in compare(read_settings(h.before), read_settings(h.after))]
    return all(c.after is not None and not c.renamed for c in changes)


def _delivers(file: FileDiff) -> bool:
    return any(_DELIVERS.search(line.text) for h in file.hunks for side in h.sides for _, line in side.changed_lines())


def _only_tools(file: FileDiff) -> bool:
    """Every changed line moves the version of something that only tests, lints or formats."""
    found = [e for h in file.hunks for e in dependency_edits(h)]
    told = {e.line for e in found}
    changed = [line for h in file.hunks for side in h.sides for _, line in side.changed_lines()]
    moved = all(
        e.kind is EditKind.DEPENDENCY and e.before and e.after and not runs_in_production(e.name) for e in found
    )
    names = {e.name for e in found}
    return (
        bool(found)
        and moved
        and all(line.stripped[:200] in told or any(n in line.text for n in names) for line in changed)
    )


def _looks(file: FileDiff) -> Inert | None:
    """Class names, styles and words between tags, in code that carries markup and in pages."""
    if file.language.name not in {"typescript", "javascript", "html"}:
        return None
    for hunk in file.hunks:
        for group in hunk.groups:
            if len(group.before) != len(group.after):
                return None
            pairs = zip(group.before, group.after, strict=True)
            if any(look_of(hunk.before.lines[a].stripped, hunk.after.lines[b].stripped) is None for a, b in pairs):
                return None
    return Inert.STYLE if any(h.groups for h in file.hunks) else None


_LEVELS = {
    "trace": 0,
    "debug": 1,
    "verbose": 1,
    "info": 2,
    "notice": 2,
    "warn": 3,
    "warning": 3,
    "error": 4,
    "fatal": 5,
    "critical": 5,
}


def _logging(file: FileDiff) -> Inert | None:
    """Only log lines, metrics and trace attributes that compute nothing, repeat nothing and grow nothing."""
    if file.language.family is not Family.CODE or not any(h.groups for h in file.hunks):
        return None
    for hunk in file.hunks:
        old, new = statements(hunk.before, hunk), statements(hunk.after, hunk)
        if not _covered(hunk.before, old) or not _covered(hunk.after, new):
            return None
        gone = [s for s in old if _is_changed(s)]
        came = [s for s in new if _is_changed(s)]
        if not all(_harmless(s) for s in came) or not _quieter(gone, came) or _prints(gone + came):
            return None
    spoken = any(_is_changed(s) for h in file.hunks for side in h.sides for s in statements(side, h))
    return Inert.LOGGING if spoken else None


def _is_changed(statement: Statement) -> bool:
    return any(statement.called.side.lines[i].changed for i in statement.lines)


_TELEMETRY = re.compile(r"log|metric|trac|otel|telemetry|prometheus|statsd|sentry", re.IGNORECASE)
_REST = frozenset("if else { } ( ) ; ! not var const let val static private final self this = [ ] && ok".split())


def _covered(side: Side, found: Sequence[Statement]) -> bool:
    """Every changed line is part of such a statement, of a condition around it on the same line, or an import."""
    spans: dict[int, Statement] = {i: s for s in found for i in s.lines}
    for index, line in side.changed_lines():
        statement = spans.get(index)
        if statement is None:
            imports = is_import(line.text, side.language) and not acts_on_import(line.text)
            if not imports or not _TELEMETRY.search(line.text):
                return False
            continue
        call = statement.called.call
        start, end = side.tokens[call.start].start, side.tokens[call.close].start if call.close >= 0 else 10**9
        outside = [t for t in line.tokens if not start <= t.start <= end and index in statement.lines]
        inner = {i for s in found if index in s.lines for i in _token_range(s)}
        rest = [t for t in outside if t.start not in inner]
        names = [t.text for t in rest if t.text not in _REST]
        assigns = any(t.text == "=" for t in rest)
        if len(names) > (1 if not assigns else 2) or (assigns and not _names_telemetry(names, statement)):
            return False
    return True


def _token_range(statement: Statement) -> Iterator[int]:
    call, tokens = statement.called.call, statement.called.side.tokens
    end = call.close if call.close >= 0 else call.start
    return (t.start for t in tokens[call.start : end + 1])


def _names_telemetry(names: Sequence[str], statement: Statement) -> bool:
    return statement.called.work is Work.METRIC or all("log" in n.lower() for n in names)


def _harmless(statement: Statement) -> bool:
    """Not in a loop, no call in its arguments that works, no dereference deeper than one, no label without bound."""
    called = statement.called
    if called.in_loop or set(called.call.segments) & {
        "MustRegister",
        "Register",
        "WithLabelValues",
        "labels",
        "Panic",
        "Panicf",
        "Fatal",
        "Fatalf",
    }:
        return False
    inner = [c for c in called.side.calls_on(statement.lines) if called.call.open in c.inside]
    if not all(_cheap(c, called) for c in inner):
        return False
    tokens = called.side.tokens[
        called.call.open : called.call.close if called.call.close >= 0 else len(called.side.tokens)
    ]
    return not _dereferences_deeply([t.text for t in tokens]) and not any(
        t.text in {"=", "[", "await", "!!", "->", "*"}
        for t in tokens[1:]
        if (t.kind == "op" and t.text != "=") or t.text == "await"
    )


def _cheap(call: Call, around: Called) -> bool:
    work = Called(call, around.side, around.hunk).work
    return work in {Work.METRIC, Work.LOG} or call.last.lower() in ACCEPTED_IN_LOGS


def _dereferences_deeply(texts: Sequence[str]) -> bool:
    """`a.b.c`: one of them may be missing, and then the log line is what fails."""
    return any(texts[i] == "." and texts[i + 2 : i + 3] == ["."] for i in range(len(texts) - 2))


def _quieter(gone: Sequence[Statement], came: Sequence[Statement]) -> bool:
    """No level rises, and no more lines of level info and above than before."""
    old, new = sorted(_level(s) for s in gone if _is_log(s)), sorted(_level(s) for s in came if _is_log(s))
    loud_old, loud_new = [x for x in old if x >= 2], [x for x in new if x >= 2]
    return len(loud_new) <= len(loud_old)


def _is_log(statement: Statement) -> bool:
    return statement.called.work is Work.LOG


def _level(statement: Statement) -> int:
    """The level that the callee's name says; what only builds a logger says nothing."""
    name = statement.called.call.last.lower()
    if name in {"with", "withfields", "withfield", "bind", "child", "named", "str", "int", "bool", "err"}:
        return 0
    return next((n for word, n in _LEVELS.items() if word in name), 2)


def _prints(found: Sequence[Statement]) -> bool:
    """Output that may be the program's answer rather than its log."""
    return any(
        s.called.call.name
        in {"print", "puts", "echo", "println", "pp", "printf", "dump", "fmt.Println", "fmt.Printf", "fmt.Print"}
        for s in found
    )
