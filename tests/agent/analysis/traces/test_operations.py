from __future__ import annotations

import numpy as np
import pytest

from agent.analysis.observed import OperationStats
from agent.analysis.peers import PeerFinder
from agent.analysis.traces.operations import Groups, Operations
from agent.analysis.traces.spans import link_spans
from tests.agent.analysis.telemetry import SPLIT, WINDOW, Span, span_frame
from tools.evidence import Query, evidence_id


def operations(*spans: Span) -> Operations:
    linked = link_spans(span_frame(spans))
    return Operations(linked, int(SPLIT.timestamp() * 1e6), WINDOW, PeerFinder(linked.services))


def stats(*spans: Span) -> dict[str, OperationStats]:
    return {found.name: found for found in operations(*spans).stats()}


def test_groups_are_ordered_by_their_codes() -> None:
    groups = Groups.by(np.array([1, 0, 1, 0]), np.array([-1, 2, -1, 3]))
    assert groups.of_row.tolist() == [2, 0, 2, 1]
    assert len(groups) == 3
    assert groups.count(np.array([True, True, True, False])).tolist() == [1, 0, 2]


def test_figures_before_and_after() -> None:
    found = stats(
        Span("1", "a", "", "gate", "GET /", 10, 100),
        Span("1", "b", "a", "shop", "list", 10, 40, attributes={"zone": "a"}),
        Span("2", "a", "", "gate", "GET /", 70, 300, "ERROR"),
        Span("2", "b", "a", "shop", "list", 70, 90, "ERROR", attributes={"error": "no stock", "zone": "b"}),
        Span("2", "c", "a", "shop", "list", 70.01, 110, attributes={"zone": "b"}),
    )
    listed = found["list"]
    assert (listed.parent_service, listed.parent_name) == ("gate", "GET /")
    assert (listed.count_before, listed.count_after, listed.errors_before, listed.errors_after) == (1, 2, 0, 1)
    assert (listed.duration_before, listed.duration_after) == (40, 100)
    assert (listed.calls_per_parent_before, listed.calls_per_parent_after) == (1, 2)
    assert listed.messages == ("no stock",)
    assert listed.attributes == {"error": "no stock", "zone": "b"}
    assert listed.evidence == evidence_id(
        Query(tool="spans", arguments={"service": "shop", "operation": "list"}), WINDOW
    )
    root = found["GET /"]
    assert (root.parent_service, root.calls_per_parent_before) == ("", None)
    assert root.self_before == pytest.approx(60)


def test_without_a_sample_there_is_no_figure() -> None:
    found = stats(Span("1", "a", "", "gate", "GET /", 70, 100))["GET /"]
    assert (found.count_before, found.duration_before, found.self_before) == (0, None, None)


def test_a_span_belongs_to_the_side_on_which_it_ended() -> None:
    found = stats(Span("1", "a", "", "gate", "GET /", 59.9, 30_000))["GET /"]
    assert (found.count_before, found.count_after) == (0, 1)


def test_a_peer_is_named_only_where_no_span_of_it_exists() -> None:
    found = stats(
        Span("1", "a", "", "gate", "fetch", 70, 100, attributes={"peer.service": "storage.example"}),
        Span("1", "b", "", "gate", "call", 70, 100, attributes={"server.address": "shop:80"}),
        Span("1", "c", "b", "shop", "serve", 70, 50),
    )
    assert (found["fetch"].peer, found["call"].peer, found["serve"].peer) == ("storage.example", None, None)


def test_cancelled_spans_are_counted_among_the_attributes() -> None:
    found = stats(
        Span("1", "a", "", "gate", "GET /", 70, 100, "ERROR", attributes={"error": "deadline exceeded"}),
        Span("1", "b", "a", "shop", "serve", 70, 150, "ERROR", attributes={"error": "context canceled"}),
    )
    assert found["serve"].attributes["cancelled_by_caller"] == "1"
