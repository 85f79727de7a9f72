"""Sends the spans of a recording to a real tracing backend by OTLP over HTTP, so that both can be asked the same."""

from __future__ import annotations

import hashlib
import re

import orjson
import pandas as pd
import requests

from tools.evidence import JsonObject

CHUNK = 2_000
"""Spans of one request."""
KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
STATUSES = {"": 0, "OK": 1, "ERROR": 2}
ID_LENGTHS = {"trace": 32, "span": 16}


def push_spans(otlp_url: str, spans: pd.DataFrame) -> None:
    """Send a frame with the columns of `tools.backend`. Ids that are no hexadecimal ones are hashed (`wire_id`)."""
    for begin in range(0, len(spans), CHUNK):
        rows = spans.iloc[begin : begin + CHUNK]
        body = {"resourceSpans": [_of_service(str(name), part) for name, part in rows.groupby("service", sort=True)]}
        answer = requests.post(
            f"{otlp_url}/v1/traces",
            data=orjson.dumps(body),
            headers={"content-type": "application/json"},
            timeout=60,
        )
        assert answer.ok, answer.text[:500]


def wire_id(kind: str, name: str) -> str:
    """The id under which a span or trace goes over the wire; one that fits stays."""
    length = ID_LENGTHS[kind]
    if not name or re.fullmatch(rf"[0-9a-f]{{{length}}}", name):
        return name
    return hashlib.sha256(name.encode()).hexdigest()[:length]


def _of_service(name: str, rows: pd.DataFrame) -> JsonObject:
    return {
        "resource": {"attributes": [_attribute("service.name", name)]},
        "scopeSpans": [{"spans": [_span(row) for row in rows.itertuples(index=False)]}],
    }


def _span(row: object) -> JsonObject:
    start = row.start.value  # type: ignore[attr-defined]  # nanoseconds
    found: JsonObject = {
        "traceId": wire_id("trace", row.trace_id),  # type: ignore[attr-defined]
        "spanId": wire_id("span", row.span_id),  # type: ignore[attr-defined]
        "name": row.name,  # type: ignore[attr-defined]
        "kind": KINDS.get(row.kind, 0),  # type: ignore[attr-defined]
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + round(row.duration_ms * 1e6)),  # type: ignore[attr-defined]
        "attributes": [_attribute(key, value) for key, value in row.attributes.items()],  # type: ignore[attr-defined]
        "status": {"code": STATUSES[row.status]},  # type: ignore[attr-defined]
    }
    if row.parent_span_id:  # type: ignore[attr-defined]
        found["parentSpanId"] = wire_id("span", row.parent_span_id)  # type: ignore[attr-defined]
    return found


def _attribute(key: str, value: str) -> JsonObject:
    return {"key": key, "value": {"stringValue": value}}
