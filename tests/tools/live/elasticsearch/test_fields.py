from __future__ import annotations

from tools.live.elasticsearch.config import ElasticsearchConfig
from tools.live.elasticsearch.fields import (
    candidates,
    counted_fields,
    date_field,
    keys_of,
    presence,
    record_keys,
    typed,
)

CAPS = {
    "indices": ["logs-a", "logs-b"],
    "fields": {
        "@timestamp": {"date": {}, "date_nanos": {}},
        "timestamp": {"text": {}},
        "service.name": {"keyword": {}},
        "app": {"text": {}},
        "app.keyword": {"keyword": {}},
        "service": {"object": {}},
        "level": {"keyword": {}, "long": {}},
        "message": {"text": {}, "unmapped": {}},
    },
}


def test_fields_are_known_by_their_types() -> None:
    service, app = typed(CAPS, ["service.name", "service", "missing", "app"])
    assert (service.name, service.exact) == ("service.name", "service.name")
    assert (app.name, app.exact) == ("app", "app.keyword")
    assert typed(CAPS, ["level"])[0].exact is None, "a word here and a number there is counted nowhere"
    assert typed(CAPS, ["message"])[0].kinds == {"text"}


def test_the_time_is_a_date_in_every_index() -> None:
    found = date_field(typed(CAPS, ["timestamp", "@timestamp"]))
    assert found is not None
    assert found.name == "@timestamp"
    assert date_field(typed(CAPS, ["timestamp"])) is None


def test_fields_count_until_one_is_in_every_document() -> None:
    fields = typed(CAPS, ["service.name", "app", "message"])
    buckets = {"": {"doc_count": 10}, "service.name": {"doc_count": 0}, "app": {"doc_count": 10}}
    assert [field.name for field in counted_fields(fields, buckets, "service")] == ["app"]
    assert set(presence(fields[0], fields)["fields"]["filters"]["filters"]) == {"", "service.name", "app", "message"}


def test_a_configured_name_is_looked_for_first_and_once() -> None:
    config = ElasticsearchConfig(url="http://127.0.0.1:9200", service_field="app", body_field="said")
    names = candidates(config)
    assert names["service"][0] == "app"
    assert names["service"].count("app") == 1
    assert names["body"][:2] == ("said", "message")
    assert "service.name" in record_keys(names)["service"]


def test_a_document_may_nest_its_fields_or_not() -> None:
    assert keys_of("resource.attributes.service.name") == ["resource.attributes.service.name", "resource.service.name"]
    assert keys_of("message")[0] == "message"
