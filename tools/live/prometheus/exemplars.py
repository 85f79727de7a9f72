"""Trace ids that metrics carry as exemplars (https://prometheus.io/docs/prometheus/latest/querying/api/)."""

from __future__ import annotations

import math
import re

from pydantic import JsonValue

from tools.evidence import TimeWindow
from tools.live.prometheus.catalogue import Catalogue, services_of
from tools.live.prometheus.connection import Connection
from tools.live.prometheus.identity import Identity
from tools.live.prometheus.promql import checked, one_of, selector

METRICS_ASKED = 20
MOST_TRACES = 50
"""Traces that somebody would look at; the slowest come first."""
_TRACE_LABEL = re.compile(r"trace_?id", re.IGNORECASE)


def read_exemplars(
    connection: Connection, identity: Identity, catalogue: Catalogue, service: str | None
) -> tuple[str, ...]:
    """Trace ids of the exemplars of a service's histograms and counters, the largest values first."""
    named = [
        f"{known.family.name}{part}"
        for known in catalogue.known
        if known.family.kind in ("histogram", "native", "counter")
        and (service is None or service in services_of(known))
        for part in (["_bucket"] if known.family.kind == "histogram" else [""])
    ][:METRICS_ASKED]
    if not named:
        return ()
    query = checked(selector([one_of("__name__", named), *connection.only]))
    window: TimeWindow = catalogue.window
    params = {"query": query, "start": window.since.timestamp(), "end": window.until.timestamp()}
    found = connection.ask("/api/v1/query_exemplars", params)
    ranked: dict[str, float] = {}
    for series in found if isinstance(found, list) else []:
        labels = _texts(series.get("seriesLabels")) if isinstance(series, dict) else {}
        if service is None or identity.owner(labels.get("__name__", ""), labels).service == service:
            for trace, value in _traces(series):
                ranked[trace] = max(value, ranked.get(trace, value))
    return tuple(sorted(ranked, key=lambda trace: (-ranked[trace], trace))[:MOST_TRACES])


def _traces(series: JsonValue) -> list[tuple[str, float]]:
    held = series.get("exemplars") if isinstance(series, dict) else None
    traces: list[tuple[str, float]] = []
    for exemplar in held if isinstance(held, list) else []:
        if isinstance(exemplar, dict):
            ids = [value for label, value in _texts(exemplar.get("labels")).items() if _TRACE_LABEL.fullmatch(label)]
            traces += [(trace, _number(exemplar.get("value"))) for trace in ids]
    return traces


def _texts(labels: JsonValue) -> dict[str, str]:
    return {name: str(value) for name, value in labels.items()} if isinstance(labels, dict) else {}


def _number(value: JsonValue) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0
