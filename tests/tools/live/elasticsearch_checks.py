"""What a server that holds `elasticsearch_data` has to answer, asked of a cassette and of a real server alike."""

from __future__ import annotations

from datetime import timedelta

from tests.tools.live.elasticsearch_data import BROKE, CHECKOUT_LINES, ECS, ODD, ODD_BODY, SINCE, WINDOW
from tools.backend import LOG_COLUMNS
from tools.evidence import TimeWindow
from tools.live.elasticsearch import Elasticsearch
from tools.words import clean_name

LINES = {"checkout": CHECKOUT_LINES, "payment": 20, "search": 10, clean_name(ODD): 1}


def everything_is_a_frame_of_the_contract(logs: Elasticsearch) -> None:
    frame = logs.log_lines(WINDOW)
    assert tuple(frame.columns) == LOG_COLUMNS
    assert str(frame["timestamp"].dtype) == "datetime64[us, UTC]"
    assert all(str(frame[name].dtype) == "str" for name in ("service", "instance", "severity", "body"))
    assert frame["timestamp"].is_monotonic_increasing
    assert frame["service"].value_counts().to_dict() == LINES
    assert all(isinstance(each, dict) for each in frame["attributes"])


def three_dialects_say_the_same_things(logs: Elasticsearch) -> None:
    frame = logs.log_lines(WINDOW)
    first = {service: rows.iloc[0] for service, rows in frame.groupby("service")}
    paid, charge, slow = first["checkout"], first["payment"], first["search"]
    assert (paid.severity, paid.instance, paid.body, paid.trace_id) == ("INFO", "c-1", "order 0 paid", "0" * 32)
    assert paid.timestamp.microsecond == 456
    assert paid.attributes == {"basket": "0"}
    assert (charge.severity, charge.instance, charge.body) == ("INFO", "p-1", "charge 0 accepted")
    assert charge.span_id == "0" * 16
    assert (slow.severity, slow.instance, slow.body) == ("WARN", "search-0", "slow query 0")
    assert slow.attributes["took_ms"] == "0"


def the_window_is_half_open(logs: Elasticsearch) -> None:
    assert "too late" not in str(logs.log_lines(WINDOW)["body"].tolist())
    assert "too early" not in str(logs.log_lines(WINDOW)["body"].tolist())
    moment = timedelta(microseconds=1)
    found = logs.log_lines(TimeWindow(since=WINDOW.until, until=WINDOW.until + moment))
    assert found["body"].tolist() == ["one that is too late by nothing"]
    found = logs.log_lines(TimeWindow(since=WINDOW.since - moment, until=WINDOW.since))
    assert found["body"].tolist() == ["one that is too early"]


def a_service_gives_the_same_rows_again(logs: Elasticsearch) -> None:
    frame = logs.log_lines(WINDOW)
    for service in sorted(LINES):
        alone = frame[frame["service"] == service].reset_index(drop=True)
        assert logs.log_lines(WINDOW, service).equals(alone)


def a_text_is_found_as_it_stands(logs: Elasticsearch) -> None:
    errors = logs.log_lines(WINDOW, "checkout", "pool of payments-db")
    assert len(errors) == 16
    assert set(errors["severity"]) == {"ERROR"}
    assert errors["timestamp"].iloc[0] == BROKE
    assert logs.log_lines(WINDOW, contains="POOL OF").empty
    assert len(logs.log_lines(WINDOW, contains="slow query")) == 10
    assert len(logs.log_lines(WINDOW, contains="der 7")) == 11


def values_are_values_and_no_queries(logs: Elasticsearch) -> None:
    assert logs.log_lines(WINDOW, clean_name(ODD), ODD_BODY)["body"].tolist() == [ODD_BODY]
    assert logs.log_lines(WINDOW, contains='/re/ {"k": 1}\n\tat parse')["body"].tolist() == [ODD_BODY]
    for hostile in ("*", "checkout OR payment", '") OR (*', "{{}}", "service.name:checkout", "_exists_:message"):
        assert logs.log_lines(WINDOW, hostile).empty
        assert logs.log_lines(WINDOW, "payment", hostile).empty


def a_limit_takes_the_oldest(logs: Elasticsearch) -> None:
    found = logs.log_lines(WINDOW, "checkout", limit=3)
    assert found["body"].tolist() == ["order 0 paid", "order 1 paid", "order 2 paid"]


def what_is_not_there_is_empty(logs: Elasticsearch) -> None:
    assert logs.log_lines(WINDOW, "nobody").empty
    assert logs.log_lines(TimeWindow(since=SINCE - timedelta(days=9), until=SINCE - timedelta(days=8))).empty


def a_look_tells_what_there_is(logs: Elasticsearch) -> None:
    seen = logs.look(WINDOW)
    assert set(seen.services) == set(LINES)
    assert seen.newest is not None
    assert seen.newest >= WINDOW.until - timedelta(minutes=1)
    assert f"{sum(LINES.values())} lines in the window" in seen.facts[0]
    assert ECS in seen.facts[1]
    assert seen.clock is not None


CHECKS = (
    everything_is_a_frame_of_the_contract,
    three_dialects_say_the_same_things,
    the_window_is_half_open,
    a_service_gives_the_same_rows_again,
    a_text_is_found_as_it_stands,
    values_are_values_and_no_queries,
    a_limit_takes_the_oldest,
    what_is_not_there_is_empty,
    a_look_tells_what_there_is,
)
