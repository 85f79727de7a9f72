"""The time between both views of a call, before and after."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.observed import CallGap
from agent.analysis.traces.callgaps import FEWEST, call_gaps
from agent.analysis.traces.spans import link_spans
from tests.agent.analysis.telemetry import Span, at, span_frame

MS = 1 / 60_000
"""A millisecond in minutes."""
SPLIT = 60.0


def micros(minutes: float) -> int:
    return round(at(minutes).timestamp() * 1e6)


def one_call(
    name: str, minutes: float, gap: float, *, caller: str = "gate", callee: str = "shop", server: float = 20
) -> list[Span]:
    """A call whose caller waits `gap` milliseconds longer than its callee works."""
    return [
        Span(name, f"{name}r", "", caller, "GET /", minutes, server + gap + 10),
        Span(name, f"{name}c", f"{name}r", caller, f"call {callee}", minutes, server + gap, kind="client"),
        Span(name, f"{name}s", f"{name}c", callee, "serve", minutes + gap / 2 * MS, server, kind="server"),
    ]


def many(
    gaps: Sequence[float], since: float, *, step: float = 1, caller: str = "gate", callee: str = "shop"
) -> list[Span]:
    return [
        span
        for i, gap in enumerate(gaps)
        for span in one_call(f"{caller}-{callee}-{since}-{i}", since + step * i, gap, caller=caller, callee=callee)
    ]


def gaps_of(spans: Sequence[Span], *moments: float) -> tuple[CallGap, ...]:
    return call_gaps(link_spans(span_frame(spans)), [micros(m) for m in moments or (SPLIT,)])


def test_without_calls_there_is_no_gap() -> None:
    assert gaps_of([]) == ()
    assert gaps_of([Span("t", "a", "", "gate", "GET /", 10, 100), Span("t", "b", "", "shop", "serve", 10, 50)]) == ()


def test_a_pair_is_compared_before_and_after() -> None:
    (gap,) = gaps_of([*many([2, 2, 4, 4, 9], 10), *many([50, 60, 70, 80, 900], 60)])
    assert (gap.caller, gap.callee) == ("gate", "shop")
    assert (gap.before, gap.after) == (pytest.approx(4), pytest.approx(70))
    assert gap.spread == pytest.approx(1.4826 * 2)
    assert (gap.count_before, gap.count_after) == (5, 5)
    assert (gap.server_before, gap.server_after) == (20, 20)
    assert gap.query.arguments == {"service": "shop", "operation": "serve"}
    # The callee's own span begins half of the gap later than the call.
    assert abs((gap.since - at(60)).total_seconds() - 0.025) < 0.001


def test_a_few_lost_packets_are_no_delay() -> None:
    (gap,) = gaps_of([*many([2] * 10, 10), *many([2, 2, 2, 2, 2, 3000, 3000], 60)])
    assert gap.after == pytest.approx(2)


@pytest.mark.parametrize(("before", "after"), [(FEWEST - 1, 20), (20, FEWEST - 1), (0, 20), (20, 0)])
def test_a_few_calls_on_a_side_are_luck(before: int, after: int) -> None:
    assert gaps_of([*many([2] * before, 10), *many([200] * after, 60)]) == ()


def test_as_few_as_it_takes_are_enough() -> None:
    assert gaps_of([*many([2] * FEWEST, 10), *many([200] * FEWEST, 60)])


def test_each_pair_stands_alone_in_order_of_names() -> None:
    spans = [
        *many([2] * 8, 10, caller="web", callee="api"),
        *many([2] * 8, 60, caller="web", callee="api"),
        *many([2] * 8, 10),
        *many([90] * 8, 60),
        *many([2] * 8, 10, callee="db"),  # not called any more
    ]
    gaps = gaps_of(spans)
    assert [(g.caller, g.callee) for g in gaps] == [("gate", "shop"), ("web", "api")]
    assert [g.after for g in gaps] == [pytest.approx(90), pytest.approx(2)]


def test_a_pair_is_divided_where_its_gap_grew_most() -> None:
    spans = [*many([2] * 16, 46), *many([90] * 6, 62)]
    early, right = gaps_of(spans, 55), gaps_of(spans, 62)
    assert early[0].after - early[0].before < right[0].after - right[0].before
    assert gaps_of(spans, 55, 62, 69) == right
    # A moment that leaves too few on a side is passed over.
    assert gaps_of(spans, 0, 62, 600) == right
    assert gaps_of(spans, 0, 600) == ()


@settings(max_examples=25, deadline=None)
@given(before=st.lists(st.integers(0, 50), min_size=FEWEST, max_size=9), delay=st.integers(0, 500), seed=st.integers())
def test_a_constant_delay_moves_the_gap_by_as_much_in_any_order_of_rows(
    before: list[int], delay: int, seed: int
) -> None:
    spans = [*many(before, 10), *many([gap + delay for gap in before], 60)]
    frame = span_frame(spans)
    (gap,) = call_gaps(link_spans(frame), [micros(SPLIT)])
    assert gap.after - gap.before == pytest.approx(delay)
    assert gap.before == pytest.approx(float(np.median(before)))
    order = list(range(len(frame)))
    random.Random(seed).shuffle(order)
    assert call_gaps(link_spans(frame.iloc[order]), [micros(SPLIT)]) == (gap,)


@settings(max_examples=15, deadline=None)
@given(gaps=st.lists(st.integers(0, 50), min_size=FEWEST, max_size=9))
def test_calls_of_others_change_nothing(gaps: list[int]) -> None:
    spans = [*many([2] * 8, 10), *many([90] * 8, 60)]
    others = [*many(gaps, 10, caller="web", callee="api"), *many(gaps, 60, caller="web", callee="api")]
    assert gaps_of([*spans, *others])[0] == gaps_of(spans)[0]
