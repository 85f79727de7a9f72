from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from agent.analysis.logs.shapes import CROWDED, merge_shapes
from agent.analysis.logs.tokens import OTHER


def merged(*shapes: str, limit: int = 100) -> list[str]:
    return merge_shapes(list(shapes), np.ones(len(shapes), dtype=np.int64), limit)


def test_a_position_that_takes_many_values_becomes_variable() -> None:
    found = merged(*(f"tenant {name} was loaded" for name in ("acme", "globex", "hooli", "stark")))
    assert set(found) == {"tenant <*> was loaded"}


def test_two_values_are_two_statements() -> None:
    assert merged("cache hit for page", "cache miss for page") == ["cache hit for page", "cache miss for page"]


def test_a_word_beside_a_variable_is_one_of_its_values() -> None:
    assert set(merged("connection <*> was replaced", "connection abc was replaced")) == {"connection <*> was replaced"}


def test_pairs_keep_their_key() -> None:
    found = merged(*(f"page shown lang={lang} ok" for lang in ("en", "nl", "es", "sv")))
    assert set(found) == {"page shown lang=<*> ok"}


def test_a_word_of_failure_is_never_merged_away() -> None:
    found = merged(*(f"job import {state} now" for state in ("queued", "started", "done", "paused", "failed")))
    assert found == ["job import <*> now"] * 4 + ["job import failed now"]


def test_free_text_is_bounded_and_the_rest_is_other() -> None:
    rng = np.random.default_rng(3)
    words = ["".join(chr(97 + c) for c in row) for row in rng.integers(0, 26, (400, 7))]
    shapes = [" ".join(words[i : i + 2 + i % 9]) for i in range(300)]
    found = merged(*shapes, limit=20)
    assert len(set(found) - {OTHER}) <= 20
    assert OTHER in found


def test_a_crowd_of_rare_words_is_one_template() -> None:
    rng = np.random.default_rng(4)
    names = ["".join(chr(97 + c) for c in row) for row in rng.integers(0, 26, (2 * CROWDED + 200, 8))]
    shapes = [f"user {a} logged in from {b} today" for a, b in zip(names[::2], names[1::2], strict=True)]
    shapes.append("user lookup failed in from cache today")
    found = merge_shapes(shapes, np.ones(len(shapes), dtype=np.int64), 100)
    assert set(found[:-1]) == {"user <*> logged in from <*> today"}
    assert "failed" in found[-1]


@given(
    shapes=st.lists(
        st.lists(st.sampled_from(["a", "b", "c", "d", "e", "<*>", "k=x", "k=y", "error"]), min_size=1, max_size=4),
        min_size=1,
        max_size=40,
    ),
    limit=st.integers(1, 8),
    seed=st.randoms(use_true_random=False),
)
def test_merging_does_not_depend_on_order_and_keeps_its_bound(shapes: list[list[str]], limit: int, seed) -> None:
    texts = sorted({" ".join(shape) for shape in shapes})
    counts = np.arange(1, len(texts) + 1, dtype=np.int64)
    found = merge_shapes(texts, counts, limit)
    assert len(set(found) - {OTHER}) <= max(limit, 1)
    assert all(len(a.split(" ")) == len(b.split(" ")) for a, b in zip(texts, found, strict=True) if b != OTHER)
    order = list(range(len(texts)))
    seed.shuffle(order)
    shuffled = merge_shapes([texts[i] for i in order], counts[order], limit)
    assert {texts[i]: shuffled[place] for place, i in enumerate(order)} == dict(zip(texts, found, strict=True))
