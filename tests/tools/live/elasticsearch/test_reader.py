from __future__ import annotations

import pytest

from tools.evidence import JsonObject
from tools.live.elasticsearch.reader import FEWEST, PAGE_LINES, mean_bytes, page_of, partial


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({}, []),
        ({"timed_out": False, "_shards": {"total": 3, "successful": 3, "failed": 0}}, []),
        (
            {"timed_out": True},
            ["Elasticsearch stopped searching at its time limit: lines are missing, counts are too low"],
        ),
        (
            {
                "_shards": {
                    "total": 4,
                    "successful": 3,
                    "failed": 1,
                    "failures": [{"reason": {"type": "x", "reason": "y"}}],
                }
            },
            ["1 of 4 shards of Elasticsearch did not answer, lines are missing: x: y"],
        ),
        (
            {"_shards": {"total": 4, "successful": 2, "failed": 0}},
            ["2 of 4 shards of Elasticsearch did not answer, lines are missing"],
        ),
        (
            {"_clusters": {"total": 3, "successful": 1, "skipped": 1, "partial": 1}},
            ["2 of 3 Elasticsearch clusters answered in part or not, lines are missing"],
        ),
    ],
)
def test_what_is_missing_of_an_answer_is_told(answer: JsonObject, told: list[str]) -> None:
    assert partial(answer) == told


def test_pages_are_small_where_documents_are_large() -> None:
    assert page_of(200) == PAGE_LINES
    assert page_of(20_000) < 500
    assert page_of(10**9) == FEWEST
    assert page_of(200, 12) == FEWEST


def test_the_size_of_documents_is_that_of_their_json() -> None:
    assert mean_bytes([{"_source": {"a": "xx"}}, {}]) == 6.0
    assert mean_bytes([]) == 0.0
