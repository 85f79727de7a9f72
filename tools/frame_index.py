"""Finds rows of a telemetry frame by service, name and time without scanning the frame for every question."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.evidence import Source, TimeWindow, ToolError
from tools.moments import microseconds
from tools.words import did_you_mean

Rows = NDArray[np.intp]


class FrameIndex:
    """Row positions of a frame by service and by a second column, both in time order.

    The frame is sorted by `time` on the way in if it is not yet; what comes out are slices of it, which pandas copies
    on write, so that a caller cannot change the recording.
    """

    def __init__(self, frame: pd.DataFrame, source: Source, time: str = "timestamp", name: str | None = None) -> None:
        if not frame[time].is_monotonic_increasing:
            frame = frame.sort_values(time, kind="stable", ignore_index=True)
        self._frame = frame
        self._source = source
        self._name = name
        self._times = microseconds(frame[time])
        self._named: dict[str, dict[str, Rows]] = {}
        """Row positions by service and name, filled as services are asked for."""

    @cached_property
    def _services(self) -> dict[str, Rows]:
        return _groups(self._frame["service"])

    def select(self, window: TimeWindow, service: str | None = None, name: str | None = None) -> pd.DataFrame:
        """Rows inside the window. Raises ToolError for a service or name that the recording never saw."""
        if service is None and name is None:
            since, until = self._bounds(self._times, window)
            return self._frame.iloc[since:until].reset_index(drop=True)
        rows = self._rows_of(service, name)
        since, until = self._bounds(self._times[rows], window)
        return self._frame.take(rows[since:until]).reset_index(drop=True)

    def _rows_of(self, service: str | None, name: str | None) -> Rows:
        if service is None:
            found = [self._names_of(each)[name] for each in self._services if name in self._names_of(each)]
            if not found:
                known = {each for owner in self._services for each in self._names_of(owner)}
                raise self._unknown(self._name or "name", name, known)
            return np.sort(np.concatenate(found))
        if service not in self._services:
            raise self._unknown("service", service, self._services)
        if name is None:
            return self._services[service]
        names = self._names_of(service)
        if name not in names:
            raise self._unknown(f"{service} {self._name or 'name'}", name, names)
        return names[name]

    def _names_of(self, service: str) -> dict[str, Rows]:
        if self._name is None:
            return {}
        if service not in self._named:
            rows = self._services[service]
            inside = _groups(self._frame[self._name].iloc[rows])
            self._named[service] = {name: rows[positions] for name, positions in inside.items()}
        return self._named[service]

    def _unknown(self, what: str, value: str | None, known: Iterable[str]) -> ToolError:
        kind = self._source.value
        return ToolError(self._source, f"no {kind} of {what} {value!r} are recorded{did_you_mean(value, known)}")

    @staticmethod
    def _bounds(times: NDArray[np.int64], window: TimeWindow) -> tuple[int, int]:
        edges = microseconds(pd.Series([window.since, window.until]))
        since, until = np.searchsorted(times, edges, side="left")
        return int(since), int(until)


def _groups(column: pd.Series) -> dict[str, Rows]:
    """Positions of each value of a column, ascending."""
    codes, values = pd.factorize(column)
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(1, len(values)))
    return dict(zip((str(value) for value in values), np.split(order, edges), strict=True)) if len(values) else {}
