"""What a stored result draws."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from pydantic import JsonValue

from agent.incident import Evidence, Query, Source
from tests.web import told
from web.series import BINS, Series, rows_of, series_of, total_rows


def drawn(tool: str, result: JsonValue, aspect: str = "") -> Series | None:
    return series_of(Evidence.of(Source.METRICS, Query(tool=tool), told.WINDOW, "", result), result, aspect)


def frame(columns: list[JsonValue], *rows: list[JsonValue], total: int | None = None) -> JsonValue:
    return {"columns": columns, "rows": list(rows), "rows_total": total or len(rows)}


def at(minutes: float) -> str:
    return (told.WINDOW.since + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def test_a_metric_is_the_median_of_its_instances_in_order_of_time() -> None:
    columns: list[JsonValue] = ["timestamp", "instance", "value"]
    result = frame(
        columns, [at(2), "a", 9.0], [at(1), "a", 1.0], [at(1), "b", 2.0], [at(1), "c", 90], [at(3), "a", None]
    )
    series = drawn("metric_range", result)
    assert series is not None
    assert series.values == (2.0, 9.0)
    assert series.times[0] < series.times[1]


def test_log_lines_are_counted_per_minute_also_when_the_result_was_thinned() -> None:
    lines = [[at(10 + i / 60), "x"] for i in range(60)]
    series = drawn("log_lines", frame(["timestamp", "body"], *lines, total=600))  # pyright: ignore
    assert series is not None
    assert len(series.values) == BINS
    minutes = told.WINDOW.length / BINS / timedelta(minutes=1)
    assert math.isclose(sum(value or 0 for value in series.values) * minutes, 600)
    assert series.values[0] == 0


def test_a_stretch_without_spans_is_a_gap_and_not_zero() -> None:
    series = drawn("spans", frame(["start", "duration_ms"], [at(0), 4.0], [at(0.1), 6.0], [at(64), 50.0]))
    assert series is not None
    assert series.values[0] == 5.0
    assert series.values[-1] == 50.0
    assert series.values[5] is None


@pytest.mark.parametrize(
    ("aspect", "first", "last"),
    [("errors", 0.5, 1.0), ("calls_per_parent", 2.0, 1.0), ("new", 2.0, 1.0), ("self_time", 5.0, 50.0)],
)
def test_spans_are_drawn_as_what_deviates_about_them(aspect: str, first: float, last: float) -> None:
    columns: list[JsonValue] = ["start", "duration_ms", "status", "parent_span_id"]
    early: list[list[JsonValue]] = [[at(0), 4.0, "OK", "p1"], [at(0.1), 6.0, "ERROR", "p1"]]
    series = drawn("spans", frame(columns, *early, [at(64), 50.0, "ERROR", "p2"]), aspect)
    assert series is not None
    assert (series.values[0], series.values[-1]) == (first, last)


def test_what_is_no_series_or_empty_draws_nothing() -> None:
    assert drawn("change", {"id": "4f1c2ab"}) is None
    assert drawn("metric_range", frame(["timestamp", "value"])) is None
    assert drawn("log_lines", frame(["timestamp"])) is None
    assert drawn("spans", frame(["start", "duration_ms"])) is None


def test_rows_are_records_whatever_the_shape_of_the_result() -> None:
    assert rows_of(frame(["a", "b"], [1, 2])) == [{"a": 1, "b": 2}]
    assert rows_of([{"a": 1}]) == [{"a": 1}]
    assert rows_of({"a": 1}) == [{"a": 1}]
    assert rows_of("text") == []
    assert total_rows(frame(["a"], [1], total=9)) == 9
    assert total_rows([{"a": 1}]) == 1
