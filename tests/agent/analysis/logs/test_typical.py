from __future__ import annotations

from hypothesis import given, strategies as st

from agent.analysis.logs.typical import MAX_KEYS, MAX_SHOWN, shown, typical_attributes


def test_the_most_frequent_value_stands_for_all() -> None:
    assert typical_attributes([{"pool": "10"}, {"pool": "10"}, {"pool": "20", "zone": "a"}]) == {
        "pool": "10",
        "zone": "a",
    }


def test_values_that_never_repeat_are_told_by_their_median() -> None:
    assert typical_attributes([{"ms": "9"}, {"ms": "100"}, {"ms": "20"}]) == {"ms": "20"}


def test_texts_are_masked_and_cut() -> None:
    assert "hunter2" not in shown("login failed password=hunter2")
    assert len(shown("x" * 5_000)) == MAX_SHOWN


@given(
    records=st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", "nan", "x", ""])), max_size=12),
    seed=st.randoms(use_true_random=False),
)
def test_order_does_not_matter(records: list[dict[str, str]], seed) -> None:
    shuffled = list(records)
    seed.shuffle(shuffled)
    assert typical_attributes(shuffled) == typical_attributes(records)


def test_keys_are_bounded() -> None:
    assert len(typical_attributes([{f"k{i}": "v" for i in range(200)}])) == MAX_KEYS
