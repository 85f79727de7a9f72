from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from agent.analysis.traces.spanlinks import Links, find_parents

FACTS = tuple[int, int, int, int]


def links(*spans: tuple[str, str, str, FACTS]) -> Links:
    trace, span, parent = (np.array([row[i] for row in spans], dtype=object) for i in range(3))
    return find_parents(trace, span, parent, np.array([row[3] for row in spans], dtype=np.int64).T.reshape(4, -1))


SAME = (0, 0, 10, 5)


def test_a_span_sent_twice_counts_once_and_a_namesake_stays() -> None:
    found = links(("t", "a", "", SAME), ("t", "a", "", SAME), ("t", "a", "", (1, 0, 12, 2)), ("t", "", "", SAME))
    assert found.keep.tolist() == [0, 2, 3]


def test_spans_without_an_id_are_never_the_same_nor_parents() -> None:
    found = links(("t", "", "", SAME), ("t", "", "", SAME), ("t", "b", "", SAME))
    assert found.keep.tolist() == [0, 1, 2]
    assert found.parent.tolist() == [-1, -1, -1]


def test_among_namesakes_the_one_of_the_same_service_around_the_child_is_the_parent() -> None:
    found = links(
        ("t", "a", "", (0, 0, 0, 100)),
        ("t", "a", "x", (1, 0, 50, 40)),
        ("t", "a", "x", (1, 0, 0, 40)),
        ("t", "b", "a", (1, 1, 60, 10)),
    )
    assert found.parent[3] == 1


def test_missing_ids_are_missing_values_too() -> None:
    trace = np.array(["t", "t"], dtype=object)
    found = find_parents(
        trace,
        np.array(["a", None], dtype=object),
        np.array([None, "a"], dtype=object),
        np.zeros((4, 2), dtype=np.int64),
    )
    assert found.parent.tolist() == [-1, 0]


@given(parents=st.lists(st.integers(-1, 19), min_size=1, max_size=20))
def test_every_row_has_a_root_and_no_cycle_is_left(parents: list[int]) -> None:
    found = links(*((("t", f"s{i}", f"s{p}" if p >= 0 else "", (0, 0, i % 3, 1)) for i, p in enumerate(parents))))
    for row, root in enumerate(found.root.tolist()):
        steps = 0
        while found.parent[row] >= 0:
            row = int(found.parent[row])
            steps += 1
            assert steps <= len(parents)
        assert row == root
    cut = sum(1 for i, p in enumerate(parents) if 0 <= p < len(parents) and p != i and found.parent[i] != p)
    assert cut <= len(parents) // 2
