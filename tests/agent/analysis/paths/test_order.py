from __future__ import annotations

import numpy as np

from agent.analysis.paths.order import Broken, first_shares


def broken(*events: tuple[int, int, int, int]) -> Broken:
    """Events as (row, service, trace, time)."""
    columns = np.array(events, dtype=np.int64).reshape(-1, 4).T
    return Broken(*columns)


def test_the_earliest_service_of_a_trace_is_first() -> None:
    statements = broken((0, 1, 7, 10), (0, 1, 8, 10), (1, 2, 7, 20), (1, 2, 9, 5))
    calls = broken((0, 2, 8, 9))
    first, of_calls = first_shares([statements, calls], [2, 1])
    assert first.tolist() == [0.5, 0.5]
    assert of_calls.tolist() == [1]


def test_own_breaks_do_not_count_against_a_service() -> None:
    (first,) = first_shares([broken((0, 1, 7, 10), (1, 1, 7, 20), (2, 2, 7, 30))], [3])
    assert first.tolist() == [1, 1, 0]


def test_two_services_may_be_first_at_once() -> None:
    (first,) = first_shares([broken((0, 1, 7, 10), (1, 2, 7, 10))], [2])
    assert first.tolist() == [1, 1]


def test_nothing_broke() -> None:
    (first,) = first_shares([broken()], [2])
    assert first.tolist() == [0, 0]
