from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from tools.attributes import scalar_text
from tools.backend import LOG_COLUMNS
from tools.evidence import JsonObject, TimeWindow
from tools.live.log_rows import LogRows, empty_frame, is_marked, words_of
from tools.live.notebook import Notebook

SINCE = datetime(2026, 3, 4, 9, tzinfo=UTC)
WINDOW = TimeWindow(since=SINCE, until=SINCE + timedelta(minutes=10))
AT = "2026-03-04T09:01:00Z"


def frame_of(
    records: list[JsonObject], times: list[object] | None = None, notes: Notebook | None = None, inside: bool = False
) -> pd.DataFrame:
    wanted = {"service": ["kubernetes.app"], "body": ["log"]}
    rows = LogRows.of(wanted, notes if notes is not None else Notebook(), "Shipper", services_inside=inside)
    return rows.frame(WINDOW, times or [AT] * len(records), records)


def test_a_record_becomes_a_row() -> None:
    record = {
        "message": "paid",
        "level": "warning",
        "service.name": "shop",
        "trace_id": "t",
        "span_id": "s",
        "basket": 7,
    }
    frame = frame_of([record])
    assert tuple(frame.columns) == LOG_COLUMNS
    assert frame.dtypes.equals(empty_frame().dtypes)
    row = frame.iloc[0]
    assert (row.service, row.severity, row.body, row.trace_id, row.span_id) == ("shop", "WARN", "paid", "t", "s")
    assert row.attributes == {"basket": "7"}
    assert row.timestamp == pd.Timestamp(AT)


def test_the_keys_of_a_backend_come_first() -> None:
    row = frame_of([{"kubernetes": {"labels": {"app": "search"}}, "app": "other", "log": "a", "message": "b"}]).iloc[0]
    assert (row.service, row.body) == ("search", "a")


def test_json_and_logfmt_inside_a_text_tell_what_the_record_does_not() -> None:
    for text in (
        '{"level":"error","msg":"pool is empty","trace_id":"t1","took_ms":3,"service":"inner"}',
        'level=error msg="pool is empty" trace_id=t1 took_ms=3 service=inner',
    ):
        row = frame_of([{"log": text}]).iloc[0]
        assert (row.severity, row.body, row.trace_id) == ("ERROR", "pool is empty", "t1")
        assert row.service == "unknown_service", "a backend cannot look for a service that only the text names"
        assert row.attributes["took_ms"] == "3"
        assert frame_of([{"log": text}], inside=True).iloc[0].service == "inner"


def test_what_the_record_says_wins_over_its_text() -> None:
    row = frame_of([{"log": '{"level":"error","msg":"x"}', "level": "info", "app": "shop"}]).iloc[0]
    assert (row.severity, row.service, row.body) == ("INFO", "shop", "x")


def test_a_text_that_only_looks_structured_stays() -> None:
    for text in ("{broken json", '{"answer": 42}', "retry=3 of 5", "[1, 2]", 'level=info without a message="'):
        assert frame_of([{"log": text}]).iloc[0].body == text


def test_rows_are_inside_the_window_and_in_the_order_of_time() -> None:
    times: list[object] = ["2026-03-04T09:10:00Z", "2026-03-04T09:05:00Z", "2026-03-04T09:00:00Z", "08:59"]
    notes = Notebook()
    frame = frame_of([{"log": str(place)} for place in range(4)], times, notes)
    assert frame["body"].tolist() == ["2", "1"]
    assert "1 line of 4 without a readable time left out" in notes[0][1]


def test_lines_without_a_text_are_noted() -> None:
    notes = Notebook()
    assert len(frame_of([{"log": ""}, {"app": "shop"}, {"log": "x"}], notes=notes)) == 1
    assert "Shipper: 2 lines of 3 without a text left out" in notes[0][1]


@given(st.text(max_size=60))
def test_words_of_what_is_shown_stand_in_the_line_unless_it_is_marked(text: str) -> None:
    shown = scalar_text(text)
    assert is_marked(text) or all(word in text for word in words_of(shown))


@pytest.mark.parametrize("text", ["\x1b[31mERROR\x1b[0m: lost", r"{\"msg\": \"\u001b[31mERROR\"}", "a\x00b", "\u202eb"])
def test_colour_codes_are_marks(text: str) -> None:
    assert is_marked(text)
    assert not is_marked("two\n\tlines, not marked")
