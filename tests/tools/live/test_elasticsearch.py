"""Against what real servers answered; tests/live/test_elasticsearch.py asks ones that run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from fixtures.servers.elasticsearch import V9, start_elasticsearch
from fixtures.servers.opensearch import start_opensearch
from fixtures.servers.process import Server
from tests.tools.live.conftest import Recorded
from tests.tools.live.elasticsearch_checks import (
    CHECKS,
    a_look_tells_what_there_is,
    everything_is_a_frame_of_the_contract,
)
from tests.tools.live.elasticsearch_data import ECS, WINDOW, fill
from tools.live.elasticsearch import Elasticsearch, ElasticsearchConfig
from tools.live.notebook import Notebook

OTHERS: dict[str, Callable[[], Server]] = {
    "elasticsearch-9": lambda: start_elasticsearch(version=V9),
    "opensearch": start_opensearch,
}
FEW = (everything_is_a_frame_of_the_contract, a_look_tells_what_there_is)
"""The conversations differ little; the others are asked of all three servers where they run."""


@pytest.fixture(scope="module")
def vcr_config(vcr_config: dict[str, object]) -> dict[str, object]:
    """Every question has its own answer: a point in time that was opened is closed once."""
    return vcr_config | {"allow_playback_repeats": False}


def filled(start: Callable[[], Server]) -> Callable[[], Server]:
    def started() -> Server:
        server = start()
        fill(server.url)
        return server

    return started


@pytest.fixture(scope="module")
def url(recorded: Recorded) -> str:
    return recorded(filled(start_elasticsearch))


@pytest.fixture(scope="module", params=OTHERS)
def another(request: pytest.FixtureRequest, recorded: Recorded) -> str:
    return recorded(filled(OTHERS[request.param]))


@pytest.mark.vcr
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_recorded_server(url: str, check: Callable[[Elasticsearch], None]) -> None:
    answers(url, check)


@pytest.mark.vcr
@pytest.mark.parametrize("check", FEW, ids=lambda check: check.__name__)
def test_another_recorded_server(another: str, check: Callable[[Elasticsearch], None]) -> None:
    answers(another, check)


def answers(url: str, check: Callable[[Elasticsearch], None]) -> None:
    notes = Notebook()
    check(Elasticsearch(ElasticsearchConfig(url=url), notes))
    assert list(notes) == []


@pytest.mark.vcr
def test_of_too_many_lines_errors_come_first(url: str) -> None:
    notes = Notebook()
    config = ElasticsearchConfig(url=url, index=(ECS,)).model_copy(update={"max_lines": 40})
    frame = Elasticsearch(config, notes).log_lines(WINDOW)
    assert (frame["severity"] == "ERROR").sum() == 16
    assert len(frame) < 60
    assert "of 97 lines: all errors and warnings" in str(list(notes))


@pytest.mark.vcr
def test_a_named_field_is_taken_first(url: str) -> None:
    config = ElasticsearchConfig(url=url, index=(ECS,), service_field="host.name")
    assert {"c-1", "c-2"} <= set(Elasticsearch(config, Notebook()).log_lines(WINDOW)["service"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"index": ["a,b"]}, "is no name or pattern"),
        ({"index": ["_all"]}, "is no name or pattern"),
        ({"api_key": "k", "bearer_token": "t"}, "give either"),
        ({"api_key": "a\nb"}, "line break"),
        ({"max_lines": 1}, "max_lines"),
    ],
)
def test_a_wrong_setting_says_what_is_wrong(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ElasticsearchConfig.model_validate({"url": "http://127.0.0.1:9200", **given})
