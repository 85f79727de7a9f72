from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from rich.console import Console

from evals.cases import CaseResult, RankedCause, Told, Truth
from evals.comparison import RowResult
from evals.one_case import Attempt, Outcome, Skipped
from evals.perturb import PLAIN, Variant
from evals.report import Report
from tests.evals.incident_folders import ranked, result

TRUTH = Truth(cause="x", decoys=("d",), blast_radius=("gate",), remediation=("rollback",))


TOLD = Told(place=0, part="answer", text="the check was dropped", queries=("changes()",))
LATE = Variant(shift=timedelta(seconds=60))


def outcome(case: CaseResult, *others: CaseResult, **trivial: RowResult) -> Outcome:
    return Outcome(attempts=tuple(map(Attempt, (case, *others))), trivial=trivial)


def report_of(*cases: CaseResult, suite: str = "recordings") -> Report:
    return Report.of(suite=suite, commit="c0ffee", analyst="statistics", outcomes=[outcome(case) for case in cases])


@pytest.fixture
def report() -> Report:
    cases: list[CaseResult] = [
        result("first", TRUTH, ranked=ranked(("x", 0.9), ("d", 0.05)), hit_rank=1, seconds=0.5, remediation="rollback"),
        result("second", TRUTH, ranked=ranked(("d", 0.8)), seconds=1.5, story=(TOLD,)),
        result("third", TRUTH, ranked=ranked(("x", 0.2)), abstained=True),
        result("fourth", TRUTH, error="ValueError: broke"),
    ]
    latest = {"latest deploy": RowResult(hit_rank=None, blamed_a_decoy=True)}
    outcomes = [outcome(case, **latest) for case in cases]
    return Report.of(
        suite="rootcausebench",
        commit="c0ffee",
        analyst="statistics",
        outcomes=[*outcomes, Outcome(skipped=Skipped(id="fifth", reason="no truth"))],
    )


def test_the_json_keeps_the_contract(report: Report) -> None:
    told = json.loads(report.as_json())
    assert {"suite", "commit", "analyst", "cases", "metrics", "intervals", "groups", "quiet", "variants"} <= set(told)
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
    assert set(told["cases"][0]["ranked"][0]) == {
        "cause",
        "service",
        "kind",
        "change",
        "confidence",
        "metric",
        "region",
    }
    assert {
        *("n", "ac@1", "ac@3", "ac@5", "avg@5", "mrr", "decoy_hits", "abstain_precision", "abstain_recall"),
        *("blast_radius_jaccard", "remediation_match", "ece", "brier", "seconds_p50", "seconds_p95", "model_cost_usd"),
    } <= set(told["metrics"])
    assert told["metrics"]["ac@1"] == 0.25
    assert told["metrics"]["decoy_hits"] == 1
    assert told["skipped"] == [{"id": "fifth", "reason": "no truth"}]


def test_a_report_can_be_read_back(report: Report) -> None:
    assert Report.model_validate_json(report.as_json(stories=True)) == report


def test_stories_are_left_out_unless_they_are_asked_for(report: Report) -> None:
    assert "the check was dropped" not in report.as_json()
    assert "the check was dropped" in report.as_json(stories=True)
    without = Report.model_validate_json(report.as_json())
    assert [case.story for case in without.cases] == [()] * 4
    assert without.metrics == report.metrics


def test_the_page_says_what_others_reach_and_that_it_was_published(report: Report) -> None:
    page = report.as_markdown()
    assert "| whydown, statistics | 25% (1 of 4) | 0.25 | 0.25 | 0.25 | 1 |" in page
    assert "| trivial: latest deploy | 0% (0 of 4) | 0.00 | 0.00 | 0.00 | 4 |" in page
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
    report = report_of()
    assert report.published == ()
    assert "published" not in report.as_markdown()
    assert "no case" in report.as_markdown()


def test_a_bar_in_a_cell_does_not_break_the_page() -> None:
    page = report_of(result("a", error="x | y")).as_markdown()
    assert r"x \| y" in page


