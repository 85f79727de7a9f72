"""Whose waiting and whose failures are a service's own."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.faults.fault import Fault
from agent.analysis.faults.waiting import BEYOND_FROM, FELT, waiting_faults
from agent.analysis.observed import Excess
from agent.analysis.traces.callgraph import call_graph
from agent.incident import FaultKind, GoldenSignal
from tests.agent.analysis.faults.sightings import by_score, failed, waited
from tests.agent.analysis.scenes import WINDOW, at
from tools.evidence import Edge, evidence_id

CALLS = (("web", "shop"), ("web", "user"), ("shop", "stock"), ("shop", "price"))


def found(
    *excesses: Excess,
    calls: Sequence[tuple[str, str]] = CALLS,
    symptom: str = "web",
    golden: GoldenSignal = GoldenSignal.LATENCY,
) -> list[Fault]:
    graph = call_graph([Edge(caller=a, callee=b) for a, b in calls])
    return waiting_faults(excesses, graph, symptom, golden, WINDOW)


def test_what_callees_wait_is_taken_off_their_callers() -> None:
    faults = found(waited("web", 1000), waited("shop", 990), waited("stock", 980))
    assert by_score(faults)[0] == "stock"
    shares = {f.service: f.score for f in faults}
    assert shares["stock"] > 2 * max(shares["web"], shares["shop"])


def test_a_caller_that_passes_all_on_has_nothing_of_its_own() -> None:
    assert by_score(found(waited("web", 1000), waited("shop", 1000))) == ["shop"]
    assert by_score(found(waited("web", 900), waited("shop", 1000))) == ["shop"]


def test_a_caller_that_waits_longer_than_its_callees_is_slow_itself() -> None:
    faults = found(waited("web", 1000), waited("shop", 900), waited("stock", 100))
    assert by_score(faults)[0] == "shop"


def test_several_callees_add_up() -> None:
    faults = found(waited("shop", 1000), waited("stock", 600), waited("price", 400))
    assert by_score(faults) == ["stock", "price"]


def test_the_excess_of_all_requests_counts_and_not_how_odd_it_is() -> None:
    # Few requests that are very slow are odder, but the many that are a little slower hurt more.
    rare, common = waited("price", 200, usual=1, noise=2), waited("stock", 5000, noise=100)
    assert by_score(found(rare, common))[0] == "stock"


def test_a_callee_that_nobody_called_before_is_its_callers_doing() -> None:
    assert by_score(found(waited("web", 1000), waited("user", 900, new=True))) == ["web"]


@pytest.mark.parametrize("name", ["shop_client", "shop:remote", "client", "Shop-Upstream", "shop_egress"])
def test_a_callers_view_of_somebody_else_is_hearsay(name: str) -> None:
    excesses = (waited(name, 2000), waited("shop", 900))
    assert by_score(found(*excesses, calls=(("shop", name),))) == ["shop"]
    assert by_score(found(*excesses, calls=())) == ["shop"]


def test_a_name_that_only_begins_like_hearsay_is_a_service() -> None:
    assert by_score(found(waited("client-api", 900), calls=(("web", "client-api"),))) == ["client-api"]


def test_where_all_is_hearsay_nothing_is_named() -> None:
    assert found(waited("shop_client", 900), calls=()) == []
    assert found(waited("shop", 900, new=True)) == []


def test_without_a_graph_the_innermost_is_the_one_that_was_quickest() -> None:
    excesses = (waited("web", 1000, usual=900), waited("shop", 980, usual=500), waited("stock", 970, usual=100))
    assert by_score(found(*excesses, calls=())) == ["stock", "shop", "web"]
    # A graph of others does not help either.
    assert by_score(found(*excesses, calls=(("a", "b"),))) == ["stock", "shop", "web"]


def test_without_a_graph_a_smaller_excess_is_another_story() -> None:
    assert by_score(found(waited("web", 1000, usual=900), waited("stock", 100, usual=1), calls=())) == ["web"]


@pytest.mark.parametrize("part", ["store::table", "store/table", "store.table", "store:table"])
def test_a_part_is_inside_of_what_it_is_named_after(part: str) -> None:
    whole = waited("store", 1000, usual=100)
    assert by_score(found(whole, waited(part, 990, usual=500), calls=())) == [part, "store"]
    assert by_score(found(whole, waited(part, 990, usual=50), calls=())) == [part, "store"]


def test_a_longer_name_alone_is_no_part() -> None:
    assert by_score(found(waited("store", 1000, usual=1), waited("storefront", 990), calls=())) == [
        "store",
        "storefront",
    ]


def test_parts_of_parts_are_further_inside() -> None:
    names = ("a", "a.b", "a.b.c")
    excesses = [waited(name, 1000, usual=10.0 * i) for i, name in enumerate(names, start=1)]
    assert by_score(found(*excesses, calls=()))[0] == "a.b.c"


def test_an_order_that_was_guessed_is_worth_less_than_one_that_is_known() -> None:
    (guessed,), (known,) = found(waited("stock", 900), calls=()), found(waited("stock", 900))
    assert guessed.score < known.score


def test_without_a_graph_failures_go_inwards_by_how_long_each_takes() -> None:
    quick = (waited("stock", 0, usual=1), waited("web", 0, usual=900))
    failures = (failed("web", 100, usual=10), failed("stock", 100, usual=900))
    faults = found(*failures, *quick, calls=(), golden=GoldenSignal.ERRORS)
    assert by_score(faults) == ["stock", "web"]


@pytest.mark.parametrize("make", [waited, failed])
def test_what_varies_as_much_every_day_does_not_count(make) -> None:
    golden = make("stock", 0).golden
    edge = BEYOND_FROM[golden] * 10
    assert found(make("stock", 0.99 * edge, noise=10)) == []
    assert found(make("stock", 1.01 * edge, noise=10))
    assert found(make("stock", -edge, noise=10)) == []


@pytest.mark.parametrize("make", [waited, failed])
def test_what_is_too_small_to_be_felt_at_the_symptom_does_not_count(make) -> None:
    golden = make("stock", 0).golden
    symptom = make("web", 0, usual=1e6)
    edge = FELT[golden] * 1e6
    assert found(make("stock", 0.99 * edge, noise=1), symptom) == []
    assert found(make("stock", 1.01 * edge, noise=1), symptom)
    # Where the alert is about somebody else it may be felt.
    assert found(make("stock", 0.99 * edge, noise=1), symptom, symptom="user")


def test_the_signal_of_the_alert_counts_more_than_the_other() -> None:
    excesses = (waited("stock", 500), failed("price", 500))
    slow = {f.mechanism: f.score for f in found(*excesses)}
    failing = {f.mechanism: f.score for f in found(*excesses, golden=GoldenSignal.ERRORS)}
    assert slow["located_slowness"] > failing["located_slowness"] > 0
    assert failing["located_failures"] > slow["located_failures"] > 0


def test_it_tells_what_was_waited_and_cites_the_series() -> None:
    excess = waited("shop", 1000)
    fault = next(f for f in found(excess, waited("stock", 600)) if f.service == "shop")
    assert (fault.kind, fault.mechanism, fault.metric) == (FaultKind.UNKNOWN, "located_slowness", "latency_average")
    assert fault.since == at(0)
    assert fault.claims[0].evidence == (evidence_id(excess.query, WINDOW),)
    assert fault.claims[0].text.startswith("requests to shop waited")
    assert fault.claims[0].text.endswith("of it not for its callees")


def test_it_tells_how_many_failed() -> None:
    faults = found(failed("shop", 100), failed("stock", 60), golden=GoldenSignal.ERRORS)
    fault = next(f for f in faults if f.service == "shop")
    assert (fault.mechanism, fault.metric) == ("located_failures", "availability")
    assert fault.claims[0].text == "100 more requests to shop failed than usual, 40 of them not through its callees"


def test_nothing_measured_nothing_said() -> None:
    assert found() == []


EXCESSES = st.lists(
    st.builds(
        waited,
        st.sampled_from(["web", "shop", "user", "stock", "price", "stock.read", "shop_client"]),
        st.integers(-100, 5000).map(float),
        usual=st.integers(1, 5000).map(float),
        noise=st.integers(1, 200).map(float),
        new=st.booleans(),
        golden=st.sampled_from([GoldenSignal.LATENCY, GoldenSignal.ERRORS]),
    ),
    max_size=10,
    unique_by=lambda x: (x.service, x.golden),
)
GRAPHS = st.sampled_from([(), CALLS])


def scores(faults: list[Fault]) -> dict[tuple[str, str], float]:
    return {(f.service, f.mechanism): f.score for f in faults}


@settings(max_examples=40, deadline=None)
@given(excesses=EXCESSES, calls=GRAPHS, seed=st.integers(0, 1000))
def test_the_order_does_not_matter(excesses: list[Excess], calls: tuple[tuple[str, str], ...], seed: int) -> None:
    straight = scores(found(*excesses, calls=calls))
    assert all(score > 0 for score in straight.values())
    random.Random(seed).shuffle(excesses)
    assert scores(found(*excesses, calls=calls)) == straight


@settings(max_examples=40, deadline=None)
@given(excesses=EXCESSES, calls=GRAPHS, usual=st.floats(0, 1e4))
def test_an_untouched_service_changes_nothing(
    excesses: list[Excess], calls: tuple[tuple[str, str], ...], usual: float
) -> None:
    straight = scores(found(*excesses, calls=calls))
    assert scores(found(*excesses, waited("calm", 0, usual=usual), calls=calls)) == straight


@settings(max_examples=40, deadline=None)
@given(excesses=EXCESSES, calls=GRAPHS, power=st.integers(-20, 20))
def test_the_unit_of_time_does_not_matter(
    excesses: list[Excess], calls: tuple[tuple[str, str], ...], power: int
) -> None:
    slow = [x for x in excesses if x.golden is GoldenSignal.LATENCY]
    factor = 2.0**power  # a power of two, so that rounding makes no difference
    scaled = [
        x.model_copy(update={"amount": factor * x.amount, "noise": factor * x.noise, "usual": factor * x.usual})
        for x in slow
    ]
    assert scores(found(*scaled, calls=calls)) == scores(found(*slow, calls=calls))
