"""What the metrics say: the level of every series, and which of them deviate since when."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from scipy import stats

from agent.analysis.naming import Meaning
from agent.analysis.observed import Level, Observations, Onset
from agent.analysis.onset import find_onsets
from agent.analysis.series import Floats, Series, Times, clean_series
from agent.incident import Alert, Resource, Signal, SignalKind
from tools.evidence import Query, TimeWindow, evidence_id

SPREAD_FLOOR = 0.01
"""A series is never taken to be steadier than one percent of its level: rounding and sampling move it by that much."""
SURE_SIZE = 4.0
"""Robust z over which half of the remaining doubt goes; below two spreads nothing is believed."""
SPIKE_DISCOUNT = 0.5
"""A deviation that recovered by itself is half as telling."""
TREND_SAMPLES = 60
"""Theil-Sen looks at all pairs; so many evenly taken samples are enough for a slope and keep it fast."""
TREND_P = 0.01
TREND_SPREADS = 6.0
"""A significant slope also has to add up to six spreads of the samples around it, or it is of no consequence."""
FILLING = frozenset({Resource.DISK, Resource.MEMORY, Resource.CONNECTIONS, Resource.QUEUE, Resource.CERTIFICATE})
"""Resources that run out by growing (or counting down); a slope of others is the day's traffic."""
FULL = 0.9995
"""From this share of a ceiling on a thing counts as full: sensors round."""


def observe_metrics(frame: pd.DataFrame, alert: Alert, window: TimeWindow, split: datetime) -> Observations:
    """Levels and signals of a metrics frame (columns of `tools.backend`).

    `split` is when the symptom began; every series gets its own onset, which may lie well before or after it. Pure.
    """
    series = clean_series(frame)
    onsets = find_onsets([s.times for s in series], [s.values for s in series])
    levels = [_level(s, window, _as_time(split)) for s in series]
    signals = [_signal(s, x, o) for s, x, o in zip(series, levels, onsets, strict=True) if x is not None]
    return Observations(
        alert=alert,
        window=window,
        signals=tuple(s for s in signals if s is not None),
        levels=tuple(x for x in levels if x is not None),
    )


