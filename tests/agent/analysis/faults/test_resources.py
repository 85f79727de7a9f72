"""Which service uses up which resource, and which use is everyday."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.faults.fault import Fault
from agent.analysis.faults.resources import (
    AS_MUCH,
    BEYOND_FROM,
    KINDS,
    MATTERS_FROM,
    NOISE_POINTS,
    NOISE_SHARE,
    OLD_WORTH,
    SATURATED,
    SHARED_WORTH,
    TENFOLD,
    resource_faults,
)
from agent.analysis.observed import Level
from agent.incident import FaultKind, Resource
from tests.agent.analysis.faults.sightings import MEMORY, by_score, used
from tests.agent.analysis.scenes import at

BYTES = "memory_working_set_bytes"


def found(*levels: Level) -> list[Fault]:
    return resource_faults(levels, at(0))


def only(*levels: Level) -> Fault:
    (fault,) = found(*levels)
    return fault


def held(service: str, usual: float, high: float, spread: float = 0.0) -> Level:
    return used(service, usual, high, Resource.MEMORY, BYTES, unit="B", spread=spread)


def test_a_saturated_processor_beats_one_that_left_its_idleness() -> None:
    # The move from 0.5% is more noises than that from 50%, but nobody waits for it.
    assert by_score(found(used("idle", 0.5, 30), used("busy", 50, 99))) == ["busy", "idle"]
    assert by_score(found(used("idle", 0.5, 2), used("busy", 50, 99))) == ["busy"]


@pytest.mark.parametrize("resource", KINDS)
def test_each_resource_has_its_kind_and_names_its_metric_and_evidence(resource: Resource) -> None:
    level = used("shop", 20, 90, resource, "some_metric")
    fault = only(level)
    assert (fault.kind, fault.mechanism) == KINDS[resource]
    assert (fault.service, fault.metric, fault.since, fault.region) == ("shop", "some_metric", at(0), None)
    assert [claim.evidence for claim in fault.claims] == [(level.evidence,)]
    assert fault.claims[0].text.startswith("shop some_metric 20 % to 90 %")
    assert fault.claims[0].weight == fault.score > 0


def test_what_is_no_resource_of_a_service_is_left_out() -> None:
    assert found() == []
    assert found(used("shop", 1, 100, Resource.THREADS), used("shop", 1, 100, None)) == []


def test_without_a_level_that_was_kept_nothing_is_said() -> None:
    assert found(used("shop", 10, None)) == []


def test_what_is_not_above_usual_is_no_fault() -> None:
    assert found(used("shop", 50, 50), used("web", 50, 20)) == []


def test_what_was_as_restless_before_is_everyday() -> None:
    spread = 70 / BEYOND_FROM
    assert found(used("shop", 20, 90, spread=1.01 * spread)) == []
    assert found(used("shop", 20, 90, spread=0.99 * spread))


def test_a_resource_that_is_used_up_counts_however_restless_it_was() -> None:
    restless = 25.0
    assert found(used("shop", 40, SATURATED - 1, spread=restless)) == []
    assert found(used("shop", 40, SATURATED, spread=restless))
    # Where it is used up every day, that is no news.
    assert found(used("shop", 40, SATURATED, spread=SATURATED - 39)) == []


def test_it_has_to_take_of_what_was_left() -> None:
    usual = 20.0
    enough = usual + MATTERS_FROM * (100 - usual)
    assert found(used("shop", usual, enough - 1)) == []
    assert found(used("shop", usual, enough + 1))


def test_a_utilisation_is_never_steadier_than_a_point() -> None:
    assert only(used("a", 0, 50)).score == pytest.approx(only(used("a", 0, 50, spread=NOISE_POINTS)).score)
    assert only(used("a", 0, 50)).score > only(used("a", 0, 50, spread=2 * NOISE_POINTS)).score


def test_an_amount_is_never_steadier_than_a_share_of_what_the_fleet_uses() -> None:
    fleet = [held(name, 1000.0, 1000.0) for name in "abc"]
    noisy = held("tiny", 1.0, 1.0 + 0.9 * BEYOND_FROM * NOISE_SHARE * 1000)
    assert found(*fleet, noisy) == []
    assert by_score(found(*fleet, held("tiny", 1.0, 900.0))) == ["tiny"]
    # Alone, it is its own fleet.
    assert by_score(found(noisy)) == ["tiny"]


def test_the_fleet_is_the_median_so_that_one_giant_hides_nobody() -> None:
    fleet = [held(name, 100.0, 100.0) for name in "abc"]
    assert by_score(found(*fleet, held("giant", 1e6, 1e6), held("shop", 100, 200))) == ["shop"]


def test_an_amount_out_of_nothing_has_no_noise_to_compare_with() -> None:
    assert found(used("shop", 0.0, 5.0, unit="")) == []
    assert by_score(found(used("shop", 0, 5, unit=""), *(used(n, 1, 1, unit="") for n in "abc"))) == ["shop"]


def test_other_amounts_count_as_taken_when_they_are_a_multiple() -> None:
    def sockets(high: float) -> list[Fault]:
        return found(used("shop", 10, high, Resource.CONNECTIONS, "open_connections", unit=""))

    matters = 10 * (1 + MATTERS_FROM * TENFOLD)
    assert sockets(0.99 * matters) == []
    (some,), (many,), (more,) = sockets(1.01 * matters), sockets(200), sockets(2000)
    assert some.score < many.score < more.score
    assert some.kind is FaultKind.SOCKET


def test_the_share_of_a_limit_is_preferred_to_the_amount() -> None:
    share = used("shop", 20, 90, Resource.MEMORY, MEMORY)
    assert only(share, held("shop", 1e9, 9e9)).metric == MEMORY
    assert only(held("shop", 1e9, 9e9), share).metric == MEMORY
    # Also where the share says that nothing is the matter.
    assert found(used("shop", 20, 21, Resource.MEMORY, MEMORY), held("shop", 1e9, 9e9)) == []
    # The share of one service says nothing about another.
    assert by_score(found(used("web", 20, 21, Resource.MEMORY, MEMORY), held("shop", 1e9, 9e9))) == ["shop"]


def test_of_several_metrics_of_one_resource_the_clearest_counts() -> None:
    weak, strong = used("shop", 20, 60, metric="cpu_a"), used("shop", 20, 95, metric="cpu_b")
    assert only(weak, strong) == only(strong, weak)
    assert only(weak, strong).metric == "cpu_b"
    assert len(only(weak, strong).claims) == 1


@pytest.mark.parametrize("metric", ["node_cpu_pct", "cpu_of_host", "MachineCpuUsage"])
def test_what_a_machine_uses_counts_half(metric: str) -> None:
    own, shared = only(used("shop", 20, 90)), only(used("shop", 20, 90, metric=metric))
    assert shared.score == pytest.approx(SHARED_WORTH * own.score)


def test_a_word_that_only_contains_node_is_no_machine() -> None:
    assert only(used("shop", 20, 90, metric="nodejs_cpu_pct")).score == only(used("shop", 20, 90)).score


def test_a_rise_that_had_been_there_before_the_alert_counts_less() -> None:
    def score(recent: float | None) -> float:
        return only(used("shop", 20, 90, recent=recent)).score

    assert score(None) == score(20) == score(5)
    assert score(20) > score(40) > score(90) == pytest.approx(OLD_WORTH * score(20))
    assert score(99) == score(90)


def test_memory_explains_the_processor_that_it_keeps_busy() -> None:
    memory, cpu = used("shop", 20, 90, Resource.MEMORY, MEMORY), used("shop", 5, 95)
    fault = only(cpu, memory)
    assert (fault.kind, fault.metric) == (FaultKind.MEMORY, MEMORY)
    assert [claim.text.split()[1] for claim in fault.claims] == [MEMORY, cpu.metric]
    assert fault.score == only(cpu).score  # the clearer of both tells how sure it is


def test_a_burning_processor_fills_a_little_memory() -> None:
    little = 20 + 0.9 * AS_MUCH * 80
    fault = only(used("shop", 20, little, Resource.MEMORY, MEMORY), used("shop", 5, 100))
    assert fault.kind is FaultKind.CPU
    assert len(fault.claims) == 2


LEVELS = st.lists(
    st.builds(
        used,
        st.sampled_from("abcd"),
        st.floats(0, 100),
        st.none() | st.floats(0, 100),
        st.sampled_from([*KINDS, None]),
        st.sampled_from(["cpu", "memory", "node_cpu"]),
        unit=st.sampled_from(["%", "B"]),
        spread=st.floats(0, 20),
        recent=st.none() | st.floats(0, 100),
    ),
    max_size=12,
    unique_by=lambda level: (level.service, level.metric),
)


@settings(max_examples=40, deadline=None)
@given(levels=LEVELS, seed=st.integers(0, 1000))
def test_one_fault_per_service_in_any_order(levels: list[Level], seed: int) -> None:
    straight = found(*levels)
    services = [fault.service for fault in straight]
    assert services == sorted(set(services))
    assert all(fault.score >= 0 for fault in straight)
    random.Random(seed).shuffle(levels)
    shuffled = found(*levels)
    assert [(f.service, f.score) for f in shuffled] == [(f.service, f.score) for f in straight]


@settings(max_examples=40, deadline=None)
@given(levels=LEVELS, usual=st.floats(0, 100), spread=st.floats(0, 20))
def test_an_untouched_service_changes_nothing_where_limits_are_known(
    levels: list[Level], usual: float, spread: float
) -> None:
    bounded = [level for level in levels if level.unit == "%"]
    calm = used("calm", usual, usual, spread=spread)
    assert found(*bounded, calm) == found(*bounded)


AMOUNTS = st.lists(
    st.tuples(st.integers(1, 1000), st.integers(1, 20_000)), min_size=1, max_size=6
)  # (usual, high) per service


@settings(max_examples=40, deadline=None)
@given(amounts=AMOUNTS, power=st.integers(-20, 20))
def test_the_unit_of_amounts_does_not_matter(amounts: list[tuple[int, int]], power: int) -> None:
    def order(factor: float) -> list[str]:
        return by_score(found(*(held(f"s{i}", factor * u, factor * h) for i, (u, h) in enumerate(amounts))))

    assert order(2.0**power) == order(1.0)  # powers of two, so that rounding makes no difference
