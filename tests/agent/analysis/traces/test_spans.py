from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.traces.spans import LinkedSpans, link_spans
from tests.agent.analysis.telemetry import Span, span_frame

MS = 1 / 60_000
"""A millisecond in minutes."""


def linked(*spans: Span) -> LinkedSpans:
    return link_spans(span_frame(spans))


def own(found: LinkedSpans) -> dict[str, float]:
    return {found.names[n]: float(t) for n, t in zip(found.name, found.self_time, strict=True)}


def parents(found: LinkedSpans) -> dict[str, str | None]:
    return {
        found.names[name]: found.names[found.name[parent]] if parent >= 0 else None
        for name, parent in zip(found.name, found.parent, strict=True)
    }


def test_self_time_is_what_no_child_covers() -> None:
    found = linked(
        Span("t", "a", "", "gate", "root", 0.001, 100),
        Span("t", "b", "a", "gate", "first", 0.001 + 10 * MS, 30),
        Span("t", "c", "a", "gate", "overlapping", 0.001 + 20 * MS, 40),
        Span("t", "d", "a", "gate", "late", 0.001 + 95 * MS, 50),
    )
    assert own(found) == {"root": pytest.approx(45), "first": 30, "overlapping": 40, "late": 50}


def test_a_child_on_another_host_is_moved_inside_its_parent() -> None:
    found = linked(
        Span("t", "a", "", "gate", "call", 0.001, 100), Span("t", "b", "a", "shop", "serve", 0.001 - 50 * MS, 80)
    )
    assert own(found) == {"call": pytest.approx(20), "serve": 80}


def test_work_that_begins_after_its_parent_covers_nothing() -> None:
    found = linked(
        Span("t", "a", "", "gate", "publish", 0.001, 10, kind="client"),
        Span("t", "b", "a", "shop", "consume", 0.001 + 50 * MS, 5),
    )
    assert own(found)["publish"] == 10
    assert np.isnan(found.gap).all()


def test_whole_seconds_add_up_children_in_sequence() -> None:
    calls = [Span("t", f"c{i}", "a", "stock", f"get {i}", 1, 20) for i in range(4)]
    assert own(linked(Span("t", "a", "", "shop", "list", 1, 100), *calls))["list"] == pytest.approx(20)
    together = own(linked(Span("t", "a", "", "shop", "list", 1, 30), *calls))
    assert together["list"] == pytest.approx(10)


def test_the_gap_of_a_call_is_client_minus_server() -> None:
    found = linked(
        Span("t", "a", "", "gate", "GET /", 0.001, 100),
        Span("t", "b", "a", "gate", "call shop", 0.001 + 5 * MS, 80),
        Span("t", "c", "b", "shop", "serve", 0.001 + 20 * MS, 50),
    )
    assert {found.names[found.name[i]]: found.gap[i] for i in np.flatnonzero(~np.isnan(found.gap))} == {"serve": 30}
    assert [found.names[found.name[i]] for i in np.flatnonzero(found.is_client)] == ["call shop"]


def test_a_server_span_with_one_call_is_no_client() -> None:
    found = linked(Span("t", "a", "", "gate", "GET /", 0.001, 100), Span("t", "b", "a", "shop", "serve", 0.001, 50))
    assert np.isnan(found.gap).all()
    said = linked(
        Span("t", "a", "", "gate", "GET /", 0.001, 100, kind="client"), Span("t", "b", "a", "shop", "serve", 0.001, 50)
    )
    assert np.nanmax(said.gap) == 50


def test_an_impatient_caller_cancels_its_callee() -> None:
    deadline = {"status_message": "DeadlineExceeded"}
    found = linked(
        Span("t", "a", "", "gate", "GET /", 0.001, 400, "ERROR"),
        Span("t", "b", "a", "gate", "call", 0.001, 300, "ERROR", "client", deadline),
        Span("t", "c", "b", "shop", "serve", 0.001, 395, "ERROR", "", {"status_message": "context canceled"}),
        Span("t", "d", "c", "stock", "read", 0.001, 390, "ERROR", "", {"error": "disk is gone"}),
    )
    cancelled = {found.names[found.name[i]] for i in np.flatnonzero(found.cancelled)}
    assert cancelled == {"serve"}


def test_a_consumer_that_fails_later_was_not_cancelled() -> None:
    found = linked(
        Span("t", "a", "", "shop", "publish", 0.001, 4),
        Span("t", "b", "a", "stock", "process", 0.001 + 9 * MS, 20, "ERROR", "", {"error": "BadFormat"}),
    )
    assert not found.cancelled.any()
    both_failed = linked(
        Span("t", "a", "", "shop", "publish", 0.001, 4, "ERROR"),
        Span("t", "b", "a", "stock", "process", 0.001 + 9 * MS, 20, "ERROR"),
    )
    assert not both_failed.cancelled.any()


def test_a_failure_below_is_found() -> None:
    found = linked(
        Span("t", "a", "", "gate", "GET /", 0.001, 100, "ERROR"),
        Span("t", "b", "a", "shop", "serve", 0.001, 50, "ERROR"),
        Span("t", "c", "a", "stock", "count", 0.001, 50),
    )
    below = {found.names[found.name[i]]: int(found.failed_below[i]) for i in range(3)}
    assert found.names[found.name[below["GET /"]]] == "serve"
    assert below["serve"] == below["count"] == -1


