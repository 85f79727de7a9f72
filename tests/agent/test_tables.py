from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from agent.tables import Microseconds, UtcTime, metadata
from tests.agent.store_samples import START
from tests.agent.values import DURATIONS, MOMENTS

SQLITE = sqlite.dialect()
POSTGRES = postgresql.dialect()


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_table_can_be_made_on_postgres(table: Table) -> None:
    made = str(CreateTable(table).compile(dialect=POSTGRES))
    assert "DATETIME" not in made
    assert made.count("TIMESTAMP WITH TIME ZONE") == sum(isinstance(column.type, UtcTime) for column in table.columns)
    for index in table.indexes:
        assert len(str(index.name)) <= 63
        assert str(CreateIndex(index).compile(dialect=POSTGRES)).startswith("CREATE INDEX ix_")


@given(MOMENTS)
def test_a_moment_comes_back_from_a_database_without_zones(moment: datetime) -> None:
    bound = UtcTime().process_bind_param(moment, SQLITE)
    assert bound is not None
    assert UtcTime().process_result_value(bound.replace(tzinfo=None), SQLITE) == moment


def test_a_moment_from_a_database_with_zones_is_turned_to_utc() -> None:
    local = START.astimezone(timezone(timedelta(hours=2)))
    found = UtcTime().process_result_value(local, POSTGRES)
    assert found is not None
    assert found.isoformat() == "2026-06-18T15:00:00+00:00"


def test_a_moment_without_a_zone_is_never_written() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        UtcTime().process_bind_param(START.replace(tzinfo=None), SQLITE)


@given(DURATIONS)
def test_a_duration_comes_back_to_the_microsecond(duration: timedelta) -> None:
    assert Microseconds().process_result_value(Microseconds().process_bind_param(duration, SQLITE), SQLITE) == duration


@pytest.mark.parametrize("column", [UtcTime(), Microseconds()])
def test_nothing_stays_nothing(column: UtcTime | Microseconds) -> None:
    assert column.process_bind_param(None, SQLITE) is None
    assert column.process_result_value(None, SQLITE) is None
