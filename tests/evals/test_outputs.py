from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.errors import CallerError
from evals.outputs import Outputs
from evals.perturb import Part, Variant
from evals.pooled import Pooled
from evals.runner import Plan
from tests.evals.suite_reports import cases_of, report_of


def test_everything_that_was_asked_for_is_written(tmp_path: Path) -> None:
    report = report_of(*cases_of(2, 1))
    names = ("report.json", "page.html", "page.md", "card.json")
    outputs = Outputs(*(tmp_path / name for name in names))
    outputs.check(Plan())
    outputs.write([report], report)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["metrics"]["n"] == 3
    assert (tmp_path / "page.html").read_text(encoding="utf-8").lstrip().startswith("<!doctype html>")
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == report.as_markdown()
    assert list(json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))["suites"]) == ["petshop"]
    Outputs().write([report], report)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_scorecard_keeps_its_other_suites(tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    for label in ("b", "a"):
        report = report_of(*cases_of(1, 0), label=label)
        Outputs(write_scorecard=card).write([report], report)
    assert list(json.loads(card.read_text(encoding="utf-8"))["suites"]) == ["a", "b"]


def test_several_reports_are_written_pooled(tmp_path: Path) -> None:
    reports = [report_of(*cases_of(1, 0), label=label) for label in "ab"]
    pooled = Pooled.of(reports)
    Outputs(json=tmp_path / "pooled.json").write(reports, pooled)
    assert json.loads((tmp_path / "pooled.json").read_text(encoding="utf-8"))["metrics"]["n"] == 2


@pytest.mark.parametrize(
    ("option", "field"),
    [("--out", "json"), ("--html", "html"), ("--markdown", "markdown"), ("--write-scorecard", "write_scorecard")],
)
def test_a_folder_that_is_not_there_is_said_before_the_work(tmp_path: Path, option: str, field: str) -> None:
    with pytest.raises(CallerError, match=f"{option} .*there is no folder"):
        Outputs(**{field: tmp_path / "nowhere" / "file"}).check()


def test_a_gate_is_read_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="the scorecard cannot be read"):
        Outputs(gate=tmp_path / "card.json").check()


def test_a_run_that_is_no_norm_is_refused_before_the_work(tmp_path: Path) -> None:
    worse = Plan(Variant(without=(Part.LOGS,)))
    Outputs().check(worse)
    with pytest.raises(CallerError, match="without logs"):
        Outputs(write_scorecard=tmp_path / "card.json").check(worse)


def test_the_gate_judges_every_report(tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    good, bad = report_of(*cases_of(8, 0)), report_of(*cases_of(1, 7))
    Outputs(write_scorecard=card).write([good], good)
    assert Outputs(gate=card).regressions([good]) == ()
    assert any("ac@1" in line for line in Outputs(gate=card).regressions([bad]))
    assert Outputs().regressions([bad]) == ()