def test_broken_traces_are_linked_as_far_as_they_can_be() -> None:
    found = linked(
        Span("t1", "a", "", "gate", "root", 0, 100),
        Span("same", "b", "a", "shop", "cut trace id", 0, 50),
        Span("t1", "c", "nobody", "shop", "orphan", 0, 5),
        Span("t1", "d", "d", "shop", "own parent", 0, 5),
        Span("t1", "a", "", "gate", "root", 0, 100),
    )
    assert parents(found) == {"root": None, "cut trace id": "root", "orphan": None, "own parent": None}


def test_an_ambiguous_parent_elsewhere_is_no_parent() -> None:
    found = linked(
        Span("t1", "a", "", "gate", "one", 0, 9),
        Span("t2", "a", "", "gate", "two", 0, 9),
        Span("same", "b", "a", "shop", "child", 0, 5),
    )
    assert parents(found)["child"] is None


def test_a_cycle_is_cut_above_the_span_that_begins_first() -> None:
    found = linked(
        Span("t", "a", "c", "gate", "first", 0.001, 90),
        Span("t", "b", "a", "gate", "second", 0.002, 50),
        Span("t", "c", "b", "gate", "third", 0.003, 10),
        Span("t", "d", "c", "gate", "fourth", 0.003, 5),
    )
    assert parents(found) == {"first": None, "second": "first", "third": "second", "fourth": "third"}
    assert len(set(found.root.tolist())) == 1


def test_client_and_server_under_one_id() -> None:
    found = linked(
        Span("t", "a", "", "gate", "GET /", 0.001, 100),
        Span("t", "b", "a", "gate", "call", 0.001, 80, kind="client"),
        Span("t", "b", "a", "shop", "serve", 0.001 + 10 * MS, 50, kind="server"),
        Span("t", "c", "b", "shop", "query", 0.001 + 20 * MS, 20),
    )
    assert parents(found) == {"GET /": None, "call": "GET /", "serve": "call", "query": "serve"}


def test_an_empty_frame_has_no_spans() -> None:
    found = linked()
    assert len(found) == 0
    assert found.self_time.size == found.gap.size == found.cancelled.size == 0


IDS = st.sampled_from(["a", "b", "c", "d", "e", ""])
SPANS = st.lists(
    st.builds(
        Span,
        trace=st.sampled_from(["t1", "t2", "same", ""]),
        span=IDS,
        parent=IDS,
        service=st.sampled_from(["gate", "shop", ""]),
        name=st.sampled_from(["x", "y"]),
        minutes=st.integers(0, 90).map(float) | st.floats(0, 90),
        ms=st.floats(0, 1e7),
        status=st.sampled_from(["OK", "ERROR", ""]),
        kind=st.sampled_from(["client", "server", ""]),
        attributes=st.sampled_from([{}, {"error": "context canceled"}, {"http.status_code": "503"}]),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(spans=SPANS)
def test_any_spans_are_a_forest_with_sound_times(spans: list[Span]) -> None:
    found = linked(*spans)
    assert len(found) <= len(spans)
    assert (found.self_time >= 0).all()
    assert (found.self_time <= found.duration).all()
    assert (found.parent[found.root] == -1).all()
    above = found.parent.copy()
    for _ in range(len(found)):
        above = np.where(above >= 0, found.parent[np.maximum(above, 0)], -1)
    assert (above == -1).all()


@settings(max_examples=80, deadline=None)
@given(spans=SPANS, seed=st.randoms(use_true_random=False))
def test_row_order_is_irrelevant(spans: list[Span], seed) -> None:
    frame = span_frame(spans)
    order = list(range(len(frame)))
    seed.shuffle(order)

    def told(found: LinkedSpans) -> list[tuple[object, ...]]:
        columns = (found.name, found.service, found.start, found.duration, found.self_time, found.texts.error)
        return sorted(zip(*(column.tolist() for column in columns), strict=True))

    # Spans that were sent twice with different texts are the sender's contradiction; which one counts is not told.
    if len(frame) == len(link_spans(frame)):
        assert told(link_spans(frame)) == told(link_spans(frame.iloc[order]))


@settings(max_examples=60, deadline=None)
@given(shares=st.lists(st.floats(0, 1), min_size=1, max_size=8), depth=st.integers(1, 4))
def test_self_times_of_a_sequential_trace_add_up_to_its_root(shares: list[float], depth: int) -> None:
    """Each span calls its children one after the other; nothing is counted twice and nothing is lost."""
    spans = [Span("t", "r", "", "gate", "root", 0.0001, 1000)]
    offset, left = 0.0, 1000.0
    for i, share in enumerate(shares):
        took = share * left / 2
        parent, begin = "r", offset
        for level in range(depth):
            spans.append(
                Span("t", f"{i}.{level}", parent, "gate", f"{i}.{level}", 0.0001 + begin * MS, took * 0.5**level)
            )
            parent = f"{i}.{level}"
        offset, left = offset + took, left - took
    found = linked(*spans)
    assert found.self_time.sum() <= 1000 * 1.001
    assert found.self_time.sum() == pytest.approx(1000, rel=1e-3)
