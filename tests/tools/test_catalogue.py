from __future__ import annotations

import inspect
import json
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.tools.recording_files import START, change, log, series, small_incident, span, write_recording
from tools.backend import Backend
from tools.catalogue import READ_TOOLS, run, tool_schemas
from tools.evidence import Query, Source, TimeWindow, ToolError, digest_of, evidence_id
from tools.recorded import read_recording, recorded_backend

WINDOW = TimeWindow(since=START, until=START + timedelta(hours=1))


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    return recorded_backend(read_recording(small_incident(tmp_path / "pool")))


def ask(backend: Backend, tool: str, **arguments: Any) -> Any:
    return run(backend, Query(tool=tool, arguments=arguments), WINDOW)


@pytest.mark.parametrize(
    ("tool", "arguments", "summary"),
    [
        (
            "metric_range",
            {"service": "inventory", "metric": "db_pool_in_use"},
            "db_pool_in_use of inventory: 60 samples, 8.0 .. 20.0, last 20.0",
        ),
        ("metric_range", {}, "all metrics of all services: 120 samples in 2 series of 2 services"),
        (
            "log_lines",
            {"service": "inventory", "contains": "pool", "limit": 5},
            "log lines of inventory with 'pool': 5 (ERROR 5), first 2026-03-02T10:30:30Z, last 2026-03-02T10:34:30Z",
        ),
        ("log_lines", {"contains": "nowhere"}, "log lines of all services with 'nowhere': none"),
        (
            "spans",
            {"service": "inventory", "operation": "reserve"},
            "spans of reserve of inventory: 60 in 60 traces, 0 errors, median 1020.0 ms, p95 2000.0 ms",
        ),
        (
            "changes",
            {},
            '2 changes: d1: deploy of checkout at 2026-03-02T10:05:00Z "new button colour"; '
            'd2: config of inventory at 2026-03-02T10:29:00Z "tidy up settings"',
        ),
        ("change", {"id": "d2"}, 'd2: config of inventory at 2026-03-02T10:29:00Z "tidy up settings"'),
        ("status_events", {}, "no status entry in the window"),
        ("edges", {}, "1 dependency between 2 services"),
        ("runbooks", {}, "1 runbook: When the pool is exhausted"),
    ],
)
def test_every_tool_answers_with_evidence(backend: Backend, tool: str, arguments: dict[str, Any], summary: str) -> None:
    query = Query(tool=tool, arguments=arguments)
    answer = run(backend, query, WINDOW)
    assert answer.evidence.summary == summary
    assert answer.evidence.query == query
    assert answer.evidence.id == evidence_id(query, WINDOW)
    assert answer.evidence.digest == digest_of(answer.result)
    assert digest_of(json.loads(json.dumps(answer.result, allow_nan=False))) == answer.evidence.digest


def test_nothing_in_the_window_is_an_answer_too(backend: Backend) -> None:
    before = TimeWindow(since=START - timedelta(hours=2), until=START - timedelta(hours=1))
    asked = [
        ("metric_range", {"service": "checkout"}, "all metrics of checkout: no samples"),
        ("log_lines", {}, "log lines of all services: none"),
        ("spans", {"service": "inventory"}, "spans of all operations of inventory: none"),
        ("changes", {}, "no change in the window"),
    ]
    for tool, arguments, summary in asked:
        query = Query.model_validate({"tool": tool, "arguments": arguments})
        assert run(backend, query, before).evidence.summary == summary


def test_the_same_question_has_the_same_digest_on_another_day(tmp_path: Path, backend: Backend) -> None:
    other = recorded_backend(read_recording(small_incident(tmp_path / "again", packed=True)))
    for tool in ("metric_range", "log_lines", "spans", "changes", "edges", "runbooks"):
        first, second = ask(backend, tool), ask(other, tool)
        assert first.evidence.digest == second.evidence.digest
        assert first.evidence.id == second.evidence.id


def test_an_argument_that_is_none_is_no_other_question(backend: Backend) -> None:
    plain, explicit = ask(backend, "log_lines"), ask(backend, "log_lines", contains=None, limit=None)
    assert plain.evidence.id == explicit.evidence.id
    assert plain.evidence.digest == explicit.evidence.digest


def test_the_frame_is_whole_and_the_result_says_how_much_it_holds(tmp_path: Path) -> None:
    folder = write_recording(tmp_path / "r", logs=[log(k / 60, "a", f"line {k}") for k in range(3_000)])
    answer = ask(recorded_backend(read_recording(folder)), "log_lines", service="a")
    assert len(answer.frame) == 3_000
    assert len(answer.result["rows"]) == 2_000
    assert answer.result["rows_total"] == 3_000


