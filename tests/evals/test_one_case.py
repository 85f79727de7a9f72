from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from evals.one_case import Job, run_case, run_dead_case
from evals.perturb import PLAIN, Part, Variant
from evals.suites import SUITES
from tests.evals import answers_for_tests as made_up, service_recordings as services

LATE = Variant(shift=timedelta(seconds=60))
NO_LOGS = Variant(without=(Part.LOGS,))


@pytest.fixture(autouse=True)
def suite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUITES, services.SUITE.name, services.SUITE)


def job(folder: Path, name: str = "a", *, compare: bool = True) -> Job:
    return Job("services", folder, name, made_up.blame_the_loudest, (PLAIN, LATE, NO_LOGS), compare)


def test_a_case_is_read_once_and_answered_for_every_variant_that_changes_it(tmp_path: Path) -> None:
    plain, late, no_logs = run_case(job(tmp_path)).attempts
    assert [attempt.applies for attempt in (plain, late, no_logs)] == [True, True, False]
    assert no_logs.result == plain.result
    assert plain.result.read_seconds > 0
    assert set(late.rivals) == {"n-sigma", "baro"}


def test_a_quiet_stretch_is_not_compared(tmp_path: Path) -> None:
    outcome = run_case(job(tmp_path, "quiet/1", compare=False))
    assert outcome.trivial == {}
    assert outcome.attempts[0].rivals == {}


def test_a_process_that_died_leaves_a_miss_for_every_variant(tmp_path: Path) -> None:
    outcome = run_dead_case(job(tmp_path))
    assert [attempt.result.error for attempt in outcome.attempts] == ["the process that investigated it died"] * 3
    assert set(outcome.trivial) == {"random order", "alert's own service"}


def test_a_case_that_cannot_be_read_is_left_out_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "no-a").touch()
    for run in (run_case, run_dead_case):
        outcome = run(job(tmp_path))
        assert outcome.attempts == ()
        assert outcome.skipped is not None
        assert outcome.skipped.reason == "a: cannot be read"
