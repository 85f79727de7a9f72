from __future__ import annotations

import json

import pytest

from evals.nezha.lines import Line, read_line

TIME = "2031-05-01T10:20:20.123456789Z"
IDS = "TraceID: 0af7 SpanID: b7ad "


def read(text: str) -> Line:
    line = read_line(json.dumps({"log": text, "stream": "stdout", "time": TIME}))
    assert line is not None
    assert line.time == TIME
    return line


@pytest.mark.parametrize(
    ("text", "severity", "body", "place"),
    [
        (
            f"18:20:20.123 INFO  t.s.Till#532 {IDS}[charge][Charge: 7]\n",
            *("INFO", "t.s.Till#532 [charge][Charge: 7]", "t.s.Till#532"),
        ),
        (
            f"18:20:20.123 ERROR  t.s.Till#9 {IDS}[charge] No card\n",
            "ERROR",
            "t.s.Till#9 [charge] No card",
            "t.s.Till#9",
        ),
        (
            f"18:20:20.123 WARN o.a.[.[dispatcher]#175 {IDS}odd",
            "WARN",
            "o.a.[.[dispatcher]#175 odd",
            "o.a.[.[dispatcher]#175",
        ),
        (f"05:18:42.995 INFO  - {IDS}Get ads\n", "INFO", "Get ads", ""),
        (f"{IDS}GetCart called with user=7\n", "INFO", "GetCart called with user=7", ""),
        ("2031-05-01T10:20:20,1Z [FATAL] out of memory", "FATAL", "out of memory", ""),
        ("INFORMATION was asked for", "INFO", "INFORMATION was asked for", ""),
        ("first\n  at second", "INFO", "first\n  at second", ""),
        ("", "INFO", "", ""),
    ],
)
def test_a_line_of_text_gives_up_its_clock_level_and_ids(text: str, severity: str, body: str, place: str) -> None:
    line = read(text)
    assert (line.severity, line.body, line.place, line.error) == (severity, body, place, "")


@pytest.mark.parametrize(
    ("record", "severity", "body"),
    [
        ({"message": f"{IDS}Start charge card", "severity": "info", "timestamp": TIME}, "INFO", "Start charge card"),
        ({"severity": "ERROR", "name": "server", "message": f"{IDS}No card"}, "ERROR", "No card"),
        ({"level": 50, "pid": 1, "msg": f"{IDS}Card refused", "v": 1}, "ERROR", "Card refused"),
        ({"level": "warn", "msg": "slow"}, "WARN", "slow"),
        ({"message": "no level"}, "INFO", "no level"),
        ({"message": {"nested": 1}}, "INFO", "{'nested': 1}"),
    ],
)
def test_a_structured_line_gives_its_message_and_severity(record: object, severity: str, body: str) -> None:
    line = read(json.dumps(record) + "\n")
    assert (line.severity, line.body, line.place) == (severity, body, "")


def test_the_error_beside_a_message_is_kept() -> None:
    assert read(json.dumps({"level": "error", "msg": "request failed", "error": "card is nil"})).error == "card is nil"


@pytest.mark.parametrize("text", ['{"message": "half', '{"count": 1}'])
def test_what_only_looks_structured_stays_as_it_is(text: str) -> None:
    assert read(text).body == text


@pytest.mark.parametrize(
    "raw", ["", "no json", "[]", "7", "null", "{}", '{"log": 7}', '{"log": "x", "time": 7}', '"log"']
)
def test_what_the_runtime_did_not_write_is_no_line(raw: str) -> None:
    assert read_line(raw) is None
