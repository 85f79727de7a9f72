"""What the metrics say: the level of every series, and which of them deviate since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from agent.analysis.metrics.departure import LARGEST_SIZE, MIN_SIZE
from agent.analysis.metrics.excess import excesses
from agent.analysis.metrics.filling import FILLING, ran_out
from agent.analysis.metrics.onset import find_onsets
from agent.analysis.metrics.presence import Presence, presences
from agent.analysis.metrics.robust import Floats, spread_of
from agent.analysis.metrics.series import Series, as_time, clean_series
from agent.analysis.metrics.trend import steady_slopes
from agent.analysis.observed import Level, Observations, Onset
from agent.incident import Alert, Signal, SignalKind
from tools.evidence import Query, TimeWindow, evidence_id

SPREAD_SHARE = 0.01
"""A series is never taken to be steadier than one percent of its level: rounding and sampling move it by that much."""

SPREAD_LEAST = 1e-9

HALF_DOUBT = 4.0
"""Spreads beyond the first two over which half of the remaining doubt goes."""

SURE = 0.97
SURE_OF_BUMP = 0.5
"""Measured on 40-minute stretches of a real system without a fault: 3% of its series show a lasting change of more
than four spreads and 6% one that recovered, however large. Where one series in five deviates in an incident, half to
nine tenths of what is found belongs to it; a lasting change is taken for surer, because its moment has to fit too."""

TREND_SPREADS = 6.0
"""A significant slope also has to add up to six spreads of the samples around it, or it is of no consequence; a share of
the level would miss a disk that goes from 98% to 100%."""


LATE = timedelta(minutes=2)
"""A monitor fires so long after the fact, at most, if it looks once a minute."""
FEW = 10
"""With fewer samples before the split, all that came before the alert has to tell what is usual."""
HIDES = 6
"""Samples after the alert that it takes to hide what the series showed at it: fewer are no recovery."""
RECENT = 5
"""Samples that tell where a series stood before the alert; a median of them withstands two outliers."""
KEPT_SECONDS = 30.0
MOST_KEPT = 31
"""A processor that is busy for a second or two is at work; from half a minute on somebody waits for it."""


def observe_metrics(frame: pd.DataFrame, alert: Alert, window: TimeWindow, split: datetime) -> Observations:
    """Levels and signals of a metrics frame (columns of `tools.backend`). Pure.

    `split` is when the symptom began; every series gets its own onset, which may lie well before or after it. A series
    with nothing on one side of the split has no level. Sizes are in spreads of the series' own normal part, which is
    never taken to be below one percent of its level.
    """
    series = clean_series(frame)
    levels = _levels(series, window, as_time(split), as_time(alert.fired_at - LATE))
    found = zip(series, _onsets(series, alert.fired_at), presences(series), strict=True)
    signals = [_signal(one, onset, presence, window) for one, onset, presence in found]
    return Observations(
        alert=alert,
        window=window,
        signals=tuple(signal for signal in signals if signal is not None),
        levels=tuple(level for level in levels if level is not None),
        excesses=excesses(series, split, alert.fired_at),
    )


def evidence_of(service: str, metric: str, window: TimeWindow) -> str:
    return evidence_id(Query(tool="metric_range", arguments={"service": service, "metric": metric}), window)


def _onsets(series: Sequence[Series], fired_at: datetime) -> list[Onset | None]:
    """The onset of each series over all its samples, or as it looked when the alert fired.

    What began before the alert and lasts comes first. Where that is not what the whole series shows, because it
    recovered since or something else followed, its state at the alert counts, if it had left its normal level by then.
    """
    whole = find_onsets([one.times for one in series], [one.values for one in series])
    alert = as_time(fired_at)
    again = [i for i, onset in enumerate(whole) if _looks_other_at(series[i], onset, fired_at, alert)]
    early = find_onsets([series[i].times for i in again], [series[i].values for i in again], fired_at)
    for i, onset in zip(again, early, strict=True):
        if onset is not None and (onset.shape != "spike" or whole[i] is None):
            whole[i] = onset
    return whole


def _looks_other_at(one: Series, onset: Onset | None, fired_at: datetime, alert: np.datetime64) -> bool:
    """Whether what the whole series shows may not be what it showed at the alert."""
    if onset is None:
        return len(one.times) - int(np.searchsorted(one.times, alert)) > HIDES
    return onset.shape == "spike" or onset.at > fired_at


def _levels(
    series: Sequence[Series], window: TimeWindow, split: np.datetime64, near: np.datetime64
) -> list[Level | None]:
    """Levels on both sides of the split; series of the same lengths are worked on together."""
    alike: dict[tuple[int, int, int, int], list[int]] = defaultdict(list)
    for i, one in enumerate(series):
        early, long_before = np.searchsorted(one.times, (split, near)).tolist()
        if 0 < early < len(one.times):
            last = max(0, min(long_before, len(one.times) - 2))
            alike[early, _reference(early, long_before), last, len(one.times)].append(i)
    levels: list[Level | None] = [None] * len(series)
    for (early, usual, last, _), rows in alike.items():
        part = [series[i] for i in rows]
        values = np.stack([one.values for one in part])
        before, after = values[:, :early], values[:, early:]
        middle = np.median(before, axis=1)
        figures = np.stack(
            [
                middle,
                np.median(after, axis=1),
                np.percentile(before, 95, axis=1),
                np.maximum(spread_of(before - middle[:, None]), _least_spread(middle)),
                _trends(part, before),
                values[:, -1],
                _kept(values[:, last:], _step(part[0])),
                np.median(values[:, max(0, last - RECENT) : max(last, 1)], axis=1),
                np.median(values[:, :usual], axis=1),
                spread_of(values[:, :usual] - np.median(values[:, :usual], axis=1, keepdims=True)),
            ],
            axis=1,
        )
        for i, one, row in zip(rows, part, figures.tolist(), strict=True):
            levels[i] = _level(one, early, row, window)
    return levels


def _level(one: Series, early: int, figures: list[float], window: TimeWindow) -> Level:
    before, after, p95_before, spread, trend, last, high, recent, usual, usual_spread = figures
    return Level(
        service=one.service,
        metric=one.metric,
        evidence=evidence_of(one.service, one.metric, window),
        before=before,
        after=after,
        p95_before=p95_before,
        spread=spread,
        samples=early,
        golden=one.meaning.golden,
        resource=one.meaning.resource,
        unit=one.unit,
        trend=trend,
        last=last,
        high=high,
        recent=recent,
        usual=usual,
        usual_spread=usual_spread,
    )


def _kept(after: Floats, step: float) -> Floats:
    """The highest level that was kept for `KEPT_SECONDS` and two samples at least, per row; there are two at least.

    Kept means: the median of so many samples in a row, of two the lower one.
    """
    samples = max(2, min(MOST_KEPT, 1 + int(KEPT_SECONDS / step)))
    if samples == 2 or after.shape[1] < samples:
        return np.max(np.minimum(after[:, 1:], after[:, :-1]), axis=1)
    return np.max(np.median(sliding_window_view(after, samples, axis=1), axis=2), axis=1)


def _step(one: Series) -> float:
    """Seconds between two samples."""
    return float(np.median(np.diff(one.times)) / np.timedelta64(1, "s")) if len(one.times) > 1 else KEPT_SECONDS


def _reference(early: int, long_before: int) -> int:
    """So many samples are the reference for what is usual: those before the split, if they are enough and most."""
    return early if early >= max(FEW, long_before / 2) else max(long_before, 1)


def _least_spread(level: Floats) -> Floats:
    return np.maximum(SPREAD_SHARE * np.abs(level), SPREAD_LEAST)


def _trends(part: Sequence[Series], before: Floats) -> Floats:
    """Slopes per minute before the split of what fills or counts down; of others a slope is the day's traffic."""
    minutes = np.stack([(one.times[: before.shape[1]] - one.times[0]) / np.timedelta64(60, "s") for one in part])
    slopes = np.zeros(len(part))
    fills = np.array([one.meaning.resource in FILLING for one in part])
    slopes[fills] = steady_slopes(minutes[fills], before[fills])
    whole = np.abs(slopes) * minutes[:, -1]
    around = before - slopes[:, None] * minutes
    spread = 1.4826 * np.median(np.abs(around - np.median(around, axis=1, keepdims=True)), axis=1)
    return np.where(whole >= TREND_SPREADS * spread, slopes, 0.0)


