from __future__ import annotations

from hypothesis import given, strategies as st

from tools.attributes import MAX_ATTRIBUTES, attribute_texts, flat, scalar_text


def test_nested_keys_become_dotted() -> None:
    record = {"a": 1, "http": {"route": "/x", "status": {"code": 200}}, "tags": ["p", "q"]}
    assert flat(record) == {"a": 1, "http.route": "/x", "http.status.code": 200, "tags": "p, q"}


def test_containers_without_a_meaning_leave_no_trace() -> None:
    assert flat({"attributes": {"db.system": "pg"}, "labels": {"zone": "a"}}) == {"db.system": "pg", "zone": "a"}
    events = {"events": [{"name": "exception", "attributes": {"exception.message": "boom"}}]}
    assert flat(events) == {"events.0.name": "exception", "events.0.exception.message": "boom"}


def test_a_records_own_key_wins_over_a_container() -> None:
    assert flat({"attributes": {"service": "inner"}, "service": "outer"}) == {"service": "outer"}


def test_depth_and_length_are_bounded() -> None:
    deep: object = "end"
    for _ in range(900):
        deep = {"d": deep}
    assert flat({"deep": deep, "a": 1}) == {"a": 1}
    assert len(attribute_texts((f"k{k}", k) for k in range(1_000))) == MAX_ATTRIBUTES


def test_texts() -> None:
    assert attribute_texts([("a", True), ("b", None), ("c", ""), ("d", 1.5), ("e\n", "x\x00y")]) == {
        "a": "true",
        "d": "1.5",
        "e": "xy",
    }
    assert scalar_text(None) == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_anything_flattens_to_scalars(record: dict[str, object]) -> None:
    assert not any(isinstance(value, dict | list) for value in flat(record).values())
    assert all(isinstance(value, str) for value in attribute_texts(flat(record).items()).values())
