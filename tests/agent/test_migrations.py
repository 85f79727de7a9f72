from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from agent.database import open_database, reading, writing
from agent.errors import OperatorError
from agent.migrations import HEAD, KNOWN
from agent.store import Store
from agent.tables import metadata
from tests.agent.store_samples import Clock, draft, incident_in, plain, url_of


def test_the_known_revisions_are_the_files_that_ship() -> None:
    config = Config()
    config.set_main_option("script_location", "agent:migrations")
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    assert tuple(step.revision for step in reversed([*script.walk_revisions()])) == KNOWN
    assert script.get_heads() == [HEAD]


def test_an_empty_file_becomes_the_schema_of_the_code(tmp_path: Path) -> None:
    (tmp_path / "whydown.db").write_bytes(b"")
    engine = open_database(url_of(tmp_path))
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD
        names = [*metadata.tables, "alembic_version"]
        assert sorted(inspect(connection).get_table_names()) == sorted(names)
    engine.dispose()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    with Store.open(url_of(tmp_path), Clock()) as store:
        incident = incident_in(store)
        entries = store.append(incident, [draft()], None)
    before = (tmp_path / "whydown.db").read_bytes()
    for _ in range(2):
        with Store.open(url_of(tmp_path), Clock()) as store:
            assert store.timeline(incident) == entries
    assert (tmp_path / "whydown.db").read_bytes() == before


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """The tables come in one transaction: the last one is in the way here, and the first is not left behind."""
    connection = plain(tmp_path)
    connection.execute("CREATE TABLE actions (name TEXT)")
    with pytest.raises(OperatorError, match="already exists"):
        open_database(url_of(tmp_path))
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("actions",)]
    connection.close()


def test_every_step_can_be_taken_back(tmp_path: Path) -> None:
    engine = open_database(url_of(tmp_path))
    with writing(engine) as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "agent:migrations")
        config.set_main_option("path_separator", "os")
        command.downgrade(config, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        command.upgrade(config, "head")
    engine.dispose()
    with Store.open(url_of(tmp_path)) as store:
        assert store.incidents() == []