def _signal(one: Series, onset: Onset | None, presence: Presence | None, window: TimeWindow) -> Signal | None:
    end = ran_out(one)
    onset = end or onset or (presence.onset if presence else None)
    if onset is None:
        return None
    size = _size(onset)
    if size < MIN_SIZE:
        return None
    appeared = presence is not None and onset is presence.onset
    return Signal(
        kind=SignalKind.METRIC,
        service=one.service,
        name=one.metric,
        onset=onset.at,
        onset_uncertainty=onset.uncertainty,
        direction=onset.direction,
        before=onset.before,
        after=onset.after,
        size=size,
        confidence=_confidence(onset, size, one),
        evidence=evidence_of(one.service, one.metric, window),
        golden=one.meaning.golden,
        resource=one.meaning.resource,
        harmful=presence.harmful if presence is not None and appeared else one.meaning.hurts(onset.direction),
        unit=one.unit,
        shape=onset.shape,
        attributes={"trend": "steady"} if end is not None else {},
    )


def _size(onset: Onset) -> float:
    """The shift in spreads, the spread being at least one percent of the level before."""
    shift = abs(onset.after - onset.before)
    noise = shift / onset.size if 0 < onset.size < LARGEST_SIZE else 0.0
    return min(LARGEST_SIZE, shift / max(noise, SPREAD_SHARE * abs(onset.before), SPREAD_LEAST))


def _confidence(onset: Onset, size: float, one: Series) -> float:
    """How sure the deviation is, 0..1.

    It grows with the size (half of the doubt goes every four spreads) and with the fewer of the samples before and
    since the onset (two leave a third of the doubt, ten a tenth), up to what such a finding can be worth (`SURE`).
    """
    before = int(np.searchsorted(one.times, as_time(onset.at)))
    fewer = max(1, min(before, len(one.times) - before))
    most = SURE_OF_BUMP if onset.shape == "spike" else SURE
    return round(most * (1.0 - 0.5 ** ((size - MIN_SIZE) / HALF_DOUBT)) * fewer / (fewer + 1), 4)
