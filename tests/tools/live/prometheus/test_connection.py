from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import orjson
import pytest
import requests

from tests.tools.live.prometheus.test_frames import catalogue, gauge
from tools.evidence import Source, TimeWindow, ToolError
from tools.live.errands import Errands
from tools.live.notebook import Notebook
from tools.live.prometheus.config import PrometheusConfig
from tools.live.prometheus.connection import Connection, chunks
from tools.live.prometheus.exemplars import read_exemplars
from tools.live.prometheus.families import Family, Known
from tools.live.prometheus.identity import Identity
from tools.live.prometheus.promql import LONGEST, Matcher, one_of, selector

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
WINDOW = TimeWindow(since=AT, until=AT + timedelta(hours=1))


class Said(requests.adapters.BaseAdapter):
    """A server that says one thing to everybody."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        super().__init__()
        self.body, self.status = body, status
        self.asked: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.asked.append(request)
        response = requests.Response()
        response.status_code = self.status
        response.reason = "Said"
        response.request = request
        response.url = str(request.url)
        response.raw = _Body(self.body)
        return response

    def close(self) -> None: ...


class _Body:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, _: int, decode_content: bool = True) -> list[bytes]:
        return [self._body]

    def release_conn(self) -> None: ...

    def close(self) -> None: ...


def connection(body: object, status: int = 200, **config: Any) -> tuple[Connection, Notebook, Said]:
    notes = Notebook()
    found = Connection(PrometheusConfig(url="http://metrics.example.net/prometheus", **config), notes)
    said = Said(body if isinstance(body, bytes) else orjson.dumps(body), status)
    found.http.session.mount("http://", said)
    return found, notes, said


def answer(result: object, **more: object) -> dict[str, object]:
    return {"status": "success", "data": {"resultType": "vector", "result": result}, **more}


def test_a_query_goes_where_the_configuration_says() -> None:
    asked, _, said = connection(answer([]), only={"cluster": 'a"b'})
    assert asked.instant("up", AT) == []
    assert asked.ranged("up", AT, AT + timedelta(minutes=1), 15.0) == []
    first, second = (str(request.url) for request in said.asked)
    assert first.startswith("http://metrics.example.net/prometheus/api/v1/query?query=up&time=")
    assert "/prometheus/api/v1/query_range?" in second
    assert "step=15" in second
    assert "timeout=10s" in second, "the server stops when nobody waits any more"
    assert asked.only == (Matcher("cluster", "=", 'a"b'),)


def test_warnings_of_the_server_are_notes() -> None:
    asked, notes, _ = connection(answer([], warnings=["store 3 did not answer"], infos=["not a counter"]))
    asked.instant("up", AT)
    assert list(notes) == [
        (Source.METRICS, "Prometheus warns: store 3 did not answer"),
        (Source.METRICS, "Prometheus remarks: not a counter"),
    ]


QUERY: Callable[[Connection], object] = lambda c: c.instant("up", AT)  # noqa: E731
NAMES: Callable[[Connection], object] = lambda c: c.names(WINDOW)  # noqa: E731
SERIES: Callable[[Connection], object] = lambda c: c.series([Matcher("a", "=", "b")], WINDOW, 5)  # noqa: E731
TYPES: Callable[[Connection], object] = lambda c: c.metadata()  # noqa: E731


@pytest.mark.parametrize(
    ("ask", "body", "said"),
    [
        (QUERY, b"<html>sign in</html>", "a web page"),
        (QUERY, b'{"status":"success","data":{"resu', "damaged"),
        (QUERY, {"status": "success"}, "without data"),
        (QUERY, {"status": "error", "data": {}, "error": "boom"}, "failed: boom"),
        (QUERY, {"status": "success", "data": []}, "without a result"),
        (QUERY, answer([1]), "something else than its API says"),
        (QUERY, [1], "without data"),
        (NAMES, {"status": "success", "data": {"a": 1}}, "something else"),
        (SERIES, {"status": "success", "data": "x"}, "something else"),
        (TYPES, {"status": "success", "data": [1]}, "something else"),
        (TYPES, {"status": "success", "data": {"a": [1]}}, "something else"),
    ],
)
def test_what_is_no_answer_is_an_error_of_one_line(
    ask: Callable[[Connection], object], body: object, said: str
) -> None:
    asked, _, _ = connection(body)
    with pytest.raises(ToolError, match=re.escape(said)) as raised:
        ask(asked)
    assert "\n" not in raised.value.message
    assert raised.value.message.startswith("Prometheus at http://metrics.example.net/prometheus ")


def test_the_servers_own_words_are_in_the_error() -> None:
    asked, _, said = connection({"status": "error", "errorType": "execution", "error": "too many samples"}, status=422)
    with pytest.raises(ToolError, match=r"answered 422 Said.*too many samples"):
        asked.instant("up", AT)
    assert len(said.asked) == 1, "asked again, it would say the same"


def test_what_is_no_promql_is_not_sent() -> None:
    asked, _, said = connection(answer([]))
    with pytest.raises(ToolError, match="no PromQL"):
        asked.instant("sum(", AT)
    assert said.asked == []


def test_names_come_in_groups_that_fit_into_an_address() -> None:
    names = [f"a.rather(long)|name_{number}" * 3 for number in range(500)]
    groups = chunks(names, 150)
    assert [name for group in groups for name in group] == names
    assert max(len(group) for group in groups) <= 150
    assert max(len(selector([one_of("__name__", group)])) for group in groups) <= LONGEST
    assert chunks([], 150) == []


def test_failed_errands_cost_a_note_and_the_others_come_back_in_order() -> None:
    notes = Notebook()

    def fail() -> int:
        raise ToolError(Source.METRICS, "boom")

    errands = Errands(notes, 5.0)
    assert errands.run([lambda: 1, fail, lambda: 3], "x could not be read", ["a", "b", "c"]) == [1, 3]
    assert list(notes) == [(Source.METRICS, "x could not be read (b): 1 of 3 questions failed: boom")]


def test_no_errand_is_run_when_the_time_is_up() -> None:
    notes = Notebook()
    errands = Errands(notes, 0.05)
    until = monotonic() + 0.06
    while monotonic() < until:
        pass
    assert errands.run([lambda: 1] * 3, "x is not known") == []
    assert "3 of 3 questions were not asked, because 0.05 s were over" in notes[0][1]


def test_exemplars_lead_to_the_slowest_traces_of_a_service() -> None:
    def series(service: str, *exemplars: tuple[dict[str, str], str]) -> dict[str, object]:
        return {
            "seriesLabels": {"__name__": "x_total", "service": service},
            "exemplars": [{"labels": labels, "value": value, "timestamp": 1.5} for labels, value in exemplars],
        }

    data = [
        series("pay", ({"trace_id": "fast"}, "0.1"), ({"traceID": "slow"}, "2.5"), ({"user": "me"}, "9")),
        series("pay", ({"trace_id": "fast"}, "0.2")),
        series("web", ({"trace_id": "other"}, "7")),
        {"seriesLabels": None, "exemplars": [None, {"labels": {"trace_id": "x"}, "value": "nan?"}]},
    ]
    asked, _, said = connection({"status": "success", "data": data})
    identity = Identity(PrometheusConfig(url="http://a"))
    held = catalogue(1, gauge("queue", 1))
    assert read_exemplars(asked, identity, held, "pay") == (), "a gauge has no exemplars"
    assert said.asked == []
    labels = {"service": "pay"}
    counted = Known(
        Family("x_total", "counter", ""), ((labels, identity.owner("x_total", labels)),), True, seconds=15.0
    )
    held = catalogue(1, counted)
    assert read_exemplars(asked, identity, held, "pay") == ("slow", "fast")
    assert read_exemplars(asked, identity, held, None) == ("other", "slow", "fast", "x")
    assert read_exemplars(asked, identity, held, "web") == (), "nothing is known to be its own"
