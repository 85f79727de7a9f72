from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.observed import Observations
from agent.analysis.traces.observe import observe_traces
from agent.incident import GoldenSignal, Resource, Signal, SignalKind
from tests.agent.analysis.telemetry import ALERT, SPLIT, WINDOW, Span, at, span_frame
from tools.evidence import Edge

MS = 1 / 60_000


def trace(
    name: str,
    minutes: float,
    stock_ms: float = 20,
    gap_ms: float = 2,
    calls: int = 1,
    error: str = "",
    only_shop: bool = False,
) -> list[Span]:
    """Gate calls shop, shop calls stock through a client span, one call after the other."""
    status, told = ("ERROR", {"error": error}) if error else ("OK", {})
    took = calls * (stock_ms + gap_ms)
    minutes += 0.5 * MS
    spans = [
        Span(name, "g", "", "gate", "GET /", minutes, took + 20, status),
        Span(name, "s", "g", "shop", "list", minutes + 5 * MS, took + 10, status),
    ]
    for i in range(0 if only_shop else calls):
        begin = minutes + (8 + i * (stock_ms + gap_ms)) * MS
        spans.append(Span(name, f"c{i}", "s", "shop", "call stock", begin, stock_ms + gap_ms, status))
        spans.append(
            Span(name, f"k{i}", f"c{i}", "stock", "count", begin + gap_ms / 2 * MS, stock_ms, status, "", told)
        )
    return spans


def observe(*traces: list[Span]) -> Observations:
    return observe_traces(span_frame([span for spans in traces for span in spans]), ALERT, WINDOW, SPLIT)


def told(observations: Observations, aspect: str) -> list[Signal]:
    return [signal for signal in observations.signals if signal.attributes["aspect"] == aspect]


def many(seed: int, count: int, since: float, until: float, **changes: float) -> list[list[Span]]:
    rng = np.random.default_rng(seed)
    return [
        trace(
            f"{seed}-{i}",
            m,
            **({"stock_ms": 20 * rng.lognormal(0, 0.2), "gap_ms": 2 * rng.lognormal(0, 0.2)} | changes),
        )
        for i, m in enumerate(sorted(rng.uniform(since, until, count)))
    ]


BEFORE = many(1, 120, 0, 59)


def test_the_slow_callee_is_told_and_not_its_callers() -> None:
    observations = observe(*BEFORE, *many(2, 60, 62, 89, stock_ms=400))
    (signal,) = told(observations, "self_time")
    assert (signal.kind, signal.service, signal.name, signal.unit) == (SignalKind.SPAN, "stock", "count", "ms")
    assert (signal.direction, signal.harmful, signal.golden) == ("up", True, GoldenSignal.LATENCY)
    assert signal.before == pytest.approx(20, rel=0.2)
    assert signal.after == pytest.approx(400)
    assert signal.confidence > 0.8
    assert abs(signal.onset - at(62)) < timedelta(minutes=2)
    assert observations.signals == (signal,)
    assert observations.edges == (Edge(caller="gate", callee="shop"), Edge(caller="shop", callee="stock"))


def test_a_slow_network_is_a_gap_of_the_caller() -> None:
    (signal,) = observe(*BEFORE, *many(2, 60, 62, 89, gap_ms=300)).signals
    assert (signal.attributes["aspect"], signal.service, signal.name, signal.peer) == (
        "gap",
        "shop",
        "call stock",
        "stock",
    )
    assert (signal.resource, signal.harmful) == (Resource.NETWORK, True)


def test_a_loop_is_more_calls_per_parent() -> None:
    observations = observe(*BEFORE, *many(2, 60, 62, 89, calls=12))
    (signal, *others) = told(observations, "calls_per_parent")
    assert {s.name for s in (signal, *others)} == {"call stock"}
    assert (signal.before, signal.after) == (1, 12)
    assert signal.golden is GoldenSignal.TRAFFIC


def test_failures_are_told_with_what_they_say_and_where_they_come_from() -> None:
    failing = [trace(f"e{i}", 62 + i / 2, error="disk pool exhausted") for i in range(20)]
    observations = observe(*BEFORE, *failing, *many(3, 30, 61, 89))
    signals = {s.name: s for s in told(observations, "errors")}
    assert set(signals) == {"GET /", "list", "call stock", "count"}
    count = signals["count"]
    assert (count.example, count.attributes["message"]) == ("disk pool exhausted", "disk pool exhausted")
    assert (count.peer, count.resource, count.harmful) == (None, Resource.CONNECTIONS, True)
    assert signals["call stock"].attributes["from_callee"] == "stock"
    assert signals["GET /"].peer == "shop"
    assert count.before == 0
    assert count.after == pytest.approx(0.4)


def test_calls_that_are_no_longer_made_are_gone() -> None:
    (signal,) = told(observe(*BEFORE, *many(2, 60, 62, 89, only_shop=True)), "gone")
    assert (signal.service, signal.name, signal.shape) == ("shop", "call stock", "gone")
    assert signal.harmful
    assert signal.attributes["caller"] == "shop"


