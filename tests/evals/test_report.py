from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from evals.baselines import TrivialResult
from evals.cases import CaseResult, Truth
from evals.report import Report, Skipped
from tests.evals.incident_folders import ranked, result

TRUTH = Truth(cause="x", decoys=("d",), blast_radius=("gate",), remediation=("rollback",))


@pytest.fixture
def report() -> Report:
    cases: list[CaseResult] = [
        result("first", TRUTH, ranked=ranked(("x", 0.9), ("d", 0.05)), hit_rank=1, seconds=0.5, remediation="rollback"),
        result("second", TRUTH, ranked=ranked(("d", 0.8)), seconds=1.5),
        result("third", TRUTH, ranked=ranked(("x", 0.2)), abstained=True),
        result("fourth", TRUTH, error="ValueError: broke"),
    ]
    trivial = [{"latest deploy": TrivialResult(hit_rank=None, blamed_a_decoy=True)}] * 4
    return Report.of("rootcausebench", "c0ffee", "statistics", cases, trivial, [Skipped(id="fifth", reason="no truth")])


def test_the_json_keeps_the_contract(report: Report) -> None:
    told = json.loads(report.as_json())
    assert {"suite", "commit", "analyst", "cases", "metrics", "intervals"} <= set(told)
    assert {
        "id",
        "truth",
        "ranked",
        "hit_rank",
        "abstained",
        "seconds",
        "peak_rss_mb",
        "model_tokens",
    } <= set(told["cases"][0])
    assert set(told["cases"][0]["ranked"][0]) == {"cause", "service", "kind", "change", "confidence"}
    assert {
        *("n", "ac@1", "ac@3", "ac@5", "avg@5", "mrr", "decoy_hits", "abstain_precision", "abstain_recall"),
        *("blast_radius_jaccard", "remediation_match", "ece", "brier", "seconds_p50", "seconds_p95", "model_cost_usd"),
    } <= set(told["metrics"])
    assert told["metrics"]["ac@1"] == 0.25
    assert told["metrics"]["decoy_hits"] == 1
    assert told["skipped"] == [{"id": "fifth", "reason": "no truth"}]


def test_a_report_can_be_read_back(report: Report) -> None:
    assert Report.model_validate_json(report.as_json()) == report


def test_the_page_says_what_others_reach_and_that_it_was_published(report: Report) -> None:
    page = report.as_markdown()
    assert "| whydown, statistics | 25% (1 of 4) | 1 |" in page
    assert "| trivial: latest deploy | 0% (0 of 4) | 4 |" in page
    assert "| published: claude-haiku-4.5 | 47% of 24 |" in page
    assert "| second | miss | d | 0.80 | 1.50 | decoy, confidently |" in page
    assert "| third | miss | not enough evidence |" in page
    assert "ValueError: broke" in page
    assert "- fifth: no truth" in page


def test_the_terminal_shows_the_same(report: Report) -> None:
    shown = io.StringIO()
    Console(file=shown, width=160).print(report.as_terminal())
    for word in ("first answer right", "not enough evidence", "published: best models", "skipped fifth: no truth"):
        assert word in shown.getvalue()


def test_a_suite_without_published_figures_has_no_such_row() -> None:
    report = Report.of("recordings", "c0ffee", "statistics", [], [], [])
    assert report.published == ()
    assert "published" not in report.as_markdown()
    assert "no case" in report.as_markdown()


def test_a_bar_in_a_cell_does_not_break_the_page() -> None:
    page = Report.of("recordings", "c", "statistics", [result("a", error="x | y")], [], []).as_markdown()
    assert r"x \| y" in page
