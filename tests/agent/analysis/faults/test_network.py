"""Whose network it is: the service all of whose calls take longer on the way."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.faults.fault import Fault
from agent.analysis.faults.network import FELT_FROM, GROWN_FROM, NOISE_MS, NOISE_SHARE, network_faults
from agent.analysis.observed import CallGap
from agent.incident import FaultKind
from tests.agent.analysis.faults.sightings import by_score, call
from tests.agent.analysis.scenes import WINDOW, at
from tools.evidence import evidence_id

DELAY = 200.0


def found(*calls: CallGap, explained: frozenset[str] = frozenset()) -> list[Fault]:
    return network_faults(calls, explained, WINDOW)


def test_the_service_all_of_whose_calls_grew_is_named() -> None:
    faults = found(
        call("gate", "shop", 1, 1 + DELAY),
        call("shop", "stock", 1, 1 + DELAY),
        call("shop", "price", 1, 1 + DELAY),
        call("gate", "user", 1, 1),
        call("user", "stock", 1, 1),
        call("user", "price", 1, 1),
    )
    assert by_score(faults)[0] == "shop"
    assert {f.service for f in faults} == {"gate", "price", "shop", "stock"}
    assert {f.kind for f in faults} == {FaultKind.NETWORK_DELAY}


def test_a_call_that_stayed_quick_speaks_for_a_service() -> None:
    faults = found(call("gate", "shop", 1, 1 + DELAY), call("gate", "user", 1, 1))
    assert by_score(faults) == ["shop", "gate"]


def test_of_a_single_pair_either_side_may_be_it() -> None:
    faults = found(call("gate", "shop", 1, 1 + DELAY))
    assert [f.service for f in faults] == ["gate", "shop"]
    assert faults[0].score == faults[1].score > 0


def test_who_has_more_of_the_delay_is_likelier() -> None:
    hub = (call("gate", "shop", 1, 1 + DELAY), call("shop", "stock", 1, 1 + DELAY))
    scores = {f.service: f.score for f in found(*hub, call("mail", "queue", 1, 1 + DELAY))}
    assert scores["shop"] > scores["gate"] == pytest.approx(scores["mail"])


def test_claims_tell_the_wait_and_cite_the_spans() -> None:
    slower, slow = call("shop", "stock", 1, 1 + 2 * DELAY), call("gate", "shop", 1, 1 + DELAY)
    fault = next(f for f in found(slow, slower) if f.service == "shop")
    assert [c.evidence for c in fault.claims] == [(evidence_id(x.query, WINDOW),) for x in (slower, slow)]
    assert fault.claims[0].text == "shop waits 401 ms longer for stock than stock works (10 ms); it was 1 ms"
    assert fault.claims[0].weight > fault.claims[1].weight > 0


def test_it_began_with_the_first_of_its_calls() -> None:
    late = call("gate", "shop", 1, 1 + 2 * DELAY).model_copy(update={"since": at(3)})
    fault = next(f for f in found(late, call("shop", "stock", 1, 1 + DELAY)) if f.service == "shop")
    assert fault.since == at(0)


def test_calls_from_and_to_a_busy_service_are_not_held_against_anybody() -> None:
    calls = (call("gate", "shop", 1, 1 + DELAY), call("shop", "stock", 1, 1 + DELAY))
    assert found(*calls, explained=frozenset({"shop"})) == []
    elsewhere = call("gate", "user", 1, 1 + DELAY)
    assert {f.service for f in found(*calls, elsewhere, explained=frozenset({"shop"}))} == {"gate", "user"}


def test_nothing_called_nothing_grown_nothing_said() -> None:
    assert found() == []
    assert found(call("gate", "shop", 5, 5), call("shop", "stock", 5, 1)) == []


@pytest.mark.parametrize(
    ("before", "spread", "noise"),
    [(0.0, 0.0, NOISE_MS), (100.0, 0.0, NOISE_SHARE * 100), (0.0, 40.0, 40.0)],
    ids=["clocks", "share", "own spread"],
)
def test_a_growth_within_the_noise_is_none(before: float, spread: float, noise: float) -> None:
    def grew(noises: float) -> bool:
        return bool(found(call("gate", "shop", before, before + noises * noise, server=0, spread=spread)))

    assert not grew(0.98 * GROWN_FROM)
    assert grew(1.02 * GROWN_FROM)


def test_a_small_delay_of_a_long_call_is_not_felt() -> None:
    server = 1000.0
    assert found(call("gate", "shop", 1, 1 + 0.9 * FELT_FROM * server, server=server)) == []
    assert found(call("gate", "shop", 1, 1 + 1.1 * FELT_FROM * server, server=server))


def test_a_callee_whose_clock_runs_ahead_does_not_shorten_the_call() -> None:
    # A gap below zero is a matter of clocks; what is usual is then what the server says.
    assert found(call("gate", "shop", -100, -100 + 0.95 * FELT_FROM * 1000, server=1000)) == []
    assert found(call("gate", "shop", -100, -100 + 1.05 * FELT_FROM * 1000, server=1000))


def test_a_longer_delay_never_counts_less() -> None:
    scores = [found(call("gate", "shop", 1, 1 + delay))[0].score for delay in (10, 30, 100, 1000, 100_000)]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


CALLS = st.lists(
    st.builds(
        call,
        st.sampled_from("abcd"),
        st.sampled_from("efgh"),
        st.integers(-20, 200).map(float),
        st.integers(-20, 5000).map(float),
        server=st.integers(0, 500).map(float),
        spread=st.integers(0, 50).map(float),
    ),
    max_size=10,
    unique_by=lambda c: (c.caller, c.callee),
)


@settings(max_examples=40, deadline=None)
@given(calls=CALLS, seed=st.integers(0, 1000))
def test_one_fault_per_service_in_any_order(calls: list[CallGap], seed: int) -> None:
    straight = {f.service: f.score for f in found(*calls)}
    assert all(score >= 0 for score in straight.values())
    random.Random(seed).shuffle(calls)
    shuffled = found(*calls)
    assert [f.service for f in shuffled] == sorted(straight)
    assert {f.service: f.score for f in shuffled} == pytest.approx(straight)


@settings(max_examples=40, deadline=None)
@given(calls=CALLS, gap=st.floats(0, 100))
def test_calls_between_untouched_services_change_nothing(calls: list[CallGap], gap: float) -> None:
    assert found(*calls, call("calm", "calmer", gap, gap)) == found(*calls)


@settings(max_examples=40, deadline=None)
@given(delays=st.lists(st.integers(20, 2000), min_size=1, max_size=5, unique=True), power=st.integers(0, 10))
def test_slower_systems_have_the_same_culprits(delays: list[int], power: int) -> None:
    def order(factor: float) -> list[str]:
        calls = [
            call("gate", f"s{i}", factor * 5, factor * (5 + d), server=factor * 10, spread=factor)
            for i, d in enumerate(delays)
        ]
        return by_score(found(*calls))

    assert order(2.0**power) == order(1.0)
