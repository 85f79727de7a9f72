"""Reads the metrics of one day of a Nezha export: wide CSV files, one sample a minute."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evals.nezha.rows import Columns, Troubles, read_columns, service_of
from tools.backend import METRIC_COLUMNS
from tools.evidence import Source
from tools.moments import NOT_A_TIME, read_moments
from tools.words import clean_name

VERSION = "nezha-metrics-2"
"""Changes whenever this module reads anything differently."""

_FRONT_FILE = "front_service.csv"
_POD_FILE = "_metric.csv"
_CALL_FILES = {"source_50.csv": "source", "destination_50.csv": "destination"}
"""Median latency of calls in seconds as one side sees it; a column is `<caller>_<callee>`."""
_UNITS = {"Mi": "MiB", "m": "millicores", "Ops": "/s"}
"""Units that would be misread as the exporter writes them."""
_NO_VALUES = {"time", "timestamp", "podname", "servicename"}
_NAME_AND_UNIT = re.compile(r"(?P<name>.+)\((?P<unit>[^()]*)\)")


class _Series(NamedTuple):
    service: str
    instance: str
    metric: str
    unit: str


@dataclass(frozen=True)
class _Samples:
    """Samples of a few series. A day has most of a million of them: texts are kept once per series, not per sample."""

    series: list[_Series] = field(default_factory=list[_Series])
    places: list[NDArray[np.int32]] = field(default_factory=list[NDArray[np.int32]])
    """Which series a sample is of."""
    times: list[NDArray[np.int64]] = field(default_factory=list[NDArray[np.int64]])
    values: list[NDArray[np.float64]] = field(default_factory=list[NDArray[np.float64]])

    def add(self, times: NDArray[np.int64], series: _Series, cells: Sequence[str]) -> None:
        """Add the cells that hold a number, at the times that are one."""
        values = np.asarray(pd.to_numeric(pd.Series(cells, dtype="str"), errors="coerce"), dtype=np.float64)
        usable = np.isfinite(values) & (times != NOT_A_TIME)
        self.places.append(np.full(int(usable.sum()), len(self.series), dtype=np.int32))
        self.times.append(times[usable])
        self.values.append(values[usable])
        self.series.append(series)

    def frame(self) -> pd.DataFrame:
        places = np.concatenate([np.empty(0, dtype=np.int32), *self.places])
        times = np.concatenate([np.empty(0, dtype=np.int64), *self.times])
        values = np.concatenate([np.empty(0, dtype=np.float64), *self.values])
        order = np.argsort(times, kind="stable")
        columns: dict[str, object] = {
            "timestamp": pd.to_datetime(pd.Series(times[order]), unit="us", utc=True),
            "value": values[order],
        }
        for name in _Series._fields:
            codes, texts = pd.factorize(pd.Series([getattr(each, name) for each in self.series], dtype="str"))
            columns[name] = pd.Categorical.from_codes(codes[places[order]], categories=texts)
        return pd.DataFrame(columns)[list(METRIC_COLUMNS)]


def read_metrics(files: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Frames `metrics` (pods and calls), `front` (what users see, without a service) and `troubles` of one day.

    Both have METRIC_COLUMNS, texts as categories, sorted by time. A cell that is empty or NaN is no sample: that is how
    the exporter says that nothing was asked. Raises OSError when a file cannot be read.
    """
    troubles = Troubles()
    front, others = _Samples(), _Samples()
    for path in files:
        columns = {name.strip(): values for name, values in read_columns(path, Source.METRICS, troubles, ()).items()}
        if path.name == _FRONT_FILE:
            _add(front, columns, troubles, _measured("", columns))
        elif path.name in _CALL_FILES:
            _add(others, columns, troubles, _called(_CALL_FILES[path.name], columns))
        elif path.name.endswith(_POD_FILE):
            _add(others, columns, troubles, _measured(path.name.removesuffix(_POD_FILE), columns))
    return {"metrics": others.frame(), "front": front.frame(), "troubles": troubles.frame()}


def name_and_unit(column: str) -> tuple[str, str]:
    """`CpuUsageRate` and `%` of `CpuUsageRate(%)`."""
    shape = _NAME_AND_UNIT.fullmatch(column.strip())
    name, unit = (shape["name"], shape["unit"]) if shape else (column, "")
    return clean_name(name), _UNITS.get(unit, unit)


def _add(into: _Samples, columns: Columns, troubles: Troubles, series: dict[str, _Series]) -> None:
    # `Time`, not `TimeStamp`: an exporter's epoch seconds can be years ahead of the time it prints beside them.
    written = next((values for name, values in columns.items() if name.lower() == "time"), ())
    times = read_moments([text.partition(" UTC")[0] for text in written]).microseconds
    troubles.add(Source.METRICS, "a row has no readable time and was left out", int((times == NOT_A_TIME).sum()))
    for name, about in series.items():
        if len(times):
            into.add(times, about, columns[name])


def _measured(pod: str, columns: Iterable[str]) -> dict[str, _Series]:
    """Series of one pod, whose columns are called `Metric(unit)`."""
    found: dict[str, _Series] = {}
    for column in columns:
        name, unit = name_and_unit(column)
        if column.lower() not in _NO_VALUES:
            found[column] = _Series(clean_name(service_of(pod)), clean_name(pod), name, unit)
    return found


def _called(side: str, columns: Iterable[str]) -> dict[str, _Series]:
    """Series of calls, filed under the service that measured them."""
    found: dict[str, _Series] = {}
    for column in columns:
        caller, _, callee = map(clean_name, column.partition("_"))
        if caller and callee and side == "source":
            found[column] = _Series(caller, "", f"source_latency_p50_to_{callee}", "s")
        elif caller and callee:
            found[column] = _Series(callee, "", f"destination_latency_p50_from_{caller}", "s")
    return found
