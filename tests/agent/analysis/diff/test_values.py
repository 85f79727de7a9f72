"""What a changed value means, and which versions moved how far."""

from __future__ import annotations

import pytest

from agent.analysis.diff.comparing import differing_figures, same_value
from agent.analysis.diff.dependencies import bump, runs_in_production
from agent.analysis.diff.schema import is_migration, statement_name
from agent.analysis.diff.values import is_reference, is_sentence, is_version, kind_of_value
from agent.analysis.edits import EditKind
from tests.agent.analysis.diff.named_languages import named


@pytest.mark.parametrize(
    ("name", "before", "after", "expected"),
    [
        ("pool.size", "5", "6", EditKind.VALUE),
        ("log.level", "info", "debug", EditKind.VALUE),
        ("feature.on", "false", "true", EditKind.VALUE),
        ("db.host", "a.internal", "b.internal", EditKind.REFERENCE_CHANGED),
        ("server.port", "8080", "8081", EditKind.REFERENCE_CHANGED),
        ("image", "x/y:1.2", "x/y:1.3", EditKind.REFERENCE_CHANGED),
        ("remoteRef.key", "a/b", "c/d", EditKind.REFERENCE_CHANGED),
        ("spec.selector.app", "a", "b", EditKind.REFERENCE_CHANGED),
        ("rule.query", "sum(a)", "sum(b)", EditKind.REFERENCE_CHANGED),
        ("consumer.queue", "a-b", "a_b", EditKind.KEY_CHANGED),
        ("cache.key_prefix", "v1", "v2", EditKind.KEY_CHANGED),
        ("page.title", "Your open orders", "All your orders", EditKind.TEXT),
    ],
)
def test_kinds_of_settings(name: str, before: str, after: str, expected: EditKind) -> None:
    assert kind_of_value(name, before, after, named("yaml")) is expected


def test_kinds_in_code() -> None:
    assert kind_of_value("ErrNotFound", '"resouce not found"', '"resource not found"', named("go")) is EditKind.TEXT
    assert kind_of_value("fmt.Errorf", '"a: %v"', '"a: %w"', named("go")) is EditKind.TEXT
    assert kind_of_value("MinVersion", "tls.VersionTLS12", "tls.VersionTLS13", named("go")) is EditKind.VALUE
    assert kind_of_value("base", '"https://a"', '"https://b"', named("go")) is EditKind.REFERENCE_CHANGED


def test_looks_of_texts() -> None:
    assert is_sentence("No rooms left for these dates.")
    assert not is_sentence("https://a.b/c d")
    assert is_reference("s3://bucket/x")
    assert is_reference("db-1.internal:5432")
    assert not is_reference("5432")
    assert is_version("^4.17.21")
    assert not is_version("4 apples")


def test_figures_inside_of_texts() -> None:
    assert differing_figures("-Xmx2g -Dp=5", "-Xmx1g -Dp=5") == [("Xmx", "2g", "1g")]
    assert differing_figures("a=1 b=2", "a=1 c=2") == []
    assert differing_figures("same", "same") == []


def test_the_same_value_in_another_spelling() -> None:
    assert same_value("15m", "900s", "ttl")
    assert same_value("[1,2]", "[1, 2]", "")
    assert not same_value("15m", "15s", "ttl")
    assert not same_value("a", "b", "")


@pytest.mark.parametrize(
    ("before", "after", "size"),
    [
        ("1.2.3", "2.0.0", "major"),
        ("v1.2.3", "v1.3.0", "minor"),
        ("^1.2.3", "~1.2.4", "patch"),
        ("1.2", "1.2.1", "patch"),
        (None, "1", "added"),
        ("1", None, "removed"),
        ("1.2.3+a", "1.2.3+b", "patch"),
    ],
)
def test_bump(before: str | None, after: str | None, size: str) -> None:
    assert bump(before, after) == size


@pytest.mark.parametrize(
    ("package", "runs"),
    [
        ("eslint-plugin-react", False),
        ("@types/node", False),
        ("langchain", True),
        ("github.com/stretchr/testify", False),
        ("pgx", True),
        ("knox", True),
    ],
)
def test_what_runs_in_production(package: str, runs: bool) -> None:
    assert runs_in_production(package) is runs


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX CONCURRENTLY"),
        ("create unique index i on t (a)", "CREATE UNIQUE INDEX"),
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL", "ALTER COLUMN SET NOT NULL"),
        ("ALTER TABLE t ALTER COLUMN a TYPE bigint", "ALTER COLUMN TYPE"),
        ("ALTER TABLE t MODIFY a bigint", "ALTER COLUMN TYPE"),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", "ADD CONSTRAINT"),
        ("ALTER TABLE t ADD COLUMN a int", "ADD COLUMN"),
        ("ALTER TABLE t DROP COLUMN a", "DROP COLUMN"),
        ("ALTER TABLE t DROP INDEX i", "DROP INDEX"),
        ("LOCK TABLE t", "LOCK TABLE"),
        ("UPDATE t SET a = 1", "UPDATE"),
        ("FROBNICATE the table", "FROBNICATE THE"),
    ],
)
def test_statements(statement: str, name: str) -> None:
    assert statement_name(statement) == name


def test_migrations() -> None:
    assert is_migration("db/migrations/1.sql")
    assert is_migration("V12__x.sql")
    assert not is_migration("store/queries.sql")
