"""Clean series from a metrics frame: instances joined, counters turned into rates, time in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agent.analysis.metrics.naming import SHARES, TIMES, Meaning, read_name
from agent.incident import GoldenSignal, Resource

Times = NDArray[np.datetime64]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESET_TO = 0.5
"""A counter that restarts falls below half of what it was; a gauge that happens to be called `_total` falls by less."""

RESETS = 0.05
"""Share of the samples at which a counter may restart; a count per interval goes up and down all the time."""

STEADY = 0.9
GAUGE_LIKE = 0.8
"""Shares of the samples at which a thing has to grow to be taken for a counter: without the name of one, and where what
is counted is rather a level (open connections, keys, queued messages)."""

STEADY_SAMPLES = 12
"""So many samples in a row that only grow are no load that happens to rise."""

LEVELS = frozenset({Resource.CONNECTIONS, Resource.REPLICAS, Resource.CACHE, Resource.QUEUE, Resource.THREADS})
COUNTED = frozenset({GoldenSignal.TRAFFIC, GoldenSignal.ERRORS, None})


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one service: `times` datetime64[us] in UTC, rising; `values` float64, finite, equally many."""

    service: str
    metric: str
    meaning: Meaning
    unit: str
    """Of the values: that of the name or the source, per second for a counter; empty for a share between 0 and 1."""
    times: Times
    values: Floats


@dataclass(frozen=True, slots=True)
class _Instance:
    times: Ints
    """Microseconds since 1970."""
    values: Floats


def as_time(moment: datetime) -> np.datetime64:
    """An aware moment as series write it: datetime64[us] in UTC."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def clean_series(frame: pd.DataFrame) -> list[Series]:
    """One `Series` per (service, metric) of a metrics frame (columns of `tools.backend`), in order of their names.

    Rows may come in any order; values that are not finite are left out, several samples of an instance at one moment
    become their mean. A counter becomes its rate per second between samples; where it falls it restarted, and what it
    shows then is its growth (as Prometheus' rate() has it). Instances are joined by sum, mean, maximum or minimum, as
    the name's meaning asks (`agent.analysis.metrics.meanings`). A moment without samples stays a gap, never a zero.
    """
    return [one for one in (_series(*group) for group in _groups(frame)) if len(one.values)]


def _groups(frame: pd.DataFrame) -> Iterator[tuple[str, str, str, list[_Instance]]]:
    """Service, metric, unit and instances of each series."""
    values = frame["value"].to_numpy(np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        return
    kept, values = frame[finite], values[finite]
    moments = kept["timestamp"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
    service, services = pd.factorize(kept["service"], sort=True)
    metric, metrics = pd.factorize(kept["metric"], sort=True)
    instance, instances = pd.factorize(kept["instance"], sort=True)
    key = (service.astype(np.int64) * len(metrics) + metric) * len(instances) + instance
    order = np.lexsort((moments, key))
    key, moments, values = key[order], moments[order], values[order]
    units = kept["unit"].to_numpy(dtype=object)[order]
    bounds = np.flatnonzero(np.diff(key, prepend=key[0] - 1, append=key[-1] + 1))
    series = key[bounds[:-1]] // len(instances)
    first = np.flatnonzero(np.diff(series, prepend=series[0] - 1, append=series[-1] + 1))
    for begin, end in pairwise(first):
        parts = [_one_per_moment(moments[a:b], values[a:b]) for a, b in pairwise(bounds[begin : end + 1])]
        whose, what = divmod(int(series[begin]), len(metrics))
        yield str(services[whose]), str(metrics[what]), str(units[bounds[begin]]), parts


def _one_per_moment(moments: Ints, values: Floats) -> _Instance:
    first = np.flatnonzero(np.diff(moments, prepend=moments[0] - 1))
    if len(first) == len(moments):
        return _Instance(moments, values)
    return _Instance(moments[first], np.add.reduceat(values, first) / np.diff(first, append=len(moments)))


def _series(service: str, metric: str, unit: str, instances: list[_Instance]) -> Series:
    meaning = read_name(metric, unit)
    unit = meaning.unit
    if all(_is_counter(one.values, meaning) for one in instances):
        instances = [_rate(one) for one in instances]
        unit = f"{unit}/s"
    instances = [one for one in instances if len(one.values)]
    joined = _joined(instances, meaning) if instances else _Instance(np.zeros(0, np.int64), np.zeros(0))
    if unit in SHARES and joined.values.size and 0 <= joined.values.min() and joined.values.max() <= 1.0:
        unit = ""
    return Series(service, metric, meaning, unit, joined.times.astype("datetime64[us]"), joined.values)


def _is_counter(values: Floats, meaning: Meaning) -> bool:
    """Named like a counter and only growing, but for restarts; without the name, growing all the time in whole numbers."""
    growth = np.diff(values)
    if len(growth) < 2 or not growth.any():
        return False
    falls = np.flatnonzero(growth < 0)
    if len(falls) > max(1.0, RESETS * len(growth)) or np.any(values[falls + 1] > RESET_TO * values[falls]):
        return False
    if np.min(values) < 0:
        return False
    growing = float(np.mean(growth > 0))
    if meaning.counter:
        return meaning.resource not in LEVELS or growing >= GAUGE_LIKE
    if meaning.golden not in COUNTED or meaning.unit in TIMES | SHARES or "/" in meaning.unit:
        return False
    whole = bool(np.all(values == np.round(values)))
    return whole and len(values) >= STEADY_SAMPLES and growing >= STEADY


def _rate(one: _Instance) -> _Instance:
    growth = np.diff(one.values)
    growth = np.where(growth < 0, one.values[1:], growth)
    return _Instance(one.times[1:], growth / (np.diff(one.times) / 1e6))


def _joined(instances: list[_Instance], meaning: Meaning) -> _Instance:
    """Instances on one grid of their usual step, so that scrapes at different seconds meet.

    A sum counts an instance that misses a scrape at the mean of the others: it is silent, not gone. It is gone after
    its last sample.
    """
    if len(instances) == 1:
        return instances[0]
    steps = [int(np.median(np.diff(one.times))) for one in instances if len(one.times) > 1]
    step = max(1, int(np.median(steps))) if steps else 1
    slots = [one.times // step for one in instances]
    grid, place = np.unique(np.concatenate(slots), return_inverse=True)
    row = np.repeat(np.arange(len(instances)), [len(s) for s in slots])
    total, count = np.zeros((len(instances), len(grid))), np.zeros((len(instances), len(grid)))
    np.add.at(total, (row, place), np.concatenate([one.values for one in instances]))
    np.add.at(count, (row, place), 1.0)
    moments = np.full(len(grid), np.iinfo(np.int64).max)
    np.minimum.at(moments, place, np.concatenate([one.times for one in instances]))
    present = count > 0
    table = total / np.maximum(count, 1.0)
    if meaning.join == "max":
        return _Instance(moments, np.max(np.where(present, table, -np.inf), axis=0))
    if meaning.join == "min":
        return _Instance(moments, np.min(np.where(present, table, np.inf), axis=0))
    mean = np.sum(table, axis=0) / np.sum(present, axis=0)
    if meaning.join == "mean":
        return _Instance(moments, mean)
    begun = np.maximum.accumulate(present, axis=1)
    to_come = np.maximum.accumulate(present[:, ::-1], axis=1)[:, ::-1]
    return _Instance(moments, mean * np.sum(begun & to_come, axis=0))
