from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import CallerError
from evals.perturb import Part, Variant
from evals.rootcausebench import SUITE
from evals.runner import Plan, default_workers, diagnose, run_suite
from evals.scorers import ranked_causes
from evals.suites import SUITES
from tests.evals import answers_for_tests as made_up, service_recordings as services
from tests.evals.incident_folders import DECOY, GUILTY, write_incident
from tools.recorded import Recording

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
    measured = {"seconds", "cpu_seconds", "read_seconds", "peak_rss_mb"}
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


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(SUITES, services.SUITE.name, services.SUITE)
    return services.SUITE.name


def test_quiet_stretches_are_run_too_and_kept_apart(suite: str, tmp_path: Path) -> None:
    counted: list[tuple[int, int]] = []
    report = run_suite(
        suite,
        tmp_path,
        progress=lambda done, total: counted.append((done, total)),
        investigate=made_up.blame_the_loudest,
    )
    assert [case.id for case in report.cases] == ["a", "b", "c"]
    assert report.metrics["ac@1"] == 1.0
    assert report.metrics["metric_right"] == 1.0
    assert [(row.group, row.n) for row in report.groups] == [("cpu", 3)]
    assert report.quiet is not None
    assert [case.id for case in report.quiet.cases] == ["quiet/1", "quiet/2"]
    assert report.quiet.false_alarm_rate == 0.0
    assert counted[-1] == (5, 5)


def test_quiet_stretches_can_be_left_out(suite: str, tmp_path: Path) -> None:
    report = run_suite(suite, tmp_path, investigate=made_up.blame_the_loudest, plan=Plan(quiet=False))
    assert report.quiet is None


def test_a_quiet_stretch_that_cannot_be_read_is_skipped(suite: str, tmp_path: Path) -> None:
    (tmp_path / "no-quiet").mkdir()
    (tmp_path / "no-quiet" / "1").touch()
    report = run_suite(suite, tmp_path, investigate=made_up.blame_the_loudest)
    assert report.quiet is not None
    assert report.quiet.n == 1
    assert [skipped.id for skipped in report.skipped] == ["quiet/1"]


def test_other_methods_and_trivial_rows_stand_beside_where_causes_are_services(suite: str, tmp_path: Path) -> None:
    report = run_suite(suite, tmp_path, investigate=made_up.blame_the_loudest)
    assert {row.name: (row.hits, row.metric_right) for row in report.rivals} == {"n-sigma": (3, 1.0), "baro": (3, 1.0)}
    assert [row.name for row in report.trivial] == ["random order", "alert's own service", "constant list"]


def test_a_full_run_shifts_the_alert_and_takes_each_part_away_that_is_there(suite: str, tmp_path: Path) -> None:
    report = run_suite(suite, tmp_path, investigate=made_up.blame_the_loudest_with_a_graph, plan=Plan(full=True))
    rows = {row.name: row for row in report.variants}
    assert list(rows) == ["plain", "alert 60 s late", "alert 60 s early", "without graph"]
    assert (rows["without graph"].accuracy, rows["without graph"].delta) == (0.0, -1.0)
    assert rows["without graph"].lost == ("a", "b", "c")
    assert rows["alert 60 s late"].rivals == {"n-sigma": 1.0, "baro": 1.0}
    assert report.metrics["ac@1"] == 1.0


def test_a_run_of_one_variant_reports_that_variant(suite: str, tmp_path: Path) -> None:
    late = Variant(without=(Part.GRAPH,), shift=timedelta(seconds=60))
    report = run_suite(
        suite, tmp_path, investigate=made_up.blame_the_loudest_with_a_graph, plan=Plan(late, label="mine")
    )
    assert (report.title, report.metrics["ac@1"]) == ("mine, without graph, alert 60 s late", 0.0)
    assert report.variants == ()


@pytest.mark.parametrize("analyst", ["n-sigma", "baro"])
def test_another_method_can_be_the_analyst(suite: str, tmp_path: Path, analyst: str) -> None:
    report = run_suite(suite, tmp_path, plan=Plan(analyst=analyst))
    assert (report.analyst, report.metrics["ac@1"], report.metrics["brier"]) == (analyst, 1.0, None)
    assert report.quiet is None


@pytest.mark.parametrize(
    ("analyst", "told"),
    [("gut feeling", "there are statistics, n-sigma, baro"), ("baro", "causes of rootcausebench are a commit")],
)
def test_an_analyst_that_cannot_answer_is_one_line(tmp_path: Path, analyst: str, told: str) -> None:
    with pytest.raises(CallerError, match=told):
        run_suite("rootcausebench", suite_of(tmp_path, "a"), plan=Plan(analyst=analyst))


def test_a_crash_in_one_variant_is_a_miss_of_that_variant(suite: str, tmp_path: Path) -> None:
    report = run_suite(suite, tmp_path, investigate=crash_without_a_graph, plan=Plan(full=True))
    rows = {row.name: row.accuracy for row in report.variants}
    assert rows["plain"] == rows["alert 60 s early"] == 1.0
    assert rows["without graph"] == 0.0


def crash_without_a_graph(recording: Recording) -> made_up.Diagnosis:
    if not recording.edges:
        raise ZeroDivisionError("nothing to divide by")
    return made_up.blame_the_loudest(recording)


def test_leaving_early_drops_what_waits(suite: str, tmp_path: Path) -> None:
    seen: list[str] = []

    def investigate(recording: Recording) -> made_up.Diagnosis:
        seen.append(recording.name)
        time.sleep(0.1)
        return made_up.blame_the_loudest(recording)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_suite(suite, tmp_path, progress=interrupt, investigate=investigate)
    assert len(seen) < 5


def test_one_process_for_each_processor_but_not_too_many() -> None:
    assert 1 <= default_workers() <= 4


def test_a_diagnosis_tells_its_story_with_its_queries(tmp_path: Path) -> None:
    (case,) = run_suite("rootcausebench", suite_of(tmp_path, "a")).cases
    assert case.story[0].part == "answer"
    assert any("(" in query for told in case.story for query in told.queries)
    assert case.read_seconds > 0
