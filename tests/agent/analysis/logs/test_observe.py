from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.logs.observe import ALL_LINES, MAX_EXAMPLES, observe_logs
from agent.analysis.observed import Observations
from agent.incident import GoldenSignal, Resource, Signal, SignalKind
from tests.agent.analysis.telemetry import ALERT, SPLIT, WINDOW, Line, at, log_frame
from tools.evidence import Edge, Query, evidence_id


def spread(seed: int, rate: float, since: float = 0, until: float = 90) -> list[float]:
    rng = np.random.default_rng(seed)
    return sorted(rng.uniform(since, until, rng.poisson(rate * (until - since))).tolist())


def healthy(service: str, seed: int, rate: float = 2, until: float = 90) -> list[Line]:
    return [Line(m, service, "INFO", f"order {i} handled") for i, m in enumerate(spread(seed, rate, 0, until))]


def observe(*lines: Line) -> Observations:
    return observe_logs(log_frame(lines), ALERT, WINDOW, SPLIT)


def the(observations: Observations, part: str) -> Signal:
    found = [signal for signal in observations.signals if part in signal.name]
    assert len(found) == 1, [signal.name for signal in observations.signals]
    return found[0]


BACKGROUND = [*healthy("shop", 1), *healthy("stock", 2), *healthy("gate", 3)]


def test_a_planted_error_is_found_with_its_onset() -> None:
    moments = spread(4, 1.5, 63)
    lines = [Line(m, "stock", "ERROR", f"cannot reserve item {i}: db pool exhausted") for i, m in enumerate(moments)]
    observations = observe(*BACKGROUND, *lines)
    signal = the(observations, "cannot reserve")
    assert (signal.kind, signal.service, signal.name) == (
        SignalKind.LOG,
        "stock",
        "cannot reserve item <*> db pool exhausted",
    )
    assert abs(signal.onset - at(moments[0])) < timedelta(seconds=1)
    assert (signal.shape, signal.direction, signal.harmful) == ("new", "up", True)
    assert (signal.golden, signal.resource) == (GoldenSignal.SATURATION, Resource.CONNECTIONS)
    assert signal.confidence > 0.8
    assert signal.attributes["severity"] == "ERROR"
    query = Query(tool="log_lines", arguments={"service": "stock", "contains": "cannot reserve item"})
    assert signal.evidence == evidence_id(query, WINDOW)
    assert [s for s in observations.signals if s.harmful] == [signal]


def test_templates_count_both_sides() -> None:
    observations = observe(*[Line(float(m), "shop", "INFO", f"order {m} done") for m in range(90)])
    (template,) = observations.templates
    assert (template.count, template.first_seen, template.last_seen) == (90, at(0), at(89))
    assert template.before == pytest.approx(1, rel=0.02)
    assert template.after == pytest.approx(1, rel=0.05)
    assert len(template.examples) == MAX_EXAMPLES
    assert template.example == template.examples[0] == "order 60 done"


def test_attributes_examples_and_stacks_of_what_is_new() -> None:
    body = "panic: nil map\n\ngoroutine 1 [running]:\nmain.Add(0x1)\n\t/src/cart.go:12 +0x1d\n"
    lines = [Line(m, "shop", "ERROR", body, {"pool": "10", "token": "s3cr3t-value"}) for m in spread(5, 1, 62)]
    signal = the(observe(*BACKGROUND, *lines), "panic")
    assert signal.attributes["pool"] == "10"
    assert signal.attributes["exception"] == "panic"
    assert signal.attributes["frames"] == "/src/cart.go:12 main.Add"
    assert signal.example.startswith("panic: nil map")


def test_frames_are_read_from_attributes_too() -> None:
    told = {"stack": "cart/add.go:7 Cart.add", "exception.type": "OutOfStock"}
    signal = the(observe(*BACKGROUND, *[Line(m, "shop", "ERROR", "no stock", told) for m in spread(5, 1, 62)]), "no st")
    assert (signal.attributes["exception"], signal.attributes["frames"]) == ("OutOfStock", "cart/add.go:7 Cart.add")


def test_a_start_is_not_harmful() -> None:
    starts = [
        Line(m, "shop", "INFO", f"worker {i} started, error handler ready") for i, m in enumerate(spread(6, 2, 60))
    ]
    assert not the(observe(*BACKGROUND, *starts), "started").harmful


def test_healthy_lines_that_stop_with_the_sample_say_little() -> None:
    lines = [*healthy("shop", 1, until=60), *healthy("stock", 2, until=61), *healthy("gate", 3, until=60)]
    errors = [Line(m, "gate", "ERROR", "upstream stock answered 503") for m in spread(8, 2, 60)]
    observations = observe(*lines, *errors)
    assert the(observations, "upstream").harmful
    assert not [s for s in observations.signals if s.direction == "down" and (s.harmful or s.confidence > 0.35)]


def test_a_statement_that_ends_while_its_service_goes_on_is_told() -> None:
    lines = [Line(m, "shop", "INFO", f"receipt {i} printed") for i, m in enumerate(spread(9, 2, 0, 62))]
    signal = the(observe(*BACKGROUND, *lines), "receipt")
    assert (signal.direction, signal.shape, signal.harmful) == ("down", "gone", True)
    assert signal.golden is GoldenSignal.TRAFFIC


