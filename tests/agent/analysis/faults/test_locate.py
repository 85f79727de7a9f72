"""One fault per service, led by the kind of telemetry that shows it most clearly."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.catalogue import mechanisms
from agent.analysis.faults.code import code_faults
from agent.analysis.faults.locate import CONFIRMS, EXPLAINS_FROM, locate
from agent.analysis.faults.resources import resource_faults
from agent.incident import FaultKind, Resource
from tests.agent.analysis.faults.sightings import MEMORY, broken, call, failed, scene, used, waited
from tests.agent.analysis.scenes import WINDOW, at

BUSY = used("shop", 10, 100)
SLOW_CALLS = (call("web", "shop", 1, 300), call("shop", "db", 1, 300))
CALLS = (("web", "shop"), ("shop", "db"))


def test_a_quiet_scene_has_no_fault() -> None:
    assert locate(scene()) == []
    quiet = scene(
        levels=[used("shop", 10, 10)], gaps=[call("web", "shop", 1, 1)], excesses=[waited("shop", 0)], calls=CALLS
    )
    assert locate(quiet) == []


def test_each_kind_of_telemetry_is_looked_at_and_known_to_the_catalogue() -> None:
    faults = locate(
        scene(
            levels=[used("a", 10, 100)],
            gaps=[call("b", "c", 1, 300)],
            breaks=[broken("d", 30)],
            excesses=[waited("e", 5000), failed("f", 500)],
        )
    )
    by_service = {f.service: f.mechanism for f in faults}
    assert by_service == {
        "a": "located_cpu",
        "b": "located_network_delay",
        "c": "located_network_delay",
        "d": "located_wrong_return",
        "e": "located_slowness",
        "f": "located_failures",
    }
    assert [f.score for f in faults] == sorted((f.score for f in faults), reverse=True)
    assert all(mechanisms()[f.mechanism].fault is f.kind for f in faults)


@pytest.mark.parametrize("resource", [Resource.CPU, Resource.DISK])
def test_a_resource_that_runs_out_explains_the_slow_calls_of_its_service(resource: Resource) -> None:
    faults = locate(scene(levels=[used("shop", 10, 100, resource)], gaps=SLOW_CALLS))
    assert [f.service for f in faults] == ["shop"]
    assert len(faults[0].claims) == 1


def test_memory_piles_up_because_calls_are_slow_and_explains_none() -> None:
    faults = locate(scene(levels=[used("shop", 10, 100, Resource.MEMORY, MEMORY)], gaps=SLOW_CALLS))
    assert {f.service for f in faults} == {"web", "shop", "db"}


def test_a_resource_that_is_a_little_busier_explains_nothing() -> None:
    little = used("shop", 10, 40, metric="node_cpu_pct")
    (alone,) = resource_faults([little], at(0))
    assert alone.score < EXPLAINS_FROM
    assert {f.service for f in locate(scene(levels=[little], gaps=SLOW_CALLS))} == {"web", "shop", "db"}


def test_other_kinds_confirm_the_clearest_of_the_same_service() -> None:
    (resource,) = resource_faults([BUSY], at(0))
    (code,) = code_faults([broken("shop", 1)], WINDOW)
    (joined,) = locate(scene(levels=[BUSY], breaks=[broken("shop", 1)]))
    assert (joined.kind, joined.mechanism, joined.metric) == (FaultKind.CPU, "located_cpu", BUSY.metric)
    assert joined.score == pytest.approx(resource.score + CONFIRMS * code.score)
    assert joined.claims == (*resource.claims, *code.claims)


def test_what_is_odd_about_another_service_confirms_nothing() -> None:
    alone = locate(scene(levels=[BUSY]))
    both = locate(scene(levels=[BUSY], breaks=[broken("db", 1)]))
    assert [f for f in both if f.service == "shop"] == alone


def test_the_clearer_kind_leads() -> None:
    strong, weak = broken("shop", 1e5, raised=True), broken("shop", 0.1, raised=True)
    assert locate(scene(levels=[BUSY], breaks=[strong]))[0].kind is FaultKind.CODE_EXCEPTION
    assert locate(scene(levels=[BUSY], breaks=[weak]))[0].kind is FaultKind.CPU


def test_slowness_and_failures_of_one_service_become_one_fault() -> None:
    (fault,) = locate(scene(excesses=[waited("shop", 500), failed("shop", 500)]))
    assert len(fault.claims) == 2


def test_the_graph_of_the_scene_tells_whose_waiting_it_is() -> None:
    excesses = [waited("shop", 1000, usual=10), waited("db", 1000, usual=900)]
    assert [f.service for f in locate(scene(excesses=excesses, calls=CALLS))] == ["db"]
    assert [f.service for f in locate(scene(excesses=excesses))] == ["shop", "db"]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_sightings_does_not_matter(seed: int) -> None:
    seen = {
        "levels": [BUSY, used("db", 20, 90, Resource.MEMORY, MEMORY), used("web", 20, 20)],
        "gaps": [*SLOW_CALLS, call("web", "user", 1, 200)],
        "breaks": [broken("user", 20), broken("web", 10, first=0.1), broken("user", 30, step="other")],
        "excesses": [waited("web", 900), waited("db", 500), failed("db", 20)],
    }
    straight = locate(scene(**seen, calls=CALLS))
    for sightings in seen.values():
        random.Random(seed).shuffle(sightings)
    assert [(f.service, f.score, f.kind) for f in locate(scene(**seen, calls=CALLS))] == [
        (f.service, pytest.approx(f.score), f.kind) for f in straight
    ]