def test_calls_that_are_left_out_because_the_caller_failed_are_a_consequence() -> None:
    failing = [trace(f"e{i}", 62 + i / 2, error="x", only_shop=True) for i in range(40)]
    (signal,) = told(observe(*BEFORE, *failing), "gone")
    assert not signal.harmful


def test_a_slow_share_is_told_where_the_median_stays() -> None:
    (signal,) = observe(*BEFORE, *many(2, 48, 61, 89), *many(3, 12, 61, 89, stock_ms=5_000)).signals
    assert (signal.service, signal.attributes["aspect"], signal.attributes["share"]) == ("stock", "self_time", "20%")
    assert signal.after == pytest.approx(5_000)


def test_two_exemplars_give_a_modest_signal() -> None:
    (signal,) = observe(
        trace("1", 20), trace("2", 40), trace("3", 66, stock_ms=200), trace("4", 70, stock_ms=200)
    ).signals
    assert signal.service == "stock"
    assert 0.3 <= signal.confidence <= 0.6
    assert signal.onset_uncertainty == timedelta(minutes=10)


def test_with_nothing_before_only_failures_and_loops_are_told_and_little_believed() -> None:
    observations = observe(trace("1", 66, stock_ms=900, error="no stock", calls=30))
    assert {s.attributes["aspect"] for s in observations.signals} == {"errors", "calls_per_parent"}
    assert all(s.confidence <= 0.35 for s in observations.signals)


def test_an_impatient_caller_is_named_and_its_callee_is_not_blamed() -> None:
    given_up = [
        Span("x", "g", "", "gate", "GET /", 70, 150, "ERROR"),
        Span("x", "s", "g", "shop", "list", 70, 140, "ERROR", "client", {"error": "deadline exceeded"}),
        Span("x", "k", "s", "stock", "count", 70, 200, "ERROR", "", {"error": "context canceled"}),
    ]
    usual = [
        Span("y", "g", "", "gate", "GET /", 20, 210),
        Span("y", "s", "g", "shop", "list", 20, 205, kind="client"),
        Span("y", "k", "s", "stock", "count", 20, 200),
    ]
    observations = observe(given_up, usual)
    (signal,) = told(observations, "cancelled")
    assert (signal.service, signal.name, signal.peer, signal.harmful) == ("stock", "count", "shop", False)
    assert "count" not in {s.name for s in told(observations, "errors")}


def test_peers_without_telemetry_become_leaves() -> None:
    spans = [Span("1", "a", "", "shop", "fetch", 70, 9, attributes={"peer.service": "storage.example"})]
    assert observe(spans).edges == (Edge(caller="shop", callee="storage.example"),)


def test_steady_traffic_is_silent() -> None:
    assert observe(*many(5, 300, 0, 89)).signals == ()


def test_noise_gives_signals_well_below_one_in_a_hundred_operations() -> None:
    rng = np.random.default_rng(11)
    spans = [
        Span(
            f"{n}-{i}",
            "a",
            "",
            "shop",
            f"op {n}",
            float(m),
            float(10 * rng.lognormal(0, 0.5)),
            "ERROR" if rng.random() < 0.05 else "OK",
        )
        for n in range(150)
        for i, m in enumerate(rng.uniform(0, 90, 3 + n % 40))
    ]
    assert len(observe(spans).signals) <= 1


def test_nothing_comes_of_nothing() -> None:
    assert observe() == Observations(alert=ALERT, window=WINDOW)
    assert observe(trace("old", -20)) == Observations(alert=ALERT, window=WINDOW)


SPANS = st.lists(
    st.builds(
        Span,
        trace=st.sampled_from(["t1", "t2", "t3"]),
        span=st.sampled_from(["a", "b", "c", "d"]),
        parent=st.sampled_from(["a", "b", "c", ""]),
        service=st.sampled_from(["gate", "shop", ""]),
        name=st.sampled_from(["x", "y"]),
        minutes=st.integers(-5, 95).map(float),
        ms=st.floats(0, 1e6),
        status=st.sampled_from(["OK", "ERROR", ""]),
        kind=st.sampled_from(["client", ""]),
        attributes=st.sampled_from([{}, {"error": "context canceled"}, {"peer.service": "far"}]),
    ),
    max_size=30,
    unique_by=lambda span: (span.trace, span.span),
)


@settings(max_examples=80, deadline=None)
@given(spans=SPANS, split=st.integers(-10, 100), seed=st.randoms(use_true_random=False))
def test_any_frame_is_observed_and_row_order_is_irrelevant(spans: list[Span], split: int, seed) -> None:
    frame = span_frame(spans)
    observed = observe_traces(frame, ALERT, WINDOW, at(split))
    order = list(range(len(frame)))
    seed.shuffle(order)
    assert observe_traces(frame.iloc[order], ALERT, WINDOW, at(split)) == observed
    inside = [span for span in spans if 0 <= span.minutes < 90]
    assert sum(o.count_before + o.count_after for o in observed.operations) == len(inside)
    for signal in observed.signals:
        assert 0 < signal.confidence < 1
        assert WINDOW.contains(signal.onset)
        assert np.isfinite([signal.before, signal.after, signal.size]).all()
