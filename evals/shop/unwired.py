"""Traces of the live Jaeger, as long as `agent.backends` does not know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import requests

from tools.backend import SPAN_COLUMNS, Backend
from tools.evidence import TimeWindow

MOST = 20_000


class JaegerSpans:
    def __init__(self, url: str) -> None:
        self._url = url

    def spans(self, window: TimeWindow, service: str | None = None, operation: str | None = None) -> pd.DataFrame:
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for name in self._get("/api/services", {})["data"] or []:
            asked = {
                "service": name,
                "start": int(window.since.timestamp() * 1e6),
                "end": int(window.until.timestamp() * 1e6),
                "limit": MOST,
            }
            for trace in self._get("/api/traces", asked)["data"]:
                for span in trace["spans"]:
                    found[trace["traceID"], span["spanID"]] = _row(span, trace["processes"])
        frame = pd.DataFrame(list(found.values()), columns=list(SPAN_COLUMNS))
        frame["start"] = pd.to_datetime(frame["start"], unit="us", utc=True).astype("datetime64[us, UTC]")
        for name in ("trace_id", "span_id", "parent_span_id", "service", "name", "kind", "status"):
            frame[name] = frame[name].astype("str")
        frame["duration_ms"] = frame["duration_ms"].astype("float64")
        inside = (frame["start"] >= window.since) & (frame["start"] < window.until)
        if service is not None:
            inside &= frame["service"] == service
        if operation is not None:
            inside &= frame["name"] == operation
        return frame[inside].sort_values("start", kind="stable").reset_index(drop=True)

    def _get(self, path: str, params: dict[str, Any]) -> dict[str, Any]:
        return requests.get(f"{self._url}{path}", params=params, timeout=20).json()


def _row(span: dict[str, Any], processes: dict[str, Any]) -> dict[str, Any]:
    tags = {tag["key"]: str(tag["value"]) for tag in span["tags"]}
    failed = tags.pop("error", "") in ("True", "true") or tags.get("otel.status_code") == "ERROR"
    tags.pop("otel.status_code", None)
    parents: Sequence[dict[str, Any]] = span.get("references", [])
    return {
        "trace_id": span["traceID"],
        "span_id": span["spanID"],
        "parent_span_id": next((each["spanID"] for each in parents if each["refType"] == "CHILD_OF"), ""),
        "service": processes[span["processID"]]["serviceName"],
        "name": span["operationName"],
        "kind": tags.pop("span.kind", ""),
        "start": span["startTime"],
        "duration_ms": span["duration"] / 1000,
        "status": "ERROR" if failed else "",
        "attributes": tags,
    }


def with_traces(backend: Backend, jaeger: str) -> Backend:
    return replace(backend, traces=JaegerSpans(jaeger))
