"""Clean series from a metrics frame: instances joined, counters turned into rates, time in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agent.analysis.naming import Meaning, read_name

Times = NDArray[np.datetime64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one service: `times` datetime64[us] in UTC, rising; `values` float64, finite, equally many."""

    service: str
    metric: str
    meaning: Meaning
    times: Times
    values: Floats


def clean_series(frame: pd.DataFrame) -> list[Series]:
    """One `Series` per (service, metric) of a metrics frame (columns of `tools.backend`), in order of their names.

    Rows may come in any order; values that are not finite are left out, of samples at one moment the last counts. A
    counter (its name says so and it only grows, but for resets) becomes a rate per second. Instances are joined by
    sum, mean or maximum, as the name's meaning asks.
    """
    return [s for s in (_joined(*group) for group in _groups(frame)) if len(s.values)]


def _groups(frame: pd.DataFrame) -> Iterator[tuple[str, str, str, list[tuple[Times, Floats]]]]:
    """Service, metric, unit and the (times, values) of each instance."""
    values = frame["value"].to_numpy(np.float64)
    kept = frame[np.isfinite(values)]
    times = kept["timestamp"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    values = values[np.isfinite(values)]
    keys = kept.groupby(["service", "metric", "instance"], sort=True, observed=True).ngroup().to_numpy()
    order = np.lexsort((times, keys))
    keys, times, values = keys[order], times[order], values[order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.zeros(0, np.intp)
    named = kept[["service", "metric", "unit"]].iloc[order[starts]].itertuples(index=False, name=None)
    stops = np.r_[starts[1:], len(keys)]
    service, metric, unit = "", "", ""
    instances: list[tuple[Times, Floats]] = []
    for (s, m, u), start, stop in zip(named, starts, stops, strict=True):
        if instances and (s, m) != (service, metric):
            yield service, metric, unit, instances
            instances = []
        service, metric, unit = str(s), str(m), str(u)
        instances.append(_last_of_each_moment(times[start:stop], values[start:stop]))
    if instances:
        yield service, metric, unit, instances


def _last_of_each_moment(times: Times, values: Floats) -> tuple[Times, Floats]:
    last = np.r_[times[1:] != times[:-1], True]
    return times[last], values[last]


def _joined(service: str, metric: str, unit: str, instances: list[tuple[Times, Floats]]) -> Series:
    meaning = read_name(metric, unit)
    if meaning.counter and all(_only_grows(values) for _, values in instances):
        instances = [_rate(times, values) for times, values in instances]
    instances = [(times, values) for times, values in instances if len(values)]
    if not instances:
        return Series(service, metric, meaning, np.zeros(0, "datetime64[us]"), np.zeros(0))
    if len(instances) == 1:
        return Series(service, metric, meaning, *instances[0])
    return Series(service, metric, meaning, *_together(instances, meaning))


def _only_grows(values: Floats) -> bool:
    """Grows, or falls back to (nearly) nothing: a reset. A gauge that happens to be called `_total` falls anyhow."""
    falls = np.flatnonzero(np.diff(values) < 0)
    return len(values) > 2 and values[-1] != values[0] and bool(np.all(values[falls + 1] <= 0.1 * values[falls]))


def _rate(times: Times, values: Floats) -> tuple[Times, Floats]:
    """Growth per second between samples; after a reset the new value is the growth (as Prometheus' rate() has it)."""
    growth = np.diff(values)
    growth = np.where(growth < 0, values[1:], growth)
    seconds = np.diff(times) / np.timedelta64(1, "s")
    return times[1:], growth / seconds


def _together(instances: list[tuple[Times, Floats]], meaning: Meaning) -> tuple[Times, Floats]:
    """Instances on one grid of their usual step; a moment without a sample of any instance stays a gap, not a zero."""
    step = int(np.median(np.concatenate([np.diff(t).astype(np.int64) for t, _ in instances if len(t) > 1] or [[1]])))
    slots = [times.astype(np.int64) // max(step, 1) for times, _ in instances]
    table = pd.DataFrame(
        {
            "slot": np.concatenate(slots),
            "instance": np.repeat(np.arange(len(instances)), [len(s) for s in slots]),
            "value": np.concatenate([values for _, values in instances]),
        }
    )
    each = table.groupby(["slot", "instance"], sort=True)["value"].mean()
    joined = each.groupby(level="slot").agg(meaning.join)
    moments = (joined.index.to_numpy() * max(step, 1)).astype("datetime64[us]")
    return moments, joined.to_numpy(np.float64)
