"""Traces of a live Grafana Tempo, answered like those of a recording; who calls whom is read from them.

A search (`/api/search`, https://grafana.com/docs/tempo/latest/api_docs/) finds ids, and every trace is fetched by its own
(`/api/traces/ID`). Moments go there in whole seconds.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Lock

import pandas as pd

from tools.evidence import Source, TimeWindow, ToolError
from tools.live import errands
from tools.live.errands import Errands
from tools.live.http import Http, Params
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting
from tools.live.span_rows import only, span_frame
from tools.live.tempo.answers import found_in, services_of, spans_of
from tools.live.tempo.config import TempoConfig
from tools.live.tempo.traceql import of_service
from tools.live.trace_sampling import Sampler, Trace
from tools.words import counted

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEPT_WINDOWS = 4
"""Answers that are remembered: an investigation asks for two or three windows, each in many parts."""


class Tempo:
    """Implements `tools.backend.Traces`. Safe between threads.

    A search of Tempo stops at the first traces that it finds, so it may find others when it is asked again; what was read of
    a window is therefore remembered as long as this object lives.
    """

    def __init__(self, config: TempoConfig, notes: Notebook) -> None:
        self._config = config
        self._notes = notes
        self._http = Http(config, Source.TRACES, "Tempo")
        self._frames: dict[str, pd.DataFrame] = {}
        self._lock = Lock()

    def spans(self, window: TimeWindow, service: str | None = None, operation: str | None = None) -> pd.DataFrame:
        """Spans of whole traces that start inside the window, with the columns of `tools.backend`.

        What is read is decided for the whole window (`tools.live.trace_sampling`), whatever is asked for, so that one
        service asked alone has the rows that it has among all. Raises ToolError.
        """
        with self._lock:
            frame = self._frames.get(str(window))
            if frame is None:
                frame = self._frame(window)
                self._frames = dict([*self._frames.items(), (str(window), frame)][-KEPT_WINDOWS:])
        return only(frame, service, operation)

    def look(self, window: TimeWindow) -> Sighting:
        """Its services and the newest of a few traces. Raises ToolError."""
        deadline = self._http.deadline()
        reply = self._http.ask("GET", "/api/echo", deadline=deadline)
        services = self._services(window, deadline)
        found: dict[str, Trace] = {}
        for service in services[:5]:
            found |= self._search(service, window, 1, {}, only_failed=False, deadline=deadline)
        newest = max((span.start_us for trace in found.values() for span in trace), default=None)
        return Sighting(
            source=Source.TRACES,
            name=f"Tempo at {self._config.url}",
            facts=(f"traces of {counted(len(services), 'service')}",),
            services=tuple(services),
            newest=None if newest is None else EPOCH + timedelta(microseconds=newest),
            clock=reply.clock,
            troubles=() if services else ("it holds no traces of the window: is anything sent to its distributor?",),
        )

    def _frame(self, window: TimeWindow) -> pd.DataFrame:
        deadline = self._http.deadline()
        known: dict[str, Trace] = {}
        sampler = Sampler(
            lambda service, stretch, limit, failed: self._search(
                service, stretch, limit, known, only_failed=failed, deadline=deadline
            ),
            Errands(self._notes, self._config.timeout_seconds, Source.TRACES),
            self._config.max_traces,
        )
        sampled = sampler.read(self._services(window, deadline), window)
        if sampled.words:
            self._notes.add(Source.TRACES, f"Tempo: {sampled.words}")
        return span_frame((span for trace in sampled.traces.values() for span in trace), window)

    def _services(self, window: TimeWindow, deadline: float) -> list[str]:
        path = "/api/v2/search/tag/resource.service.name/values"
        return sorted(set(services_of(self._http.get_json(path, _seconds(window), deadline))))

    def _search(
        self,
        service: str,
        stretch: TimeWindow,
        limit: int,
        known: dict[str, Trace],
        *,
        only_failed: bool,
        deadline: float,
    ) -> dict[str, Trace]:
        """Whole traces by id; those that are `known` are not fetched again, and new ones are put there."""
        query = of_service(service, only_failed=only_failed)
        asked = {**_seconds(stretch), "q": query, "limit": limit, "spss": 1}
        found = found_in(self._http.get_json("/api/search", asked, deadline))
        missing = [trace for trace in found if trace not in known]
        with ThreadPoolExecutor(errands.AT_ONCE, thread_name_prefix="whydown-traces") as pool:
            fetched = list(pool.map(lambda trace: self._fetch(trace, stretch, deadline), missing))
        known |= {trace: spans for trace, spans in zip(missing, fetched, strict=True) if spans is not None}
        return {trace: known[trace] for trace in found if trace in known}

    def _fetch(self, trace: str, stretch: TimeWindow, deadline: float) -> Trace | None:
        """The spans of a trace; None, with a note, for one that cannot be read."""
        try:
            return spans_of(self._http.get_json(f"/api/traces/{trace}", _seconds(stretch, around=1800), deadline))
        except ToolError as error:
            self._notes.add(Source.TRACES, f"a trace is left out: {error.message}")
            return None


def _seconds(window: TimeWindow, around: int = 0) -> Params:
    """The window in whole seconds, widened to them, and by `around` for what began earlier or lasts longer."""
    since, until = ((moment - EPOCH).total_seconds() for moment in (window.since, window.until))
    return {"start": math.floor(since) - around, "end": math.ceil(until) + around}
