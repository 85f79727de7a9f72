"""Metrics of a live Prometheus, Thanos, Mimir or VictoriaMetrics, answered like those of a recording."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from time import monotonic

import pandas as pd

from tools.evidence import Source, TimeWindow
from tools.live.errands import Errands, shown
from tools.live.notebook import Notebook
from tools.live.prometheus.catalogue import Catalogue
from tools.live.prometheus.config import PrometheusConfig
from tools.live.prometheus.connection import Connection
from tools.live.prometheus.discovery import Discovery
from tools.live.prometheus.exemplars import read_exemplars
from tools.live.prometheus.expression import selects_something, signal_of
from tools.live.prometheus.frames import frame_of
from tools.live.prometheus.identity import Identity
from tools.live.prometheus.promql import NotPromql, parsed
from tools.live.prometheus.reader import Reader, expression_pieces
from tools.live.prometheus.sight import seen
from tools.live.sighting import Sighting

REMEMBERED_SECONDS = 120.0
"""How long what was discovered in a window is taken to hold; an investigation asks its window many times."""
WINDOWS_REMEMBERED = 4


class Prometheus:
    """Implements `tools.backend.Metrics`. Safe between threads."""

    def __init__(self, config: PrometheusConfig, notes: Notebook) -> None:
        self._config = config
        self._notes = notes
        self._connection = Connection(config, notes)
        self._identity = Identity(config)
        self._remembered: OrderedDict[TimeWindow, tuple[float, Catalogue]] = OrderedDict()
        self._lock = Lock()

    def metric_range(self, window: TimeWindow, service: str | None = None, metric: str | None = None) -> pd.DataFrame:
        """Samples inside the window, with the columns of `tools.backend`.

        Without a metric: all that fit into the budget, rates, quantiles and error shares in place of counters and
        histograms. `metric` is a name from such a frame, the name of a metric (of one that has to be put together
        first, its most telling part), or a PromQL expression, whose comparison is left out. Raises ToolError.
        """
        errands = Errands(self._notes, self._connection.seconds)
        catalogue = self._catalogue(window, errands)
        if metric is not None and not catalogue.knows(metric):
            return self._expression(catalogue, service, metric)
        wanted = catalogue.all(service) if metric is None else catalogue.named(metric, service)
        if not wanted:
            raise catalogue.unknown(service, metric)
        kept, cut = catalogue.fitting(wanted, self._config.max_samples)
        if cut:
            self._notes.add(
                Source.METRICS,
                f"{len(cut)} of {len(wanted)} metrics were left out ({shown(cut)}): all would be more than "
                f"{self._config.max_samples} samples (max_samples)",
            )
        return frame_of(Reader(self._connection, catalogue, self._identity, errands).read(kept, service))

    def exemplars(self, window: TimeWindow, service: str | None = None) -> tuple[str, ...]:
        """Ids of traces that the metrics of a service point to, the slowest first; empty where there are none.

        Prometheus keeps exemplars in memory only, usually of the last hours. Raises ToolError.
        """
        catalogue = self._catalogue(window, Errands(self._notes, self._connection.seconds))
        return read_exemplars(self._connection, self._identity, catalogue, service)

    def look(self, window: TimeWindow) -> Sighting:
        """What the server is and what it holds of the window. Raises ToolError."""
        catalogue = self._catalogue(window, Errands(self._notes, self._connection.seconds))
        return seen(self._connection, catalogue, self._config.url)

    def _catalogue(self, window: TimeWindow, errands: Errands) -> Catalogue:
        with self._lock:
            at, catalogue = self._remembered.get(window, (0.0, None))
            if catalogue is not None and monotonic() - at < REMEMBERED_SECONDS:
                return catalogue
            discovery = Discovery(self._connection, self._config, self._notes, errands)
            known = discovery.known(window)
            most = self._config.max_series_per_metric
            catalogue = Catalogue(known, window, self._identity, most, discovery.typed)
            self._remembered[window] = (monotonic(), catalogue)
            while len(self._remembered) > WINDOWS_REMEMBERED:
                self._remembered.popitem(last=False)
            return catalogue

    def _expression(self, catalogue: Catalogue, service: str | None, metric: str) -> pd.DataFrame:
        """A metric that is none of the names here: an expression, or nothing that is known."""
        try:
            query = signal_of(metric).expression
            tree = parsed(query)
        except NotPromql as error:
            raise catalogue.unknown(service, metric) from error
        if not selects_something(tree):
            raise self._connection.http.error(
                f"is not asked for {metric!r}: an expression has to name a metric or the value of a label"
            )
        pieces = expression_pieces(
            self._connection, self._identity, query, catalogue.window, catalogue.usual_step, (service or "", metric)
        )
        if not pieces:
            raise catalogue.unknown(service, metric)
        return frame_of(pieces)
