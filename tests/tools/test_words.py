from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tools.words import (
    LOG_KEYS,
    MAX_NAME,
    SPAN_KEYS,
    clean_name,
    clean_text,
    counted,
    did_you_mean,
    layout,
    severity,
    span_kind,
    span_status,
)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("warning", "WARN"),
        ("Warn", "WARN"),
        ("err", "ERROR"),
        ("critical", "ERROR"),
        ("FATAL", "FATAL"),
        ("emerg", "FATAL"),
        ("notice", "INFO"),
        ("verbose", "TRACE"),
        (1, "TRACE"),
        ("8", "DEBUG"),
        (9, "INFO"),
        (13, "WARN"),
        (17, "ERROR"),
        ("ERROR3", "ERROR"),
        ("SEVERITY_NUMBER_WARN2", "WARN"),
        ("LogLevel.Error", "ERROR"),
        (24, "FATAL"),
        (50, "ERROR"),
        (None, "INFO"),
        ("", "INFO"),
        ("whatever", "INFO"),
        (99, "INFO"),
        (True, "INFO"),
    ],
)
def test_severity(word: object, expected: str) -> None:
    assert severity(word) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("OK", "OK"),
        ("STATUS_CODE_ERROR", "ERROR"),
        (2, "ERROR"),
        (1, "OK"),
        (0, ""),
        ("UNSET", ""),
        (503, "ERROR"),
        ("200", "OK"),
        (404, ""),
        (None, ""),
    ],
)
def test_span_status(word: object, expected: str) -> None:
    assert span_status(word) == expected


def test_span_kind() -> None:
    assert [span_kind(word) for word in ("SPAN_KIND_CLIENT", "Server", 5, 0, None, "odd")] == [
        *("client", "server", "consumer"),
        *("", "", ""),
    ]


def test_layout_finds_synonyms_and_the_first_listed_wins() -> None:
    found = layout(["@timestamp", "service.name", "Level", "message", "body", "zone"], LOG_KEYS)
    assert found == {"timestamp": "@timestamp", "service": "service.name", "severity": "Level", "body": "body"}
    assert layout(["traceId", "parentSpanId", "startTimeUnixNano"], SPAN_KEYS) == {
        "trace_id": "traceId",
        "parent_span_id": "parentSpanId",
        "start": "startTimeUnixNano",
    }


def test_text_loses_what_a_terminal_or_a_page_would_obey() -> None:
    assert clean_text("\x1b[31mred\x1b[0m\x00 a\tb\r\nc\u202e") == "red a\tb\nc"
    assert clean_text("half \ud83d pair") == "half ? pair"
    assert clean_text("x" * 12, limit=10) == "xxxxxxxxxx… (+2 characters)"


def test_a_name_is_one_line_and_short() -> None:
    assert clean_name("  ../../etc/passwd\n\x07 ") == "../../etc/passwd"
    assert clean_name("a\nb") == "a b"
    assert len(clean_name("s" * 5000)) == MAX_NAME


@given(st.text())
def test_cleaned_names_are_printable_and_stay_as_they_are(text: str) -> None:
    name = clean_name(text)
    assert "\n" not in name
    assert "\x1b" not in name
    name.encode()
    assert clean_name(name) == name


def test_did_you_mean_and_counted() -> None:
    assert did_you_mean("invetory", ["inventory", "checkout"]) == "; did you mean 'inventory'?"
    assert did_you_mean("zzz", ["b", "a"]) == "; there are a, b"
    assert did_you_mean("zzz", [f"s{k}" for k in range(12)]).endswith(", ...")
    assert did_you_mean("zzz", []) == ""
    assert [counted(1, "change"), counted(2, "change"), counted(0, "entry", "entries")] == [
        *("1 change", "2 changes", "0 entries"),
    ]
