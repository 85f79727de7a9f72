"""Traces of a live Jaeger, answered like those of a recording; who calls whom is read from them.

The paths are those of its query service (https://www.jaegertracing.io/docs/1.76/apis/, "HTTP JSON (internal)"), which its
own page uses: `/api/services`, `/api/traces`, `/api/dependencies`. Moments go there as microseconds, both ends inclusive.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pandas as pd
from pydantic import JsonValue

from tools.evidence import Edge, Source, TimeWindow, ToolError
from tools.live.errands import Errands
from tools.live.http import Http, Params
from tools.live.jaeger.answers import dependencies_of, moved_spans, names_of, spans_of
from tools.live.jaeger.config import JaegerConfig
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting
from tools.live.span_rows import only, span_frame
from tools.live.trace_sampling import Sampler, Trace
from tools.words import counted

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MILLISECOND = timedelta(milliseconds=1)
MOVED = "Jaeger moved spans in time, because the clocks of two machines disagree: what came first may be wrong"
EDGES_LOOK_BACK = timedelta(hours=24)
"""A service graph of a day has every call that matters, and jobs that run once a night."""


class Jaeger:
    """Implements `tools.backend.Traces`. Safe between threads."""

    def __init__(self, config: JaegerConfig, notes: Notebook) -> None:
        self._config = config
        self._notes = notes
        self._http = Http(config, Source.TRACES, "Jaeger")

    def spans(self, window: TimeWindow, service: str | None = None, operation: str | None = None) -> pd.DataFrame:
        """Spans of whole traces that start inside the window, with the columns of `tools.backend`.

        What is read is decided for the whole window (`tools.live.trace_sampling`), whatever is asked for, so that one
        service asked alone has the rows that it has among all. Raises ToolError.
        """
        frame = self._frame(window)
        return only(frame, service, operation)

    def look(self, window: TimeWindow) -> Sighting:
        """Its services and the newest trace of the first of them. Raises ToolError."""
        deadline = self._http.deadline()
        reply = self._http.ask("GET", "/api/services", deadline=deadline)
        services = self._services(deadline)
        found: dict[str, Trace] = {}
        for service in services[:5]:
            found |= self._search(service, window, 1, only_failed=False, deadline=deadline)
        newest = max((span.start_us for trace in found.values() for span in trace), default=None)
        return Sighting(
            source=Source.TRACES,
            name=f"Jaeger at {self._config.url}",
            facts=(f"traces of {counted(len(services), 'service')}",),
            services=tuple(services),
            newest=None if newest is None else EPOCH + newest * MICROSECOND,
            clock=reply.clock,
            troubles=() if services else ("it holds no traces: is anything sent to its collector?",),
        )

    def _frame(self, window: TimeWindow) -> pd.DataFrame:
        deadline = self._http.deadline()
        errands = Errands(self._notes, self._config.timeout_seconds, Source.TRACES)
        sampler = Sampler(
            lambda service, stretch, limit, failed: self._search(
                service, stretch, limit, only_failed=failed, deadline=deadline
            ),
            errands,
            self._config.max_traces,
        )
        sampled = sampler.read(self._callers_first(window, deadline), window)
        if sampled.words:
            self._notes.add(Source.TRACES, f"Jaeger: {sampled.words}")
        return span_frame((span for trace in sampled.traces.values() for span in trace), window)

    def _callers_first(self, window: TimeWindow, deadline: float) -> list[str]:
        """Services that nobody calls come first: most others are seen in their traces."""
        services = self._services(deadline)
        try:
            edges = self._dependencies(window.until, deadline)
        except ToolError:  # where no job counts them there are none, and the order only saves questions
            edges = []
        called = {edge.callee for edge in edges}
        return sorted(services, key=lambda service: (service in called, service))

    def _services(self, deadline: float) -> list[str]:
        return sorted(names_of(self._get("/api/services", None, deadline)))

    def _dependencies(self, until: datetime, deadline: float) -> list[Edge]:
        params = {
            "endTs": (until - EPOCH) // timedelta(milliseconds=1),
            "lookback": EDGES_LOOK_BACK // timedelta(milliseconds=1),
        }
        return dependencies_of(self._get("/api/dependencies", params, deadline))

    def _search(
        self, service: str, stretch: TimeWindow, limit: int, *, only_failed: bool, deadline: float
    ) -> dict[str, Trace]:
        params: dict[str, str | int] = {
            "service": service,
            "start": (stretch.since - EPOCH) // MICROSECOND,
            "end": (stretch.until - EPOCH) // MICROSECOND - 1,
            "limit": limit,
        }
        if only_failed:
            params["tags"] = orjson.dumps({"error": "true"}).decode()
        found: dict[str, Trace] = {}
        for trace in self._get("/api/traces", params, deadline):
            spans = spans_of(trace)
            if spans:
                found[spans[0].trace_id] = spans
            if moved_spans(trace):
                self._notes.add(Source.TRACES, MOVED)
        return found

    def _get(self, path: str, params: Params | None, deadline: float) -> list[JsonValue]:
        """The `data` of an answer; its `errors` are noted, or raised where there is nothing else."""
        answer = self._http.get_json(path, params, deadline)
        if not isinstance(answer, dict) or "data" not in answer:
            raise self._http.error(
                "answered something else than its API says; is this the address of the query service?"
            )
        data, errors = answer.get("data"), answer.get("errors")
        why = (
            "; ".join(str(each.get("msg")) for each in errors if isinstance(each, dict))
            if isinstance(errors, list)
            else ""
        )
        if why and not data:
            raise self._http.error(f"cannot answer: {why}")
        if why:
            self._notes.add(Source.TRACES, f"Jaeger: the answer is not complete: {why}")
        return data if isinstance(data, list) else []
