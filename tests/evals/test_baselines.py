from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evals.baselines import (
    RULES,
    SERVICE_RULES,
    alert_service,
    alert_service_latest_deploy,
    always_none,
    constant_list,
    latest_deploy,
    random_order,
    random_service,
    services_of,
    trivial_results,
)
from evals.cases import Case, NamedBy, Truth
from evals.rootcausebench import SUITE
from tests.evals.incident_folders import DECOY, DEPLOYS, GUILTY, MERGED, result, write_incident
from tests.evals.service_recordings import risen


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


def test_every_rule_is_tried_on_a_case(case: Case) -> None:
    found = trivial_results(case)
    assert set(found) == set(RULES)
    latest = found["alert service's latest deploy"]
    assert (latest.hit_rank, latest.blamed_a_decoy) == (2, True)


def service_case(cause: str = "cart") -> Case:
    return Case(id="s", recording=risen(cause), truth=Truth(cause=cause), named_by=NamedBy.SERVICE)


def test_where_causes_are_services_the_rules_name_services() -> None:
    case = service_case()
    assert set(trivial_results(case)) == set(SERVICE_RULES)
    assert sorted(random_service(case)) == ["cart", "gate", "stock"]
    assert random_service(case) == random_service(case)
    assert alert_service(case) == ["gate"]
    nameless = replace(case.recording, alert={"fired_at": "2026-04-01T10:20:00Z"})
    assert alert_service(replace(case, recording=nameless)) == []


def test_services_come_from_every_kind_of_telemetry(case: Case) -> None:
    assert services_of(case.recording) == ["gate", "ledger"]
    only_edges = replace(risen("cart"), metrics=None)
    assert services_of(only_edges) == ["cart", "gate", "stock"]


def test_the_constant_list_does_not_know_its_own_case() -> None:
    results = [result(truth=Truth(cause=cause)) for cause in ("a", "a", "a", "b", "b", "c")]
    assert [row.hit_rank for row in constant_list(results)] == [2, 2, 2, 3, 3, None]
    assert constant_list([result(truth=Truth(cause="a"))])[0].hit_rank is None
