"""The API of Elasticsearch through its client, under our own limits of time, size and retries.

The client is of the 8.x line on purpose. A 9.x client asks for `compatible-with=9`, which a server 8 refuses; an 8.x
client speaks to servers 8 and 9 (https://www.elastic.co/guide/en/elasticsearch/client/python-api/current/compatibility.html).
The client knows the API; what it asks through is put under it here, as its node: it bounds the whole of a question and
its answer, retries a bounded number of times within that, waits as the server asks, and makes failures one line. The
retries of the client itself are off, because each would have the whole time again.

OpenSearch has the same API but for points in time, and answers without the header by which the client knows its
server. Where that header is missing the server is asked once what it is; an OpenSearch is let through, all else is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any, cast
from urllib.parse import urlsplit

import orjson
from elastic_transport import ApiResponseMeta, BaseNode, HttpHeaders, NodeConfig, TransportError
from elastic_transport._node import NodeApiResponse
from elastic_transport.client_utils import DEFAULT, DefaultType
from elasticsearch import ApiError, Elasticsearch as Client, OrjsonSerializer

from tools.evidence import JsonObject, Source, ToolError
from tools.live.elasticsearch.config import ElasticsearchConfig
from tools.live.http import Http

PRODUCT = "x-elastic-product"
CAUSE = re.compile(r'\{"error":.*?"type":"(?P<type>\w+)","reason":"(?P<reason>(?:[^"\\]|\\.)*)(?:".*)?', re.DOTALL)
"""The first cause in an error as JSON, whose end may have been cut off."""


class Connection:
    """One server. Every method raises ToolError."""

    def __init__(self, config: ElasticsearchConfig) -> None:
        self.http = Http(
            config.access, Source.LOGS, "OpenSearch" if config.product == "opensearch" else "Elasticsearch"
        )
        self.product = _Product(self.http, config.product)
        parts = urlsplit(config.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        node = NodeConfig(
            parts.scheme, parts.hostname or "", port, _extras={"http": self.http, "product": self.product}
        )
        self._client = Client(
            [node],
            node_class=_Node,
            serializers={"application/json": OrjsonSerializer()},
            max_retries=0,
            retry_on_status=(),
            meta_header=False,
        )

    def ask(self, question: Callable[[Client], Any], deadline: float) -> JsonObject:
        """The JSON object with which the server answers; `deadline` as `Http` has it."""
        answer = self._asked(question, deadline)
        if not isinstance(answer, dict):
            raise self._strange()
        return cast("JsonObject", answer)

    def ask_list(self, question: Callable[[Client], Any], deadline: float) -> list[JsonObject]:
        """The list of JSON objects with which the server answers."""
        answer = self._asked(question, deadline)
        if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
            raise self._strange()
        return cast("list[JsonObject]", answer)

    def _asked(self, question: Callable[[Client], Any], deadline: float) -> object:
        try:
            return question(self._client.options(request_timeout=deadline - monotonic())).body
        except ToolError as error:
            raise _plain(error) from error
        except (ApiError, TransportError) as error:  # what `Http` lets pass and the client does not, as a web page
            raise self.http.error(f"answered what its client cannot read: {error.message}") from error

    def _strange(self) -> ToolError:
        return self.http.error("answered something else than its API says; is this the address of the API?")


class _Product:
    """Whether the server is an OpenSearch; asked once, and only where it does not say that it is Elasticsearch."""

    def __init__(self, http: Http, known: str | None) -> None:
        self._http = http
        self._known = known
        self._lock = Lock()

    @property
    def is_opensearch(self) -> bool:
        return self._known == "opensearch"

    def vouch(self, headers: HttpHeaders, deadline: float) -> None:
        """Let the client take an OpenSearch for what it knows. Raises ToolError for another server."""
        if headers.get(PRODUCT) == "Elasticsearch":
            return
        with self._lock:
            if self._known is None and self._distribution(deadline) == "opensearch":
                self._known = "opensearch"
        if self._known is None:
            raise self._http.error(
                f"does not say that it is Elasticsearch (header {PRODUCT}), nor OpenSearch; is this its address? "
                "where something between takes the header out, set product"
            )
        headers[PRODUCT] = "Elasticsearch"

    def _distribution(self, deadline: float) -> object:
        try:
            told = self._http.get_json("/", deadline=deadline)
        except ToolError:
            return None
        version = told.get("version") if isinstance(told, dict) else None
        return version.get("distribution") if isinstance(version, dict) else None


class _Node(BaseNode):
    """What the client sends its questions through."""

    _CLIENT_META_HTTP_CLIENT = ("", "")

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> NodeApiResponse:
        """The answer to one question; `Http` has its own headers, time and retries. Raises ToolError."""
        extras: JsonObject = self.config._extras  # pyright: ignore[reportPrivateUsage]  # made for what others pass on
        http: Http = extras["http"]
        begun = monotonic()
        deadline = http.deadline() if not isinstance(request_timeout, float) else begun + request_timeout
        asked = None if body is None else orjson.loads(body)
        # DELETE closes a point in time, which may be done twice as a question may be asked twice.
        reply = http.ask(method, target, body=asked, deadline=deadline)  # pyright: ignore[reportArgumentType]
        told = HttpHeaders(reply.headers)
        told.pop("warning", None)  # deprecations, for whoever writes clients
        told["content-type"] = "application/json"  # a web page is no answer, whatever it calls itself
        extras["product"].vouch(told, deadline)
        meta = ApiResponseMeta(reply.status, "1.1", told, monotonic() - begun, self.config)
        return NodeApiResponse(meta, reply.body)


def _plain(error: ToolError) -> ToolError:
    """The server's own reason, without the JSON round it."""

    def cause(found: re.Match[str]) -> str:
        reason = found["reason"].replace('\\"', '"').replace("\\\\", "\\")
        return f"{found['type']}: {reason}"

    return ToolError(error.source, CAUSE.sub(cause, error.message))
