from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import CallerError
from evals.rootcausebench import SUITE
from evals.runner import diagnose, run_suite
from evals.scorers import ranked_causes
from tests.evals import answers_for_tests as made_up
from tests.evals.incident_folders import DECOY, GUILTY, write_incident

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"


def suite_of(folder: Path, *names: str) -> Path:
    for name in names:
        write_incident(folder / name)
    return folder


def test_a_case_is_scored_in_the_words_of_the_suite(tmp_path: Path) -> None:
    report = run_suite("rootcausebench", suite_of(tmp_path, "a"), investigate=made_up.blame_the_first_change)
    (case,) = report.cases
    assert [row.cause for row in case.ranked] == [GUILTY, "none"]
    assert case.ranked[0].change == f"ledger@v7+{GUILTY[:8]}"
    assert (case.hit_rank, case.abstained, case.verdict) == (1, False, "change")
    assert (case.remediation, case.first_failing_service, case.blast_radius) == (
        "rollback",
        "ledger",
        ("ledger", "gate"),
    )
    assert report.metrics["ac@1"] == 1.0
    assert report.metrics["blast_radius_jaccard"] == 1.0
    assert report.metrics["remediation_match"] == 1.0
    assert report.analyst == "statistics"
    assert {row.name for row in report.trivial} >= {"latest deploy", "always none"}


def test_what_it_took_is_measured(tmp_path: Path) -> None:
    (case,) = run_suite("rootcausebench", suite_of(tmp_path, "a"), investigate=made_up.say_none).cases
    assert 0 < case.seconds < 5
    assert case.cpu_seconds >= 0
    assert case.peak_rss_mb > 10
    assert case.model_tokens == 0


def test_saying_none_where_a_change_did_it_is_a_miss(tmp_path: Path) -> None:
    (case,) = run_suite("rootcausebench", suite_of(tmp_path, "a"), investigate=made_up.say_none).cases
    assert (case.ranked[0].cause, case.hit_rank) == ("none", None)


def test_giving_up_is_an_abstention_and_keeps_its_leads(tmp_path: Path) -> None:
    (case,) = run_suite("rootcausebench", suite_of(tmp_path, "a"), investigate=made_up.give_up).cases
    assert case.abstained
    assert case.hit_rank is None
    assert len(case.ranked) == 1


def test_a_crash_is_a_miss_that_keeps_its_error(tmp_path: Path) -> None:
    write_incident(tmp_path / "a", flags=None)
    write_incident(tmp_path / "b")
    report = run_suite("rootcausebench", tmp_path, investigate=made_up.crash_without_flags)
    assert [(case.id, case.hit_rank) for case in report.cases] == [("a", None), ("b", 1)]
    assert report.cases[0].error == "ZeroDivisionError: no flag to divide by"
    assert report.cases[0].truth.decoys == (DECOY,)
    assert (report.metrics["ac@1"], report.metrics["errors"]) == (0.5, 1)


def test_a_broken_case_is_skipped_with_its_reason(tmp_path: Path) -> None:
    write_incident(tmp_path / "a", truth="{")
    write_incident(tmp_path / "b")
    counted: list[tuple[int, int]] = []
    report = run_suite(
        "rootcausebench",
        tmp_path,
        progress=lambda done, total: counted.append((done, total)),
        investigate=made_up.say_none,
    )
    assert [case.id for case in report.cases] == ["b"]
    assert [(skipped.id, skipped.reason) for skipped in report.skipped] == [
        ("a", "a: truth.json holds no root_cause_commit that can be used")
    ]
    assert counted == [(1, 2), (2, 2)]


def test_several_processes_give_the_same_answers_in_the_same_order(tmp_path: Path) -> None:
    folder = suite_of(tmp_path, "c", "a", "b")
    measured = {"seconds", "cpu_seconds", "peak_rss_mb"}
    one, two = (
        [case.model_dump(exclude=measured) for case in report.cases]
        for report in (
            run_suite("rootcausebench", folder, 1, investigate=made_up.blame_the_first_change),
            run_suite("rootcausebench", folder, 2, investigate=made_up.blame_the_first_change),
        )
    )
    assert one == two
    assert [case["id"] for case in two] == ["a", "b", "c"]


def test_a_process_that_dies_costs_its_own_case_only(tmp_path: Path) -> None:
    write_incident(tmp_path / "a", flags=None)
    write_incident(tmp_path / "b")
    report = run_suite("rootcausebench", tmp_path, 2, investigate=made_up.die_without_flags)
    assert [(case.id, case.error, case.hit_rank) for case in report.cases] == [
        ("a", "the process that investigated it died", None),
        ("b", None, 1),
    ]


@pytest.mark.parametrize(
    ("suite", "folder", "workers", "told"),
    [
        ("rootcausebench", "nowhere", 1, "there is no such folder"),
        ("rootcausebench", ".", 1, "no folder in it holds an alert"),
        ("petshop", ".", 1, "comes in a later version"),
        ("rootcausebench", ".", 0, "--workers 0: at least one"),
    ],
)
def test_what_cannot_be_run_is_said_in_one_line(
    tmp_path: Path, suite: str, folder: str, workers: int, told: str
) -> None:
    with pytest.raises(CallerError, match=told) as refused:
        run_suite(suite, tmp_path / folder, workers, investigate=made_up.say_none)
    assert "\n" not in str(refused.value)


def test_a_suite_of_which_nothing_can_be_read_says_why(tmp_path: Path) -> None:
    write_incident(tmp_path / "a", truth=None)
    with pytest.raises(CallerError, match=r"none of 1 cases can be read, the first: a: truth\.json"):
        run_suite("rootcausebench", tmp_path, investigate=made_up.say_none)


def test_the_product_itself_investigates_a_case(tmp_path: Path) -> None:
    case = SUITE.load(suite_of(tmp_path, "a"), "a")
    found = diagnose(case.recording)
    assert found.symptom.service == "ledger"
    rows = ranked_causes(found, case.named_by, case.recording.changes)
    assert {row.cause for row in rows} <= {*(change.commit or change.id for change in case.recording.changes), "none"}


def test_an_alert_nobody_can_read_is_a_miss_and_no_end(tmp_path: Path) -> None:
    write_incident(tmp_path / "a", alert={"service": "ledger", "fired_at": "soon"})
    (case,) = run_suite("rootcausebench", tmp_path).cases
    assert case.error is not None
    assert case.error.startswith('CallerError: alert: fired_at is "soon"')
