"""Loads the log lines of a recording into real servers, so that both can be asked the same."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pandas as pd
import requests

CHUNK = 5_000
"""Lines of one request."""
TEMPLATE = {
    "data_stream": {},
    "priority": 500,
    "template": {
        "mappings": {
            "properties": {
                "@timestamp": {"type": "date_nanos"},
                "message": {"type": "text"},
                "service": {"properties": {"name": {"type": "keyword"}}},
                "host": {"properties": {"name": {"type": "keyword"}}},
                "log": {"properties": {"level": {"type": "keyword"}}},
                "trace": {"properties": {"id": {"type": "keyword"}}},
                "span": {"properties": {"id": {"type": "keyword"}}},
                "labels": {"type": "object", "enabled": False},
            }
        }
    },
}
"""An index as shippers of the Elastic Common Schema make it (https://www.elastic.co/docs/reference/ecs)."""


def make_stream(url: str, stream: str, session: requests.Session | None = None) -> None:
    """Have the first document make a data stream for log lines."""
    asking = session or requests.Session()
    template = {**TEMPLATE, "index_patterns": [stream]}
    _told(asking.put(f"{url}/_index_template/{stream}", json=template, timeout=30))


def push_logs(url: str, stream: str, logs: pd.DataFrame, session: requests.Session | None = None) -> None:
    """Put a frame with the columns of `tools.backend` into a data stream, and make it findable."""
    make_stream(url, stream, session)
    push_documents(url, stream, ecs_documents(logs), session)


def push_documents(
    url: str, stream: str, documents: Iterator[dict[str, object]], session: requests.Session | None = None
) -> None:
    """Put documents into a data stream or an index that exists, in bulk."""
    asking = session or requests.Session()
    pending: list[bytes] = []
    for document in documents:
        pending += [b'{"create":{}}', orjson.dumps(document)]
        if len(pending) == 2 * CHUNK:
            _send(asking, url, stream, pending)
            pending = []
    if pending:
        _send(asking, url, stream, pending)
    _told(asking.post(f"{url}/{stream}/_refresh", timeout=60))


def ecs_documents(logs: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Each line as a document of the Elastic Common Schema; attributes that have no place there are labels."""
    for row in logs.itertuples(index=False):
        parts = {
            "service": {"name": row.service},
            "host": {"name": row.instance},
            "log": {"level": row.severity},
            "trace": {"id": row.trace_id},
            "span": {"id": row.span_id},
        }
        told = {name: part for name, part in parts.items() if all(part.values())}
        document = {"@timestamp": row.timestamp.isoformat(), "message": row.body, **told}
        yield document | ({"labels": row.attributes} if row.attributes else {})


def _send(asking: requests.Session, url: str, stream: str, lines: list[bytes]) -> None:
    answer = asking.post(
        f"{url}/{stream}/_bulk",
        data=b"\n".join([*lines, b""]),
        headers={"content-type": "application/x-ndjson"},
        timeout=120,
    )
    _told(answer)
    told = answer.json()
    if told["errors"]:
        raise AssertionError(next(item["create"]["error"] for item in told["items"] if "error" in item["create"]))


def _told(answer: requests.Response) -> None:
    """Fail with the server's own words."""
    assert answer.ok, answer.text[:500]
