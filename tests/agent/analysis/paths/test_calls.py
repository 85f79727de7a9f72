from __future__ import annotations

from agent.analysis.paths.calls import ANYWHERE, Calls, read_calls
from agent.analysis.paths.spanrows import read_spans
from tests.agent.analysis.telemetry import Span, span_frame


def read(*spans: Span) -> tuple[Calls, list[dict[str, int]]]:
    """What is read, and the bag of each span in order of time."""
    rows = read_spans(span_frame(spans))
    calls = read_calls(rows, rows.parent * 0)
    return calls, [dict(calls.bags[bag]) for bag in calls.transitions.follower]


def test_a_bag_holds_names_and_counts_up_to_many() -> None:
    children = [Span("t", f"c{i}", "a", "db", "read", 1 + i / 1000, 0) for i in range(5)]
    own = Span("t", "o", "a", "shop", "render", 1.1, 0)
    bags = read(Span("t", "a", "", "shop", "GET", 1, 10_000), *children, own)[1]
    assert bags[0] == {"db read": 3, "render": 1}
    assert bags[1:] == [{}] * 6


def test_the_order_of_calls_does_not_matter() -> None:
    calls, _ = read(
        Span("t", "a", "", "shop", "GET", 1, 900),
        Span("t", "b", "a", "shop", "x", 1.001, 1),
        Span("t", "c", "a", "shop", "y", 1.002, 1),
        Span("u", "a", "", "shop", "GET", 2, 900),
        Span("u", "c", "a", "shop", "y", 2.001, 1),
        Span("u", "b", "a", "shop", "x", 2.002, 1),
    )
    assert calls.transitions.follower[0] == calls.transitions.follower[3]


def test_the_only_call_elsewhere_is_a_call_somewhere() -> None:
    bags = read(Span("t", "a", "", "shop", "HTTP", 1, 50), Span("t", "b", "a", "db", "x", 1.001, 1))[1]
    assert bags[0] == {ANYWHERE: 1}


def test_a_span_that_outlives_the_data_may_miss_calls() -> None:
    calls, _ = read(Span("t", "a", "", "shop", "GET", 1, 1), Span("u", "b", "", "shop", "GET", 1.2, 90_000))
    assert len(calls.transitions) == 1


def test_ids_in_a_name_are_masked() -> None:
    frame = span_frame(
        Span("t", str(i), "", "shop", name, i, 1)
        for i, name in enumerate(["/v1/orders/17", "/v1/orders/18/items", "/v1/users/3f2b8c1d-22aa", "s3.get"])
    )
    assert read_spans(frame).names == ("/v1/orders/<*>", "/v1/orders/<*>/items", "/v1/users/<*>", "s3.get")