def _as_time(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def _level(series: Series, window: TimeWindow, split: np.datetime64) -> Level | None:
    """None for a series with nothing on one of the two sides: it has no level to compare."""
    early = series.times < split
    before, after = series.values[early], series.values[~early]
    if not len(before) or not len(after):
        return None
    middle = float(np.median(before))
    spread = max(1.4826 * float(np.median(np.abs(before - middle))), SPREAD_FLOOR * abs(middle), 1e-9)
    return Level(
        service=series.service,
        metric=series.metric,
        evidence=evidence_of(series.service, series.metric, window),
        before=middle,
        after=float(np.median(after)),
        p95_before=float(np.percentile(before, 95)),
        spread=spread,
        samples=len(before),
        golden=series.meaning.golden,
        resource=series.meaning.resource,
        unit=series.meaning.unit,
        trend=_trend(series.times[early], before, series.meaning),
        last=float(series.values[-1]),
    )


def evidence_of(service: str, metric: str, window: TimeWindow) -> str:
    return evidence_id(Query(tool="metric_range", arguments={"service": service, "metric": metric}), window)


def _trend(times: Times, values: Floats, meaning: Meaning) -> float:
    """Theil-Sen slope per minute of what fills or counts down, where Kendall's tau is significant; else 0."""
    if meaning.resource not in FILLING or len(values) < 8:
        return 0.0
    pick = np.linspace(0, len(values) - 1, min(len(values), TREND_SAMPLES)).astype(np.intp)
    minutes, chosen = (times[pick] - times[0]) / np.timedelta64(60, "s"), values[pick]
    if np.ptp(chosen) == 0 or stats.kendalltau(minutes, chosen).pvalue > TREND_P:
        return 0.0
    slope = float(stats.theilslopes(chosen, minutes).slope)
    around = chosen - slope * minutes
    spread = 1.4826 * float(np.median(np.abs(around - np.median(around))))
    return slope if abs(slope) * float(minutes[-1]) >= TREND_SPREADS * spread else 0.0


def _signal(series: Series, level: Level, onset: Onset | None) -> Signal | None:
    end = _expiry(series) or _reached_ceiling(series, level)
    if end is not None:
        onset = end
    if onset is None:
        return None
    certain = confidence(onset, len(series.values))
    return Signal(
        kind=SignalKind.METRIC,
        service=series.service,
        name=series.metric,
        onset=onset.at,
        onset_uncertainty=onset.uncertainty,
        direction=onset.direction,
        before=onset.before,
        after=onset.after,
        size=min(1000.0, max(0.0, onset.size)),
        confidence=certain,
        evidence=level.evidence,
        golden=series.meaning.golden,
        resource=series.meaning.resource,
        harmful=series.meaning.harm == onset.direction,
        unit=series.meaning.unit,
        shape=onset.shape,
        attributes={"trend": "steady"} if end is not None else {},
    )


def confidence(onset: Onset, samples: int) -> float:
    """How sure the deviation is, 0..1: grows with its size in spreads, and few samples take some of it away."""
    sure = 1.0 - 0.5 ** (max(0.0, onset.size - 2.0) / SURE_SIZE)
    sure *= samples / (samples + 2.0)
    return round(min(0.99, sure * (SPIKE_DISCOUNT if onset.shape == "spike" else 1.0)), 4)


def _expiry(series: Series) -> Onset | None:
    """The moment a countdown passes zero, interpolated between the two samples around it."""
    values = series.values
    if series.meaning.resource is not Resource.CERTIFICATE or series.meaning.harm != "down" or len(values) < 3:
        return None
    passed = np.flatnonzero((values[1:] <= 0) & (values[:-1] > 0))
    if not len(passed):
        return None
    i = int(passed[0])
    share = values[i] / (values[i] - values[i + 1])
    at = series.times[i] + (series.times[i + 1] - series.times[i]) * share
    return _end(at, series.times[i + 1] - series.times[i], "down", float(values[0]), float(values[-1]))


def _reached_ceiling(series: Series, level: Level) -> Onset | None:
    """Filled on a straight line until it was full: the onset is the moment of being full, not a bend.

    Only shares are known to have a ceiling: percentages (100) and ratios (1).
    """
    if level.trend <= 0 or series.meaning.resource not in {Resource.DISK, Resource.MEMORY}:
        return None
    ceiling = 100.0 if series.meaning.unit == "%" and float(np.max(series.values)) > 1.5 else 1.0
    full = np.flatnonzero(series.values >= FULL * ceiling)
    if not len(full) or float(np.max(series.values)) > 1.02 * ceiling or int(full[0]) < 3:
        return None
    i = int(full[0])
    if not _straight(series.times[:i], series.values[:i]):
        return None
    return _end(series.times[i], series.times[i] - series.times[i - 1], "up", level.before, float(series.values[i]))


def _straight(times: Times, values: Floats) -> bool:
    """One line fits as well as two: the halves have about the same slope."""
    minutes = (times - times[0]) / np.timedelta64(60, "s")
    if len(minutes) < 8:
        return False
    half = len(minutes) // 2
    first = float(np.polyfit(minutes[:half], values[:half], 1)[0])
    second = float(np.polyfit(minutes[half:], values[half:], 1)[0])
    return first > 0 and 0.4 <= second / first <= 2.5


def _end(at: np.datetime64, step: np.timedelta64, direction: str, before: float, after: float) -> Onset:
    moment: datetime = at.astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
    return Onset(
        at=moment,
        uncertainty=timedelta(seconds=float(step / np.timedelta64(1, "s"))),
        direction="up" if direction == "up" else "down",
        before=before,
        after=after if math.isfinite(after) else before,
        size=100.0,
        shape="ramp",
    )
