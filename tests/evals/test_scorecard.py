from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import CallerError
from evals.perturb import Part, Variant
from evals.scorecard import Scorecard, by_label, card_of, read_scorecard, regressions
from tests.evals.suite_reports import cases_of, report_of


def test_the_same_run_is_no_regression() -> None:
    report = report_of(*cases_of(7, 1), alarms=(False, True), late=tuple(cases_of(6, 2)))
    assert regressions(Scorecard().updated([report]), report) == ()


def test_a_rate_below_its_interval_is_a_line_with_both_figures() -> None:
    card = Scorecard().updated([report_of(*cases_of(8, 0))])
    worse = regressions(card, report_of(*cases_of(2, 6)))
    first = next(line for line in worse if "ac@1" in line)
    assert first == ("petshop: ac@1 is 0.250 (n=8), below the committed 1.000 and its interval's lower end 0.631")
    assert any("brier is 0.27" in line and "upper end" in line for line in worse)
    assert all("\n" not in line for line in worse)


def test_a_rate_inside_its_interval_passes() -> None:
    assert regressions(Scorecard().updated([report_of(*cases_of(7, 1))]), report_of(*cases_of(6, 2))) == ()


def test_more_false_alarms_than_the_interval_holds_fail() -> None:
    card = Scorecard().updated([report_of(*cases_of(4, 0), alarms=(False,) * 20)])
    (line,) = regressions(card, report_of(*cases_of(4, 0), alarms=(True, False) * 10))
    assert line.startswith("petshop: false_alarm_rate is 0.500 (n=20), above the committed 0.000")


def test_a_run_without_quiet_stretches_or_variants_is_not_judged_by_them() -> None:
    card = Scorecard().updated([report_of(*cases_of(4, 0), alarms=(False,) * 9, late=tuple(cases_of(4, 0)))])
    assert set(card.suites["petshop"].variants) == {"alert 60 s late"}
    assert regressions(card, report_of(*cases_of(4, 0))) == ()


def test_a_variant_has_a_gate_of_its_own() -> None:
    card = Scorecard().updated([report_of(*cases_of(8, 0), late=tuple(cases_of(8, 0)))])
    (line,) = regressions(card, report_of(*cases_of(8, 0), late=tuple(cases_of(2, 6))))
    assert line.startswith("petshop, alert 60 s late: ac@1 is 0.250")


def test_cases_that_cannot_be_read_any_more_do_not_improve_a_rate() -> None:
    card = Scorecard().updated([report_of(*cases_of(8, 2))])
    assert regressions(card, report_of(*cases_of(8, 0))) == ("petshop: 8 cases were measured, the scorecard has 10",)
    assert regressions(card, report_of(*cases_of(9, 2))) == ()


def test_an_unknown_set_of_data_is_no_pass() -> None:
    card = Scorecard().updated([report_of(*cases_of(1, 0))])
    with pytest.raises(CallerError, match=r"^--gate: the scorecard holds petshop, and not 'theirs'$"):
        regressions(card, report_of(*cases_of(1, 0), label="theirs"))


def test_a_scorecard_is_added_to_and_read_back(tmp_path: Path) -> None:
    card = Scorecard().updated([report_of(*cases_of(1, 0), label="b")]).updated([report_of(*cases_of(1, 2), label="a")])
    path = tmp_path / "scorecard.json"
    path.write_text(card.as_json(), encoding="utf-8")
    assert read_scorecard(path) == card
    assert list(card.suites) == ["a", "b"]
    assert card.suites["a"].rates["ac@1"].value == 0.3333


@pytest.mark.parametrize("content", [None, "{", '{"suites": 3}'])
def test_a_scorecard_that_cannot_be_used_is_one_line(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "scorecard.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(
        CallerError, match=r"scorecard\.json: (is no scorecard|the scorecard cannot be read)"
    ) as refused:
        read_scorecard(path)
    assert "\n" not in str(refused.value)


def test_only_plain_runs_of_the_analysis_are_a_norm() -> None:
    with pytest.raises(CallerError, match="and this is baro, plain"):
        card_of(report_of(*cases_of(1, 0), analyst="baro"))
    with pytest.raises(CallerError, match="and this is statistics, without logs"):
        card_of(report_of(*cases_of(1, 0), variant=Variant(without=(Part.LOGS,))))


def test_two_reports_of_one_name_are_refused() -> None:
    report = report_of(*cases_of(1, 0))
    with pytest.raises(CallerError, match="two reports are called 'petshop'"):
        by_label([report, report])
