"""Reads documents page by page from one point in time, oldest first."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import orjson
from elasticsearch import Elasticsearch as Client

from tools.evidence import JsonObject, Source, ToolError
from tools.live.elasticsearch.connection import Connection
from tools.live.elasticsearch.queries import NANOS, SHIPPERS
from tools.live.notebook import Notebook

PAGE_LINES = 5_000
"""Documents of a page, half of what a server allows (index.max_result_window)."""
PAGE_BYTES = 8 * 2**20
"""Of documents; a page is answered in about a second then, and an answer that is too large is never asked for."""
FEWEST = 100
"""Documents of a page at least."""
OVERHEAD = 80
"""Bytes of a hit around its document."""
KEEP_ALIVE = "1m"
"""How long a point in time outlives its last use, should it not be closed: a page is asked for long before."""
CLOSING_SECONDS = 0.3
"""Of the time, kept for closing a point in time."""
CAREFUL = 0.7
"""Of the lines that would just be read in time, how many are asked for then."""
HEALTH = "timed_out,_shards.total,_shards.successful,_shards.failed,_shards.failures.reason,_clusters"
"""What of an answer tells whether it is whole."""
SHOWN = f"hits.hits._source,hits.hits.sort,{HEALTH}"
"""What is sent of an answer with documents."""
SOURCE: JsonObject = {"excludes": list(SHIPPERS)}

Query = JsonObject


@dataclass(frozen=True)
class Documents:
    """Raw times and documents in the order of time."""

    times: list[object] = field(default_factory=list)
    records: list[JsonObject] = field(default_factory=list)


class TooSlow(Exception):
    """It would not be read in time; `lines` would be."""

    def __init__(self, lines: int) -> None:
        super().__init__(f"{lines} lines can be read in the time that is left")
        self.lines = lines


class Reader:
    """Reads from the indices of one call. Every method raises ToolError."""

    def __init__(self, connection: Connection, notes: Notebook, index: Sequence[str]) -> None:
        self._connection = connection
        self._notes = notes
        self._index = ",".join(index)
        self._said: list[str] = []
        self._last = connection.http.deadline()
        self.deadline = self._last - CLOSING_SECONDS
        """When the last answer has to be there, in monotonic seconds."""

    def search(self, body: JsonObject) -> JsonObject:
        """The answer of one search over the indices; what of it is partial is noted."""
        return self._searched(lambda client: client.search(index=self._index, **_OPEN, **body))

    def count(self, query: Query, aggregations: JsonObject, documents: int) -> JsonObject:
        """Aggregations over the documents of a query, and the first few of these."""
        return self.search(
            {
                "query": query,
                "aggs": aggregations,
                "size": documents,
                "source": SOURCE,
                "track_total_hits": False,
                "filter_path": f"aggregations,{SHOWN}",
            }
        )

    def field_caps(self, names: Sequence[str]) -> JsonObject:
        """Types of fields, and the indices that there are."""
        # The client sends the names in the body, where OpenSearch does not look for them.
        params = {**_OPEN, "fields": ",".join(names), "filter_path": "indices,fields"}
        return self._searched(
            lambda client: client.perform_request("GET", f"/{self._index}/_field_caps", params=params)
        )

    def field_mapping(self, name: str) -> JsonObject:
        """How a field is stored, by index."""
        return self._searched(lambda client: client.indices.get_field_mapping(fields=name, index=self._index, **_OPEN))

    def pages(
        self,
        query: Query,
        time: str,
        page: int,
        expected: int | None = None,
        enough: Callable[[Documents], bool] = lambda _: False,
    ) -> Documents:
        """All documents of the query, oldest first and `page` of them at once, until it is `enough`.

        `expected`: how many there are, about; where the pace tells that they do not fit into the time, TooSlow is
        raised, because the beginning of a window alone would mislead.
        """
        found, after = Documents(), None
        with self._point_in_time() as pit:
            while True:
                begun = monotonic()
                hits = self._page(query, time, page, pit, after)
                first = not found.records
                found.times.extend(hit["sort"][0] for hit in hits)
                found.records.extend(hit.get("_source") or {} for hit in hits)
                if len(hits) < page or enough(found):
                    return found
                after = hits[-1]["sort"]
                pace = page / max(monotonic() - begun, 1e-3)
                left = max(self.deadline - monotonic(), 0.0)
                # The first page pays for what a server reads from its disk once.
                if left == 0.0 or (expected is not None and not first and expected - len(found.records) > pace * left):
                    raise TooSlow(int(CAREFUL * pace * left))

    def _page(
        self, query: Query, time: str, size: int, pit: dict[str, str], after: list[Any] | None
    ) -> list[JsonObject]:
        by_time: JsonObject = {"order": "asc", "numeric_type": "date_nanos"}
        if not self._connection.product.is_opensearch:  # which counts nanoseconds instead
            by_time["format"] = NANOS
        # Lines of one moment in the order in which they arrived; then what makes the order whole.
        last = "_shard_doc" if pit else "_index"
        body: JsonObject = {
            "query": query,
            "size": size,
            "sort": [{time: by_time}, {"_seq_no": {"order": "asc"}}, {last: {"order": "asc"}}],
            "source": SOURCE,
            "track_total_hits": False,
            "filter_path": f"pit_id,{SHOWN}",
        }
        if pit:
            body["pit"] = {"id": pit["id"], "keep_alive": KEEP_ALIVE}
        else:
            body |= {"index": self._index, **_OPEN}
        answer = self._searched(lambda client: client.search(**body, search_after=after))
        if "pit_id" in answer:
            pit["id"] = answer["pit_id"]
        return answer.get("hits", {}).get("hits", [])

    def _searched(self, question: Callable[[Client], Any]) -> JsonObject:
        answer = self._connection.ask(question, self.deadline)
        for text in partial(answer):
            if not any(said.startswith(text) for said in self._said):  # the reason is told once
                self._said.append(text)
                self._notes.add(Source.LOGS, text)
        return answer

    @contextmanager
    def _point_in_time(self) -> Generator[dict[str, str]]:
        """A frozen view of the indices, closed in the end whatever happens; empty where the server has none to give.

        Not every server has points in time, not every key may open one, and before 8.16 a missing shard prevents it.
        Then the indices are read as they are; what arrives meanwhile has usually a later time than the window.
        """
        pit: dict[str, str] = {}
        with suppress(ToolError):
            pit["id"] = self._opened()
        try:
            yield pit
        finally:
            if pit:
                with suppress(ToolError):  # it ends by itself
                    self._close(pit["id"])

    def _opened(self) -> str:
        given = {"keep_alive": KEEP_ALIVE, "ignore_unavailable": "true", "expand_wildcards": "open"}
        if self._connection.product.is_opensearch:
            path, key = f"/{self._index}/_search/point_in_time", "pit_id"
            given["allow_partial_pit_creation"] = "true"
        else:  # the client does not know the last parameter
            path, key = f"/{self._index}/_pit", "id"
            given["allow_partial_search_results"] = "true"
        answer = self._searched(lambda client: client.perform_request("POST", path, params=given))
        return str(answer[key])

    def _close(self, pit: str) -> None:
        if self._connection.product.is_opensearch:
            headers = {"content-type": "application/json"}
            self._connection.ask(
                lambda client: client.perform_request(
                    "DELETE", "/_search/point_in_time", headers=headers, body={"pit_id": [pit]}
                ),
                self._last,
            )
        else:
            self._connection.ask(lambda client: client.close_point_in_time(id=pit), self._last)


def page_of(line_bytes: float, limit: int = PAGE_LINES) -> int:
    """Documents of a page, when one has so many bytes and about so many are wanted."""
    return max(FEWEST, min(limit, PAGE_LINES, int(PAGE_BYTES / (line_bytes + OVERHEAD))))


_OPEN: JsonObject = {"ignore_unavailable": True, "allow_no_indices": True, "expand_wildcards": "open"}
"""Indices that are closed or that nobody may see are not there."""


def mean_bytes(hits: Sequence[JsonObject]) -> float:
    """Size of a document, about, from a random few."""
    sizes = [len(orjson.dumps(hit.get("_source") or {})) for hit in hits]
    return sum(sizes) / len(sizes) if sizes else 0.0


def partial(answer: JsonObject) -> list[str]:
    """What of an answer is missing, each with what that means."""
    told: list[str] = []
    if answer.get("timed_out"):
        told.append("Elasticsearch stopped searching at its time limit: lines are missing, counts are too low")
    shards = answer.get("_shards") or {}
    total = int(shards.get("total") or 0)
    # OpenSearch counts a shard that is nowhere neither as failed nor as successful.
    missing = max(int(shards.get("failed") or 0), total - int(shards.get("successful", total)))
    if missing:
        failures: list[JsonObject] = shards.get("failures") or [{}]
        reason = failures[0].get("reason") or {}
        why = "".join(f": {reason[key]}" for key in ("type", "reason") if reason.get(key))
        told.append(f"{missing} of {total} shards of Elasticsearch did not answer, lines are missing{why}")
    clusters = answer.get("_clusters") or {}
    lost = sum(int(clusters.get(state) or 0) for state in ("partial", "skipped", "failed"))
    if lost:
        told.append(
            f"{lost} of {clusters.get('total')} Elasticsearch clusters answered in part or not, lines are missing"
        )
    return told
