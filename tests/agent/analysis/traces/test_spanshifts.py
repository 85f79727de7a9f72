from __future__ import annotations

import numpy as np
import pytest

from agent.analysis.peers import PeerFinder
from agent.analysis.traces.operations import Operations
from agent.analysis.traces.spans import link_spans
from agent.analysis.traces.spanshifts import EXEMPLARS, Found, SpanShifts
from tests.agent.analysis.telemetry import SPLIT, WINDOW, Span, span_frame


def shifts(*spans: Span) -> SpanShifts:
    linked = link_spans(span_frame(spans))
    return SpanShifts(Operations(linked, int(SPLIT.timestamp() * 1e6), WINDOW, PeerFinder(linked.services)))


def roots(count: int, minutes: float, status: str = "OK", name: str = "GET /", ms: float = 10) -> list[Span]:
    return [Span(f"{name}{minutes}-{i}", "a", "", "gate", name, minutes + i / 100, ms, status) for i in range(count)]


def only(found: list[Found]) -> Found:
    assert len(found) == 1
    return found[0]


def test_many_looks_have_to_be_paid_for_in_a_sample_but_not_among_exemplars() -> None:
    p = np.array([0.04, *[0.9] * 30])
    assert shifts(*roots(2, 5)).believed(p)[0] > 0.3
    assert shifts(*roots(EXEMPLARS + 1, 5)).believed(p)[0] == 0
    assert shifts(*roots(EXEMPLARS + 1, 5)).believed(np.array([1e-9, *[0.9] * 30]))[0] > 0.5


def test_more_failed_calls_are_more_evidence() -> None:
    one = only(_failures(*roots(3, 5), *roots(1, 70, "ERROR")))
    four = only(_failures(*roots(3, 5), *roots(4, 70, "ERROR")))
    assert 0.3 < one.confidence < four.confidence < 0.8
    assert (four.before, four.after) == (0, 1)


def test_an_operation_that_always_failed_does_not_deviate() -> None:
    assert not _failures(*roots(30, 5, "ERROR"), *roots(20, 70, "ERROR"))


def test_failures_that_begin_shortly_before_the_split_belong_to_the_incident() -> None:
    found = only(_failures(*roots(6, 5), *roots(2, 55, "ERROR"), *roots(3, 70, "ERROR")))
    assert (found.before, found.after) == (0, 1)
    assert found.confidence > 0.5
    assert not _failures(*roots(6, 5), *roots(2, 55, "ERROR"), *roots(30, 70))


def test_fewer_failures_are_no_signal() -> None:
    assert not _failures(*roots(30, 5, "ERROR"), *roots(20, 70))


def test_faster_is_told_and_harmless() -> None:
    found = only(list(shifts(*roots(20, 5, ms=400), *roots(20, 70, ms=40)).self_times()))
    assert (found.harmful, found.before, found.after) == (False, pytest.approx(400), pytest.approx(40))


def test_shifts_below_a_millisecond_are_not_told() -> None:
    assert not list(shifts(*roots(40, 5, ms=0.1), *roots(40, 70, ms=0.9)).self_times())


def test_a_new_call_of_a_known_parent_is_new_and_harmless() -> None:
    fetched = [Span(span.trace, "b", "a", "gate", "fetch", span.minutes, 1) for span in roots(6, 70)]
    found = only(list(shifts(*roots(6, 5), *roots(6, 70), *fetched).presence()))
    assert (found.aspect, found.shape, found.harmful) == ("new", "new", False)
    assert (found.before, found.after) == (0, 1)


def _failures(*spans: Span) -> list[Found]:
    found = shifts(*spans)
    return list(found.failures("errors", found.operations.spans.texts.error))
