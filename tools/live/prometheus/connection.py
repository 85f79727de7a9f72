"""The HTTP API of Prometheus through its client library, under our own limits of time, size and retries.

The library keeps the addresses and parameters of the API. What it does not keep is put under it here, as the session it
asks through: a limit on the whole of a question, bounded retries, errors of one line, and the server's `warnings`,
which it throws away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

import requests
from prometheus_api_client.prometheus_connect import PrometheusConnect
from pydantic import JsonValue

from tools.evidence import JsonObject, Source, TimeWindow, ToolError
from tools.live.http import Http, Params
from tools.live.notebook import Notebook
from tools.live.prometheus.config import PrometheusConfig
from tools.live.prometheus.promql import LONGEST, Matcher, NotPromql, checked, one_of, selector

NAME = "Prometheus"
SHARE_OF_TIME = 0.5
"""Of the time for an answer that one question may take; none is sent in the other half, so the whole stays inside."""
MOST_NAMES = 50_000
"""Names and types that are asked for; servers older than 2.51 know no limit and send all."""

Labels = Mapping[str, str]


class Connection:
    """One server. Every method raises ToolError; what the server warns of goes into the notebook."""

    def __init__(self, config: PrometheusConfig, notes: Notebook) -> None:
        self.seconds = config.timeout_seconds * SHARE_OF_TIME
        self.only = tuple(Matcher(label, "=", value) for label, value in sorted(config.only.items()))
        self.http = Http(config.model_copy(update={"timeout_seconds": self.seconds}), Source.METRICS, NAME)
        session = _Session(self.http, config.url, notes)
        self._client = PrometheusConnect(url=config.url, session=session)
        self._limit = {"timeout": f"{max(1, math.floor(self.seconds))}s"}

    def instant(self, query: str, at: datetime) -> list[JsonObject]:
        """Series of a query at one moment; of a range selector their samples."""
        found = self._client.custom_query(self._checked(query), params={"time": _seconds(at), **self._limit})
        return self._objects(found)

    def ranged(self, query: str, since: datetime, last: datetime, step: float) -> list[JsonObject]:
        """Series of a query from `since` to `last`, both included and on whole seconds; `step` in seconds."""
        found = self._client.custom_query_range(self._checked(query), since, last, f"{step:g}", params={**self._limit})
        return self._objects(found)

    def series(self, matchers: Sequence[Matcher], window: TimeWindow, most: int) -> list[dict[str, str]]:
        """Labels of the series that had samples in the window."""
        query = checked(selector([*matchers, *self.only]))
        found = self._client.get_series(window.since, window.until, params={"match[]": query, "limit": str(most)})
        return [_texts(labels) for labels in self._objects(found)]

    def names(self, window: TimeWindow) -> list[str]:
        """Names of the metrics that had samples in the window, in order."""
        params: dict[str, str | float] = {"start": _seconds(window.since), "end": _seconds(window.until)}
        params["limit"] = MOST_NAMES
        if self.only:
            params["match[]"] = selector(self.only)
        found: object = self._client.get_label_values("__name__", params=params)
        if not isinstance(found, list):
            raise self._strange()
        return sorted(name for name in found if isinstance(name, str) and name)

    def metadata(self) -> list[JsonObject]:
        """What scraped targets said of their metrics: `metric_name`, `type`, `help`, `unit`."""
        try:
            found: object = self._client.get_metric_metadata(metric="", limit=MOST_NAMES)
        except (AttributeError, TypeError) as error:
            raise self._strange() from error
        return self._objects(found)

    def ask(self, path: str, params: Params | None = None) -> JsonValue:
        """`data` of a part of the API that the client library does not know."""
        answer = self.http.get_json(path, params)
        if not isinstance(answer, dict) or answer.get("status") != "success":
            raise self._strange()
        return answer.get("data")

    def _checked(self, query: str) -> str:
        try:
            checked(query)
        except NotPromql as error:
            raise self.http.error(f"is not asked what is no PromQL: {error}") from error
        return query

    def _objects(self, found: object) -> list[JsonObject]:
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise self._strange()
        return found

    def _strange(self) -> ToolError:
        return self.http.error("answered something else than its API says; is this the address of Prometheus' API?")


class _Answer(requests.Response):
    """A response whose JSON has been read."""

    def __init__(self, value: JsonValue) -> None:
        super().__init__()
        self.status_code = 200
        self._value = value

    def json(self, **_: object) -> JsonValue:
        return self._value


class _Session(requests.Session):
    """What the client library takes for its session: it asks through `Http`, and mounts nothing."""

    def __init__(self, http: Http, url: str, notes: Notebook) -> None:
        super().__init__()
        self._http = http
        self._url = url
        self._notes = notes

    def mount(self, prefix: str | bytes, adapter: object) -> None:
        """Leave the library's own retries out: they wait as long as a server asks them to."""

    def request(  # pyright: ignore[reportIncompatibleMethodOverride]  # the library uses no more of it
        self, method: str | bytes, url: str | bytes, params: Params | None = None, **_: object
    ) -> requests.Response:
        """The answer of the API, once it says `success` and holds data. Raises ToolError."""
        value = self._http.get_json(str(url).removeprefix(self._url), params)
        if not isinstance(value, dict) or value.get("data") is None:
            raise self._http.error("answered without data; is this the address of Prometheus' API?")
        if value.get("status") != "success":
            raise self._http.error(f"failed: {value.get('error')}")
        if "/query" in str(url) and not _is_result(value["data"]):
            raise self._http.error("answered a query without a result; is this the address of Prometheus' API?")
        for kind in ("warnings", "infos"):
            said = value.get(kind)
            for text in said if isinstance(said, list) else []:
                self._notes.add(Source.METRICS, f"{NAME} {'warns' if kind == 'warnings' else 'remarks'}: {text}")
        return _Answer(value)


def chunks(names: Sequence[str], most: int) -> list[list[str]]:
    """Names in groups of which each fits into a query."""
    groups: list[list[str]] = []
    length = 0
    for name in names:
        size = len(one_of("", [name, ""]).value.encode())
        if not groups or len(groups[-1]) >= most or length + size > LONGEST - 1_000:
            groups.append([])
            length = 0
        groups[-1].append(name)
        length += size
    return groups


def _is_result(data: JsonValue) -> bool:
    return isinstance(data, dict) and isinstance(data.get("result"), list)


def _texts(labels: Mapping[str, object]) -> dict[str, str]:
    return {str(name): str(value) for name, value in labels.items() if value != ""}


def _seconds(moment: datetime) -> float:
    return round(moment.timestamp(), 3)
