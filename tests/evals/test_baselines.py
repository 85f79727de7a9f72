from __future__ import annotations

from pathlib import Path

import pytest

from evals.baselines import (
    RULES,
    alert_service_latest_deploy,
    always_none,
    latest_deploy,
    random_order,
    trivial_results,
    trivial_rows,
)
from evals.cases import Case, NamedBy
from evals.rootcausebench import SUITE
from tests.evals.incident_folders import DECOY, DEPLOYS, GUILTY, MERGED, write_incident


@pytest.fixture
def case(tmp_path: Path) -> Case:
    other = {"timestamp": "2026-04-01T10:19:00Z", "service": "gate", "commit_sha": MERGED, "version": "g2"}
    write_incident(tmp_path / "c", deploys=[*DEPLOYS, other])
    return SUITE.load(tmp_path, "c")


def test_the_latest_deploy_is_the_latest_before_the_alert(case: Case) -> None:
    assert latest_deploy(case) == [MERGED, DECOY, GUILTY]


def test_the_alert_service_has_its_own_row(case: Case) -> None:
    assert alert_service_latest_deploy(case) == [DECOY, GUILTY]


def test_random_order_holds_everything_once_and_is_always_the_same(case: Case) -> None:
    order = random_order(case)
    assert sorted(order) == sorted([GUILTY, DECOY, MERGED, "flag-fast_post", "none"])
    assert order == random_order(case)


def test_always_none_says_one_thing(case: Case) -> None:
    assert always_none(case) == ["none"]


def test_rows_add_up(case: Case) -> None:
    rows = {row.name: row for row in trivial_rows([trivial_results(case), trivial_results(case)])}
    assert set(rows) == set(RULES)
    latest = rows["alert service's latest deploy"]
    assert (latest.hits, latest.decoy_hits, latest.accuracy_at_3, latest.mrr) == (0, 2, 1.0, 0.5)


def test_there_is_no_trivial_row_where_causes_are_services(case: Case) -> None:
    by_service = Case(id="s", recording=case.recording, truth=case.truth, named_by=NamedBy.SERVICE)
    assert trivial_results(by_service) == {}
    assert trivial_rows([{}]) == ()