def test_a_statement_that_only_becomes_rarer_is_told_and_harmless() -> None:
    often, seldom = spread(9, 8, 0, 62), spread(15, 1, 62)
    lines = [Line(m, "shop", "INFO", f"receipt {i} printed") for i, m in enumerate([*often, *seldom])]
    signal = the(observe(*BACKGROUND, *healthy("shop", 16, 5), *lines), "receipt")
    assert (signal.direction, signal.shape, signal.harmful) == ("down", "step", False)


def test_complaints_that_stop_are_hardly_worth_telling() -> None:
    lines = [Line(m, "shop", "ERROR", f"cannot print receipt {i}") for i, m in enumerate(spread(17, 3, 0, 62))]
    signal = the(observe(*BACKGROUND, *lines), "cannot")
    assert (signal.direction, signal.harmful) == ("down", False)
    assert signal.confidence <= 0.35


def test_a_service_that_falls_silent_is_told_once_for_all() -> None:
    lines = [line for line in BACKGROUND if line.service != "stock" or line.minutes < 62]
    signal = the(observe(*lines), ALL_LINES)
    assert (signal.service, signal.direction, signal.harmful) == ("stock", "down", False)
    assert signal.confidence <= 0.35


def test_the_called_service_is_named_and_becomes_an_edge() -> None:
    lines = [Line(m, "gate", "ERROR", "call to stock timed out", {"peer": "stock:8080"}) for m in spread(10, 1, 61)]
    clients = [Line(m, "stock", "WARN", "login failed user=shop") for m in spread(11, 1, 61)]
    observations = observe(*BACKGROUND, *lines, *clients)
    assert the(observations, "call to").peer == "stock"
    assert the(observations, "call to").golden is GoldenSignal.LATENCY
    assert observations.edges == (Edge(caller="gate", callee="stock"),)


def test_a_caller_named_by_its_callee_is_the_caller() -> None:
    known = [*BACKGROUND, *healthy("cart-service", 12)]
    lines = [Line(m, "stock", "WARN", "login failed user=cart-service") for m in spread(11, 1, 61)]
    observations = observe(*known, *lines)
    signal = the(observations, "login")
    assert (signal.peer, signal.attributes["caller"]) == (None, "cart-service")
    assert observations.edges == (Edge(caller="cart-service", callee="stock"),)


def test_a_process_that_dies_is_told_with_modest_confidence() -> None:
    signal = the(observe(*BACKGROUND, Line(66, "stock", "FATAL", "out of memory, exiting")), "out of memory")
    assert signal.confidence == pytest.approx(0.4)
    assert signal.onset == at(66)


def test_debug_lines_that_appear_are_marked_and_harmless() -> None:
    signal = the(observe(*BACKGROUND, *[Line(m, "shop", "DEBUG", "row read") for m in spread(12, 5, 58)]), "row read")
    assert (signal.attributes["severity"], signal.shape, signal.harmful) == ("DEBUG", "new", False)


def test_without_a_before_errors_are_told_with_little_confidence() -> None:
    lines = [Line(m, "shop", "ERROR", "payment refused") for m in spread(13, 1, 60)]
    signal = the(observe(*lines, *[line for line in BACKGROUND if line.minutes >= 60]), "payment")
    assert signal.confidence <= 0.3
    assert signal.harmful


def test_steady_noise_is_silent() -> None:
    noise = [
        Line(m, service, severity, f"{word} number {i}")
        for seed, (service, severity, word) in enumerate(
            (s, v, w)
            for s in ("shop", "stock", "gate")
            for v in ("INFO", "WARN", "ERROR")
            for w in ("retry", "row", "key")
        )
        for i, m in enumerate(spread(100 + seed, 0.2 * 3 ** (seed % 4)))
    ]
    assert observe(*noise).signals == ()


def test_lines_outside_the_window_do_not_count() -> None:
    observations = observe(*BACKGROUND, *[Line(-m, "shop", "ERROR", "old trouble") for m in spread(14, 2, 1, 20)])
    assert not any("old" in template.template for template in observations.templates)


def test_nothing_comes_of_nothing() -> None:
    assert observe() == Observations(alert=ALERT, window=WINDOW)
    assert observe(Line(-5, "shop", "INFO", "too early")) == Observations(alert=ALERT, window=WINDOW)


LINES = st.lists(
    st.builds(
        Line,
        minutes=st.integers(-5, 95).map(float),
        service=st.sampled_from(["shop", "stock", ""]),
        severity=st.sampled_from(["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]),
        body=st.sampled_from(["", "ok 1", "ok 2", "call to stock failed", "GET /x 503", "a\nb", "<*>", "\u2603 " * 3]),
        attributes=st.sampled_from([{}, {"peer": "stock"}, {"a": "1"}, {"a": "2"}]),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(lines=LINES, split=st.integers(-10, 100), seed=st.randoms(use_true_random=False))
def test_any_frame_is_observed_and_row_order_is_irrelevant(lines: list[Line], split: int, seed) -> None:
    frame = log_frame(lines)
    observed = observe_logs(frame, ALERT, WINDOW, at(split))
    order = list(range(len(frame)))
    seed.shuffle(order)
    assert observe_logs(frame.iloc[order], ALERT, WINDOW, at(split)) == observed
    inside = [line for line in lines if 0 <= line.minutes < 90]
    assert sum(template.count for template in observed.templates) == len(inside)
    for signal in observed.signals:
        assert 0 < signal.confidence < 1
        assert WINDOW.contains(signal.onset)
        assert signal.before >= 0
        assert signal.after >= 0
