from __future__ import annotations

from tools.record_split import RecordSplit
from tools.words import LOG_KEYS


def test_columns_by_synonym_and_the_rest_as_attributes() -> None:
    split = RecordSplit(LOG_KEYS)
    record = {"@timestamp": 1, "service": {"name": "shop"}, "log": {"level": "warn"}, "message": "m", "zone": "a"}
    values, attributes = split(record)
    assert dict(zip(LOG_KEYS, values, strict=True)) == {
        "timestamp": 1,
        "service": "shop",
        "instance": None,
        "severity": "warn",
        "body": "m",
        "trace_id": None,
        "span_id": None,
    }
    assert attributes == {"zone": "a"}


def test_records_of_one_shape_with_other_values() -> None:
    split = RecordSplit(LOG_KEYS)
    assert [split({"time": k, "msg": str(k)})[0][0] for k in range(3)] == [0, 1, 2]


def test_an_empty_record_and_more_shapes_than_are_remembered() -> None:
    split = RecordSplit(LOG_KEYS)
    assert split({}) == ([None] * len(LOG_KEYS), {})
    for k in range(5_000):
        assert split({"body": "b", f"key{k}": "v"})[1] == {f"key{k}": "v"}
