from __future__ import annotations

import pytest

from agent.analysis.edits import Edit, EditKind
from agent.analysis.observed import OperationStats
from agent.analysis.operating_point import judge
from agent.analysis.scene import Scene
from agent.incident import GoldenSignal, Resource
from tests.agent.analysis.scenes import incident, level


def edit(before: float, after: float, unit: str = "") -> Edit:
    return Edit(kind=EditKind.VALUE, path="a.go", name="limit", number_before=before, number_after=after, unit=unit)


@pytest.mark.parametrize(
    ("usual_ms", "limit_s", "sign"),
    [(400, 0.3, 1), (400, 0.45, 1), (400, 0.7, -1), (400, 5.0, -1)],
)
def test_a_deadline_is_held_against_the_latency_before(usual_ms: float, limit_s: float, sign: int) -> None:
    usual = level("shop", "p99_ms", usual_ms, usual_ms, golden=GoldenSignal.LATENCY, unit="ms")
    claim = judge(Scene(*incident(levels=(usual,))), ("shop",), edit(8, limit_s, "s"), "deadline")
    assert claim is not None
    assert claim.weight * sign > 0
    assert claim.evidence == (usual.evidence,)


def test_a_deadline_is_held_against_the_calls_it_bounds() -> None:
    call = OperationStats(service="db", name="Find", evidence="E1", parent_service="shop", duration_before=900.0)
    claim = judge(Scene(*incident(operations=(call,))), ("shop",), edit(5, 0.5, "s"), "deadline")
    assert claim is not None
    assert claim.weight > 0


def test_nothing_measured_says_nothing() -> None:
    assert judge(Scene(*incident()), ("shop",), edit(5, 0.5, "s"), "deadline") is None


def test_a_raised_deadline_is_not_judged() -> None:
    usual = level("shop", "p99_ms", 400, 400, golden=GoldenSignal.LATENCY, unit="ms")
    assert judge(Scene(*incident(levels=(usual,))), ("shop",), edit(0.3, 5, "s"), "deadline") is None


def test_a_ceiling_that_is_reached_bites() -> None:
    used = level("shop", "pool_in_use", 14, 10, golden=GoldenSignal.SATURATION, resource=Resource.CONNECTIONS)
    claim = judge(Scene(*incident(levels=(used,))), ("shop",), edit(50, 10), "ceiling")
    assert claim is not None
    assert claim.weight > 0


def test_a_gauge_that_moves_as_the_diff_does_shows_the_setting() -> None:
    gauge = level("shop", "pool_max", 50, 10)
    claim = judge(Scene(*incident(levels=(gauge,))), (), edit(50, 10), None)
    assert claim is not None
    assert claim.weight > 2


def test_a_gauge_from_zero_to_one_shows_nothing() -> None:
    assert judge(Scene(*incident(levels=(level("shop", "up", 0, 1),))), (), edit(0, 1), None) is None
