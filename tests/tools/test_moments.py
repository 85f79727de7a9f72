from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from tools.moments import NOT_A_TIME, iso, read_moment, read_moments

NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw",
    [
        "2024-01-31T12:00:00Z",
        "2024-01-31T12:00:00+00:00",
        "2024-01-31T14:00:00+02:00",
        "2024-01-31 14:00:00 +0200",
        "2024-01-31T06:30:00-0530",
        "2024-01-31T12:00Z",
        "2024-01-31 12:00:00 UTC",
        " 2024-01-31t12:00:00z ",
        "2024-01-31 12:00:00",
        "2024-01-31 12:00:00,000",
        "2024-01-31T12:00:00.000000000Z",
        1706702400,
        1706702400.0,
        "1706702400",
        1706702400_000,
        1706702400_000_000,
        1706702400_000_000_000,
        "1706702400000000000",
    ],
)
def test_one_moment_in_many_spellings(raw: object) -> None:
    assert read_moment(raw) == NOON


@pytest.mark.parametrize(
    "raw",
    [
        "now",
        "today",
        "",
        "tomorrow",
        "20240131",
        20240131,
        5,
        -1706702400,
        None,
        True,
        float("nan"),
        float("inf"),
        1e300,
        10**30,
        "2024-02-30T00:00:00Z",
        "2024-01-31T25:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "٢٠٢٤-٠١-٣١T12:00:00Z",
        {},
    ],
)
def test_what_is_no_moment(raw: object) -> None:
    assert read_moment(raw) is None


def test_a_time_without_a_zone_is_utc_and_said_to_be() -> None:
    found = read_moments(["2024-01-31T12:00:00", "2024-01-31T12:00:00Z", "2024-01-31", "nonsense"])
    assert found.naive.tolist() == [True, False, True, False]
    assert found.microseconds[0] == found.microseconds[1]
    assert found.microseconds[3] == NOT_A_TIME


def test_fractions_survive_to_the_microsecond() -> None:
    assert read_moment("2024-01-31T12:00:00.123456789Z") == NOON + timedelta(microseconds=123456)
    assert read_moment(1706702400.25) == NOON + timedelta(milliseconds=250)
    assert read_moment(1706702400123456789) == NOON + timedelta(microseconds=123456)


def test_an_object_that_is_a_moment_already() -> None:
    assert read_moment(NOON.astimezone(timezone(timedelta(hours=3)))) == NOON
    assert read_moment(NOON.replace(tzinfo=None)) == NOON


def test_iso_writes_z_and_only_the_fraction_there_is() -> None:
    assert iso(NOON) == "2024-01-31T12:00:00Z"
    assert iso(NOON + timedelta(milliseconds=5)) == "2024-01-31T12:00:00.005000Z"


@given(st.datetimes(min_value=datetime(1975, 1, 1), max_value=datetime(2190, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_what_iso_writes_is_read_again(moment: datetime) -> None:
    assert read_moment(iso(moment)) == moment


@given(st.lists(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.dates().map(str))))
def test_anything_can_be_read_without_an_exception(raw: list[object]) -> None:
    found = read_moments(raw)
    assert len(found.microseconds) == len(found.naive) == len(raw)
