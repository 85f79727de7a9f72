"""Which query shows which evidence, and answers cut from what was already fetched: the same ids, no second call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from agent.analysis.logs.templates import literal_of
from agent.analysis.observed import Observations
from agent.incident import Signal, SignalKind, Source
from tools.backend import Backend
from tools.catalogue import Answer, run
from tools.evidence import Query, TimeWindow, ToolError, evidence_id
from tools.recorded import RecordedLogs, RecordedMetrics, RecordedTraces


def queries_of(observations: Observations) -> dict[str, Query]:
    """Evidence id -> the query whose answer it is, for all that was observed over the observations' window."""
    over = str(observations.window)
    candidates = [
        *(metric_query(level.service, level.metric) for level in observations.levels),
        *(_log_query(seen.service, literal_of(seen.template, seen.example)) for seen in observations.templates),
        *(_span_query(seen.service, seen.name) for seen in observations.operations),
        *(seen.query for seen in (*observations.calls, *observations.breaks, *observations.excesses)),
        *(query for signal in observations.signals for query in _signal_queries(signal)),
        *(change_query(change.id) for change in observations.changes),
        *(Query(tool=tool) for tool in ("changes", "status_events", "edges", "runbooks")),
    ]
    return {evidence_id(query, over): query for query in candidates}


def metric_query(service: str, metric: str) -> Query:
    return Query(tool="metric_range", arguments={"service": service, "metric": metric})


def change_query(change: str) -> Query:
    return Query(tool="change", arguments={"id": change})


def cut_slices(source: Source, frame: pd.DataFrame, queries: Iterable[Query], window: TimeWindow) -> Iterator[Answer]:
    """Answers to `queries` from the rows of one fetched frame; a query that this frame cannot answer has none."""
    fetched = _backend_of(source, frame)
    for query in queries:
        try:
            yield run(fetched, query, window)
        except ToolError:  # a name that only another source knows
            continue


def _backend_of(source: Source, frame: pd.DataFrame) -> Backend:
    match source:
        case Source.METRICS:
            return Backend(name="fetched", metrics=RecordedMetrics(frame))
        case Source.LOGS:
            return Backend(name="fetched", logs=RecordedLogs(frame))
        case _:
            return Backend(name="fetched", traces=RecordedTraces(frame))


def _signal_queries(signal: Signal) -> list[Query]:
    match signal.kind:
        case SignalKind.METRIC:
            return [metric_query(signal.service, signal.name)]
        case SignalKind.SPAN:
            return [_span_query(signal.service, signal.name)]
        case SignalKind.LOG:
            # A service that fell silent is shown by all of its lines.
            return [
                _log_query(signal.service, literal_of(signal.name, signal.example)),
                _log_query(signal.service, None),
            ]


def _log_query(service: str, contains: str | None) -> Query:
    return Query(tool="log_lines", arguments={"service": service, "contains": contains})


def _span_query(service: str, operation: str) -> Query:
    return Query(tool="spans", arguments={"service": service, "operation": operation})