def test_units_and_instances_are_in_the_summary(tmp_path: Path) -> None:
    rows = [*series("a", "rss", [1, 2], "pod-1", "MB"), *series("a", "rss", [3, 4], "pod-2", "MB")]
    backend = recorded_backend(read_recording(write_recording(tmp_path / "r", metrics=rows)))
    summary = ask(backend, "metric_range", service="a", metric="rss").evidence.summary
    assert summary == "rss of a: 4 samples over 2 instances, 1.0 .. 4.0, last 4.0 MB"


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("metric_rang", {}, "no tool 'metric_rang'; did you mean 'metric_range'?"),
        ("metric_range", {"servce": "x"}, "metric_range has no argument 'servce'; did you mean 'service'?"),
        ("edges", {"x": 1}, "edges has no argument 'x'; it takes none"),
        ("log_lines", {"limit": "x"}, "log_lines: limit='x': Input should be a valid integer"),
        ("log_lines", {"limit": 0}, "limit=0 must be at least 1"),
        ("change", {}, "change: id=None: Field required"),
        ("change", {"id": "d9"}, f"no change 'd9' in {WINDOW}; there are d1, d2"),
        ("spans", {"service": "invetory"}, "no traces of service 'invetory' are recorded; did you mean 'inventory'?"),
    ],
)
def test_a_question_that_cannot_be_answered(
    backend: Backend, tool: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ToolError) as caught:
        ask(backend, tool, **arguments)
    assert caught.value.message == message


def test_what_the_backend_does_not_have_names_its_source() -> None:
    with pytest.raises(ToolError, match="bare has no traces, so spans") as caught:
        ask(Backend(name="bare"), "spans")
    assert caught.value.source is Source.TRACES


def test_secrets_leave_no_tool(tmp_path: Path) -> None:
    folder = write_recording(
        tmp_path / "r",
        logs=[log(0, "a", "login password=hunter2 ok for tenant 7", header={"authorization": "hunter2"})],
        spans=[span(0, "a", "GET /?access_token=hunter2", 1, "s", dsn="pg://u:hunter2@db")],
        changes=[change(0, "c", "a", title="rotate password=hunter2", diff="+DB_PASSWORD=hunter2\n")],
        status_events=[
            {
                "id": "e",
                "provider": "p",
                "status": "down",
                "started_at": "2026-03-02T10:00:00Z",
                "detail": "pwd=hunter2",
            }
        ],
        runbooks={"page": "# Page\npsql postgres://app:hunter2@db/x\n"},
    )
    backend = recorded_backend(read_recording(folder))
    for tool in ("log_lines", "spans", "changes", "status_events", "runbooks"):
        answer = ask(backend, tool)
        told = json.dumps(answer.result) + answer.evidence.summary
        told += "" if answer.frame is None else answer.frame.to_json(date_format="iso")
        assert "hunter2" not in told
        assert "[masked:" in json.dumps(answer.result)
    assert "hunter2" not in ask(backend, "change", id="c").evidence.summary


def test_masked_text_can_be_asked_for_again(tmp_path: Path) -> None:
    folder = write_recording(
        tmp_path / "r",
        logs=[log(k, "a", f"login password=hunter{k} ok for tenant {k % 2}") for k in range(6)],
        spans=[span(k, "a", f"GET /?access_token=hunter{k}", 1, f"s{k}") for k in range(3)],
    )
    backend = recorded_backend(read_recording(folder))
    asked = "login password=[masked:value] ok for tenant 1"
    assert len(ask(backend, "log_lines", contains=asked).frame) == 3
    assert len(ask(backend, "log_lines", contains=asked, limit=2).frame) == 2
    operation = ask(backend, "spans").frame["name"][0]
    assert len(ask(backend, "spans", service="a", operation=operation).frame) == 3


def test_signatures_are_the_schema() -> None:
    parts = {field.name for field in fields(Backend)}
    for tool in READ_TOOLS.values():
        first, second, *_ = inspect.signature(tool).parameters
        assert first in parts
        assert first in set(Source)
        assert second == "window"
    schemas = {schema["name"]: schema for schema in tool_schemas()}
    assert set(schemas) == set(READ_TOOLS)
    assert all(schema["description"] for schema in schemas.values())
    assert set(schemas["log_lines"]["parameters"]["properties"]) == {"service", "contains", "limit"}
    assert schemas["change"]["parameters"]["required"] == ["id"]
    assert schemas["edges"]["parameters"]["additionalProperties"] is False
