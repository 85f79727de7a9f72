from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from tools.evidence import JsonObject, TimeWindow
from tools.live.elasticsearch.fields import Field, Fields
from tools.live.elasticsearch.queries import (
    in_window,
    is_plain,
    of_service,
    strata,
    thinned,
    with_text,
    worded_like,
)
from tools.live.thinning import Plan
from tools.live.wordings import FAILURE, MOST, WORDS

TIME = Field("@timestamp", None, frozenset({"date"}))
SERVICE = Field("service.name", "service.name", frozenset({"keyword"}))
APP = Field("app", "app.keyword", frozenset({"text"}))
NUMBER = Field("app_id", "app_id", frozenset({"long"}))
LEVEL = Field("log.level", "log.level", frozenset({"keyword"}))
TEXT = Field("message", None, frozenset({"text"}))
WILD = Field("message", "message", frozenset({"wildcard"}))
HOSTILE = 'a" OR *:* AND (b) [x TO y] \\ /re/ ~? \n'
NOTHING_PLAIN: frozenset[str] = frozenset()


def fields(*service: Field) -> Fields:
    return Fields(TIME, service, (LEVEL,), (TEXT,), ("logs",), 10)


def test_the_window_is_widened_to_whole_milliseconds() -> None:
    since = datetime(2026, 3, 4, 9, 0, 0, 1_500, tzinfo=UTC)
    span = in_window(TIME, TimeWindow(since=since, until=since + timedelta(seconds=1)))["range"]["@timestamp"]
    assert (span["gte"], span["lt"]) == ("2026-03-04T09:00:00.001000Z", "2026-03-04T09:00:01.002000Z")


def test_a_hostile_name_is_a_value() -> None:
    asked = of_service(fields(SERVICE, APP), [HOSTILE])
    assert asked["bool"]["should"] == [{"terms": {"service.name": [HOSTILE]}}, {"terms": {"app.keyword": [HOSTILE]}}]
    assert no_query_string(asked)


def test_a_service_without_a_name_is_looked_for_where_no_field_names_one() -> None:
    asked = of_service(fields(SERVICE), ["unknown_service"])["bool"]["should"]
    assert asked[0] == {"bool": {"must_not": [{"exists": {"field": "service.name"}}]}}


def test_a_number_is_only_asked_for_numbers() -> None:
    assert of_service(fields(NUMBER), ["12"])["bool"]["should"] == [{"terms": {"app_id": [12]}}]
    assert of_service(fields(NUMBER), ["shop"])["bool"]["should"] == [{"terms": {"app_id": []}}]
    assert of_service(fields(), ["shop"]) == {"match_all": {}}


def test_only_whole_words_narrow_an_analysed_text() -> None:
    asked = with_text([TEXT], "ool of payments is emp", NOTHING_PLAIN)
    assert "'query': 'of payments is'" in str(asked)
    assert "wildcard" not in str(asked)
    assert with_text([TEXT], "ool", NOTHING_PLAIN) is None
    assert "*ool*" in str(with_text([TEXT], "ool", frozenset({"message"})))


def test_a_hostile_text_is_a_value() -> None:
    for field in (TEXT, WILD):
        for plain in (NOTHING_PLAIN, frozenset({"message"})):
            assert no_query_string(with_text([field], HOSTILE, plain) or {})
    wild = orjson.dumps(with_text([WILD], "a*b?c", NOTHING_PLAIN)).decode()
    assert r"a\\*b\\?c" in wild


def test_strata_go_on_where_a_page_ended() -> None:
    page = strata(fields(SERVICE), {"0": "shop", "1": "info"})["strata"]["composite"]
    assert page["after"] == {"0": "shop", "1": "info"}
    assert [source[str(place)]["terms"]["field"] for place, source in enumerate(page["sources"])] == [
        "service.name",
        "log.level",
    ]


def test_a_share_names_its_strata_and_what_is_listed_nowhere() -> None:
    plan = Plan((100, 10, 5), (False, True, False), (4, 1, 2))
    asked = thinned({"match_all": {}}, fields(SERVICE), [("shop", "info"), ("shop", None), None], plan)
    functions = asked["function_score"]["functions"]
    assert [each["weight"] for each in functions] == [1.0, pytest.approx(4 / 3), 2.0]
    assert functions[0]["filter"]["bool"]["should"][0]["bool"]["must_not"] == [{"exists": {"field": "log.level"}}]
    assert "filter" not in functions[-1]


def test_a_text_that_speaks_of_failure_is_not_worded_like_a_calm_one() -> None:
    calm, failing = worded_like(TEXT, [("order", "paid"), ("order", "failed")])
    assert calm["bool"]["must_not"] == [{"match": {"message": {"query": " ".join(FAILURE), "operator": "or"}}}]
    assert failing == {"match": {"message": {"query": "order failed", "operator": "and"}}}
    assert len(worded_like(TEXT, [("a", "b")])) == 1
    assert MOST * WORDS + len(FAILURE) < 1_024, "clauses that Lucene allows by default"


@pytest.mark.parametrize(
    ("inner", "plain"),
    [
        ({"type": "text"}, True),
        ({"type": "text", "analyzer": "standard"}, True),
        ({"type": "text", "analyzer": "english"}, False),
        ({"type": "long"}, False),
    ],
)
def test_a_field_is_plain_where_words_stand_as_they_were_written(inner: JsonObject, plain: bool) -> None:
    mapping = {"logs": {"mappings": {"message": {"full_name": "message", "mapping": {"message": inner}}}}}
    assert is_plain(mapping) is plain
    assert not is_plain({})


def no_query_string(asked: JsonObject) -> bool:
    return "query_string" not in str(asked) and "regexp" not in str(asked)
