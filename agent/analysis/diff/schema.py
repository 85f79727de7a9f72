"""Changes of a database's schema and data: statements of migrations, and their spelling in migration frameworks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.languages import Family
from agent.analysis.diff.values import Place, edit
from agent.analysis.edits import Edit, EditKind

_STATEMENTS = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"create\s+unique\s+index\s+concurrently", "CREATE UNIQUE INDEX CONCURRENTLY"),
        (r"create\s+unique\s+index", "CREATE UNIQUE INDEX"),
        (r"create\s+(\w+\s+)?index\s+concurrently", "CREATE INDEX CONCURRENTLY"),
        (r"create\s+(\w+\s+)?index", "CREATE INDEX"),
        (r"drop\s+index\s+concurrently", "DROP INDEX CONCURRENTLY"),
        (r"drop\s+index", "DROP INDEX"),
        (r"alter\s+table[\s\S]+?\bdrop\s+(index|key)\b", "DROP INDEX"),
        (r"alter\s+table[\s\S]+?\badd\s+(unique\s+)?(index|key)\b", "ADD INDEX"),
        (r"alter\s+table[\s\S]+?\bdrop\s+constraint", "DROP CONSTRAINT"),
        (r"alter\s+table[\s\S]+?\badd\s+(constraint|foreign|primary|unique|check)", "ADD CONSTRAINT"),
        (r"alter\s+table[\s\S]+?\bvalidate\s+constraint", "VALIDATE CONSTRAINT"),
        (r"alter\s+table[\s\S]+?\bset\s+not\s+null", "ALTER COLUMN SET NOT NULL"),
        (r"alter\s+table[\s\S]+?\bdrop\s+not\s+null", "ALTER COLUMN DROP NOT NULL"),
        (r"alter\s+table[\s\S]+?\balter\s+[\s\S]*?\btype\b", "ALTER COLUMN TYPE"),
        (r"alter\s+table[\s\S]+?\b(modify|change)\b", "ALTER COLUMN TYPE"),
        (r"alter\s+table[\s\S]+?\brename\b", "RENAME"),
        (r"alter\s+table[\s\S]+?\bdrop\s+(column|partition)\b", "DROP COLUMN"),
        (r"alter\s+table\s+\S+\s+drop\s+(?!constraint|not|default)\w", "DROP COLUMN"),
        (r"alter\s+table[\s\S]+?\badd\b", "ADD COLUMN"),
        (r"alter\s+table", "ALTER TABLE"),
        (r"alter\s+type[\s\S]+?\badd\s+value", "ALTER TYPE ADD VALUE"),
        (r"alter\s+(\w+)", "ALTER"),
        (r"drop\s+(materialized\s+)?view", "DROP VIEW"),
        (r"drop\s+table", "DROP TABLE"),
        (r"drop\s+(\w+)", "DROP"),
        (r"truncate", "TRUNCATE"),
        (r"lock\s+tables?", "LOCK TABLE"),
        (r"create\s+((global|local|temp|temporary|unlogged)\s+)*table", "CREATE TABLE"),
        (r"create\s+(or\s+replace\s+)?(materialized\s+)?view", "CREATE VIEW"),
        (r"create\s+(or\s+replace\s+)?(trigger|function|procedure)", "CREATE TRIGGER"),
        (r"create\s+(\w+)", "CREATE"),
        (r"update\b", "UPDATE"),
        (r"delete\s+from", "DELETE"),
        (r"insert\s+into", "INSERT"),
        (r"(vacuum\s+full|cluster|reindex|optimize\s+table)", "REWRITE TABLE"),
        (r"(vacuum|analyze)", "ANALYZE"),
        (r"set\s+(session\s+|local\s+|global\s+)?\w+", "SET"),
        (r"(grant|revoke)\b", "GRANT"),
        (r"(do\s+\$|call\s|select\s|with\s)", "SELECT"),
    )
)
_TABLE = re.compile(
    r"\b(?:table|on|update|into|from|index|view|type)\s+(?:only\s+|concurrently\s+|if\s+(?:not\s+)?exists\s+)*"
    r"[\"`\[]?([A-Za-z_][\w.]*)",
    re.IGNORECASE,
)
_INDEXED = re.compile(r"\bindex\b[\s\S]*?\bon\s+(?:only\s+)?[\"`\[]?([A-Za-z_][\w.]*)", re.IGNORECASE)
_MIGRATION = re.compile(
    r"(^|/)(migrat\w*|alembic|flyway|liquibase|changelogs?|changesets?|versions|db/(migrate|schema)|schema|ddl)(/|\b)",
    re.IGNORECASE,
)
_FRAMEWORKS = {
    "CREATE INDEX": "add_index create_index AddIndex createIndex",
    "DROP INDEX": "remove_index drop_index RemoveIndex dropIndex",
    "ADD COLUMN": "add_column addColumn AddField add_reference",
    "DROP COLUMN": "remove_column remove_columns drop_column RemoveField dropColumn removeColumn",
    "ALTER COLUMN TYPE": "change_column alter_column AlterField changeColumn alterColumn",
    "ALTER COLUMN SET NOT NULL": "change_column_null",
    "RENAME": "rename_column RenameField renameColumn rename_table RenameModel renameTable",
    "DROP TABLE": "drop_table dropTable DeleteModel dropIfExists",
    "CREATE TABLE": "create_table createTable CreateModel",
    "ADD CONSTRAINT": "add_foreign_key create_foreign_key AddConstraint add_check_constraint create_unique_constraint "
    "addForeignKey create_check_constraint",
    "DROP CONSTRAINT": "drop_constraint RemoveConstraint",
    "UPDATE": "RunSQL RunPython update_all",
    "ALTER TABLE": "batch_alter_table",
}
_IN_CODE = {word.lower(): statement for statement, words in _FRAMEWORKS.items() for word in words.split()}
"""Calls of Rails, Django, Alembic, Knex and Sequelize migrations -> the statement they stand for."""


def is_migration(path: str) -> bool:
    """Whether a file changes a schema rather than asks a database."""
    return bool(_MIGRATION.search(path)) or bool(re.search(r"(^|/)[VU]?\d+[\w.-]*\.sql$|\.(up|down)\.sql$", path))


def schema_edits(hunk: Hunk) -> Iterator[Edit]:
    """SCHEMA per statement that was added, changed or taken away; plain queries of other SQL files as QUERY_*."""
    if hunk.language.family is Family.SQL:
        yield from _sql(hunk)
    elif hunk.language.family is Family.CODE and is_migration(hunk.path):
        yield from _framework(hunk)


def _sql(hunk: Hunk) -> Iterator[Edit]:
    old, new = _statements(hunk.before), _statements(hunk.after)
    kept = {_squeezed(s) for s, _, _ in old} & {_squeezed(s) for s, _, _ in new}
    gone = [s for s in old if _squeezed(s[0]) not in kept and s[2]]
    came = [s for s in new if _squeezed(s[0]) not in kept and s[2]]
    for text, line, _ in came:
        name = statement_name(text)
        before = next((s for s in gone if _table(s[0]) == _table(text) or statement_name(s[0]) == name), None)
        if before:
            gone.remove(before)
        yield _edit(hunk, hunk.after, name, before[0] if before else None, text, line)
    for text, line, _ in gone:
        yield _edit(hunk, hunk.before, statement_name(text), text, None, line)


def _squeezed(statement: str) -> str:
    """A statement without the white space that formatters move about."""
    return re.sub(r"\s*([(),=<>;+*/-])\s*", r"\1", statement)


def _edit(hunk: Hunk, side: Side, name: str, before: str | None, after: str | None, line: int) -> Edit:
    text = after or before or ""
    table = _table(text)
    if name == "SELECT" and not is_migration(hunk.path):
        kind = (
            EditKind.QUERY_CHANGED if before and after else (EditKind.QUERY_ADDED if after else EditKind.QUERY_REMOVED)
        )
        return edit(kind, Place(hunk.path, hunk.language, side.scope(line), text), table, before, after)
    return edit(EditKind.SCHEMA, Place(hunk.path, hunk.language, table, text), name, before, after)


def statement_name(text: str) -> str:
    """`CREATE INDEX CONCURRENTLY`, `DROP COLUMN` and so on; the first words of what is not known."""
    plain = text.strip()
    for pattern, name in _STATEMENTS:
        if pattern.match(plain):
            return name
    return " ".join(plain.split()[:2]).upper()[:40]


def _table(text: str) -> str:
    match = (_INDEXED.search(text) if re.match(r"create\b", text.strip(), re.IGNORECASE) else None) or _TABLE.search(
        text
    )
    return match[1] if match else ""


def _statements(side: Side) -> list[tuple[str, int, bool]]:
    """(text, first line, changed) of each statement; one that the hunk shows in part is taken as it stands."""
    found: list[tuple[str, int, bool]] = []
    lines: list[int] = []
    for index, line in enumerate(side.lines):
        if not line.tokens:
            continue
        if lines and _begins(line.stripped) and _complete(side, lines):
            found.append(_statement(side, lines))
            lines = []
        lines.append(index)
        if line.tokens[-1].text == ";":
            found.append(_statement(side, lines))
            lines = []
    if lines:
        found.append(_statement(side, lines))
    return found


def _begins(text: str) -> bool:
    return bool(
        re.match(
            r"(create|alter|drop|insert|update|delete|select|set|lock|truncate|grant|begin|commit)\b",
            text,
            re.IGNORECASE,
        )
    )


def _complete(side: Side, lines: Sequence[int]) -> bool:
    """A statement begins on a new line without a semicolon before it only at the margin."""
    return (
        side.lines[lines[-1]].indent == 0
        and len(lines) > 0
        and side.lines[lines[0]].indent == 0
        and not side.lines[lines[-1]].stripped.endswith(",")
    )


def _statement(side: Side, lines: Sequence[int]) -> tuple[str, int, bool]:
    text = " ".join(side.source(side.lines[i].tokens[0], side.lines[i].tokens[-1]) for i in lines)
    return text.rstrip("; "), lines[0], any(side.lines[i].changed for i in lines)


def _framework(hunk: Hunk) -> Iterator[Edit]:
    for side, added in ((hunk.before, False), (hunk.after, True)):
        for call in side.calls:
            name = _IN_CODE.get(call.last.lower())
            line = side.lines[call.line]
            if not name or not line.changed:
                continue
            end = side.tokens[call.close].line if call.close >= 0 else call.line
            text = " ".join(side.lines[i].stripped for i in range(call.line, end + 1))
            if "concurrently" in text.lower() and name.endswith("INDEX"):
                name += " CONCURRENTLY"
            if name == "ALTER COLUMN TYPE" and "nullable=False" in text:
                name = "ALTER COLUMN SET NOT NULL"
            table = next((t.string for t in side.tokens[call.open + 1 :][:6] if t.kind == "string"), "")
            place = Place(hunk.path, hunk.language, table, f"{name}: {text}")
            yield edit(EditKind.SCHEMA, place, name, None if added else text, text if added else None)