def test_quiet_stretches_and_variants_are_kept_apart_from_the_cases() -> None:
    case = result("a", Truth(cause="x", group="cpu"), ranked=ranked(("x", 0.9)), hit_rank=1)
    late = case.model_copy(update={"hit_rank": None})
    alarm = result("quiet/1", Truth(cause=None, group="quiet"), ranked=ranked(("y", 0.8)))
    report = Report.of(
        suite="recordings",
        label="ours",
        commit="c",
        analyst="statistics",
        outcomes=[outcome(case, late)],
        variants=(PLAIN, LATE),
        stretches=[outcome(alarm), Outcome(skipped=Skipped(id="quiet/2", reason="torn"))],
    )
    assert [each.id for each in report.cases] == ["a"]
    assert report.metrics["n"] == 1
    assert report.quiet is not None
    assert (report.quiet.n, report.quiet.false_alarms) == (1, 1)
    assert [row.name for row in report.variants] == ["plain", "alert 60 s late"]
    assert [row.group for row in report.groups] == ["cpu"]
    assert [skipped.id for skipped in report.skipped] == ["quiet/2"]
    page = report.as_markdown()
    for row in (
        "| quiet/1 | y | at 0.80 |",
        "| alert 60 s late | 1 | 0.00 |",
        "| cpu | 1 | 1.00 |",
        "# ours: statistics",
    ):
        assert row in page
    assert Report.model_validate_json(report.as_json(stories=True)) == report
    assert "story" not in report.as_json()


def test_a_variant_says_so_in_its_title() -> None:
    report = Report.of(
        suite="recordings", commit="c", analyst="statistics", outcomes=[outcome(result())], variants=(LATE,)
    )
    assert (report.variant, report.title) == ("alert 60 s late", "recordings, alert 60 s late")


def test_scores_that_are_no_probabilities_are_not_judged_as_such() -> None:
    row = RankedCause(cause="x", confidence=1.0)
    report = Report.of(
        suite="recordings", commit="c", analyst="n-sigma", outcomes=[outcome(result(ranked=(row,), hit_rank=1))]
    )
    assert report.metrics["ac@1"] == 1.0
    for name in ("brier", "ece", "confidently_wrong", "confidently_wrong_rate"):
        assert report.metrics[name] is None
    assert report.intervals["brier"] is None


def test_where_causes_are_services_a_constant_list_stands_beside() -> None:
    trivial = {"random order": RowResult(hit_rank=2), "alert's own service": RowResult(hit_rank=None)}
    cases = [result(name, Truth(cause="x"), ranked=ranked(("x", 0.9)), hit_rank=1) for name in "ab"]
    report = Report.of(
        suite="petshop", commit="c", analyst="statistics", outcomes=[outcome(case, **trivial) for case in cases]
    )
    assert {row.name: row.hits for row in report.trivial} == {
        "random order": 0,
        "alert's own service": 0,
        "constant list": 2,
    }
    assert "all traffic" in report.as_markdown()


def test_an_exact_metric_has_a_column_where_the_suite_has_the_label() -> None:
    truth = Truth(cause="x", metric="cpu")
    case = result("a", truth, ranked=(RankedCause(cause="x", metric="cpu", confidence=0.9),), hit_rank=1)
    rivals = {"baro": RowResult(hit_rank=1, metric_right=False)}
    report = Report.of(
        suite="sockshop", commit="c", analyst="statistics", outcomes=[Outcome(attempts=(Attempt(case, rivals=rivals),))]
    )
    page = report.as_markdown()
    assert "| method: baro | 100% (1 of 1) | 1.00 | 1.00 | 1.00 | 0.00 |  |" in page
    assert "| published: BARO | 96% of 50 |  |  |  | 0.86 | all repetitions |" in page


def test_other_data_in_the_layout_of_a_suite_are_not_what_others_published_on() -> None:
    def published(label: str) -> int:
        outcomes = [outcome(result())]
        report = Report.of(suite="nezha", label=label, commit="c", analyst="statistics", outcomes=outcomes)
        return len(report.published)

    assert published("nezha") == published("nezha, second day") > 0
    assert published("ours") == 0


def test_a_narrow_terminal_wraps_headings_and_never_cuts_a_figure() -> None:
    truth = Truth(cause="x", group="cpu", kinds=("cpu",), metric="cpu", region=("f",))
    report = report_of(result("a", truth, ranked=ranked(("x", 0.9)), hit_rank=1), suite="petshop")
    shown = io.StringIO()
    Console(file=shown, width=80).print(report.as_terminal())
    rows = [line for line in shown.getvalue().splitlines() if line.startswith("cpu ")]
    assert rows
    assert all("…" not in row for row in rows)
