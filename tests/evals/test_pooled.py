from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from agent.errors import CallerError
from evals.cases import Truth
from evals.pooled import Pooled, read_report
from tests.evals.suite_reports import CPU, cases_of, report_of

NETWORK = Truth(cause="x", kinds=("network_delay", "dependency"))


def pooled() -> Pooled:
    first = report_of(*cases_of(3, 1), label="first", alarms=(True, False))
    second = report_of(*cases_of(0, 4, NETWORK), *cases_of(1, 0, CPU), label="second")
    return Pooled.of([first, second])


def test_each_case_counts_once() -> None:
    found = pooled()
    assert found.metrics["n"] == 9
    assert found.metrics["ac@1"] == 4 / 9
    assert found.suites["first"]["ac@1"] == 0.75
    assert found.suites["second"]["ac@1"] == 0.2
    assert found.quiet is not None
    assert found.quiet.false_alarm_rate == 0.5


def test_declining_to_name_a_change_is_told_per_suite_only() -> None:
    none = Truth(cause="none")
    report = report_of(*cases_of(1, 0, none), label="changes")
    found = Pooled.of([report, report_of(*cases_of(1, 0))])
    assert found.suites["changes"]["abstain_recall"] == 0.0
    assert found.metrics["abstain_recall"] is None
    assert found.pooled_intervals["abstain_recall"] is None


def test_kinds_are_put_together_over_the_suites() -> None:
    assert {row.group: (row.n, row.figures["ac@1"]) for row in pooled().kinds} == {
        "cpu": (5, 0.8),
        "network_delay or dependency": (4, 0.0),
    }


def test_it_is_never_pooled_alone() -> None:
    page = pooled().as_markdown()
    shown = io.StringIO()
    Console(file=shown, width=160).print(pooled().as_terminal())
    for text in (page, shown.getvalue()):
        places = [text.index(word) for word in ("first ", "second ", "network_delay or dependency", "pooled (9)")]
        assert places == sorted(places)
    told = json.loads(pooled().as_json())
    assert {"suites", "kinds", "metrics"} <= set(told)
    assert "cases" not in told["quiet"]


def test_nothing_to_put_together_is_one_line() -> None:
    with pytest.raises(CallerError, match="at least one report"):
        Pooled.of([])


def test_a_report_is_read_back(tmp_path: Path) -> None:
    report = report_of(*cases_of(1, 1))
    path = tmp_path / "report.json"
    path.write_text(report.as_json(), encoding="utf-8")
    assert read_report(path) == report


@pytest.mark.parametrize("content", [None, "[]", "{}", "not json"])
def test_a_file_that_is_no_report_is_one_line(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(CallerError, match=r"report\.json: (is no report|the report cannot be read)") as refused:
        read_report(path)
    assert "\n" not in str(refused.value)
