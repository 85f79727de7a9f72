"""What users feel, and since when: the golden signal of the alert and the onset of the alert's own series."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from agent.analysis.metrics.departure import LARGEST_SIZE
from agent.analysis.metrics.filling import ran_out
from agent.analysis.metrics.naming import read_name
from agent.analysis.metrics.onset import find_onset
from agent.analysis.metrics.robust import centre_and_spread
from agent.analysis.metrics.series import Series, clean_series
from agent.analysis.observed import Onset
from agent.incident import Alert, GoldenSignal, Symptom
from tools.evidence import TimeWindow

LATE_SAMPLES = 3
"""Samples after the alert that may still be needed to see that its series had changed."""

_WORDS = (
    (GoldenSignal.ERRORS, r"error|fail|5xx|exception|panic|unavailable|unhealthy|declin|reject|missing|cannot|not "),
    (GoldenSignal.LATENCY, r"slow|latency|p9\d|duration|time[- ]?out|wait"),
    (GoldenSignal.SATURATION, r"cpu|memory|disk|queue|lag|pool|full|saturat|pressure|expir|limit"),
    (GoldenSignal.TRAFFIC, r"traffic|requests|volume|throughput"),
)
"""Words of a summary, for an alert whose metric's name says nothing; the first that fits."""


def find_symptom(frame: pd.DataFrame, alert: Alert, window: TimeWindow) -> tuple[Symptom, Onset | None]:
    """The symptom and the onset of the alert's own series; None when the series is absent or shows no deviation.

    `frame` is a metrics frame (columns of `tools.backend`) that holds at least the alert's series. The incident may
    have begun long before the alert fired; a deviation that begins after it is another story. A series in which no
    deviation is found began to misbehave where it crossed the alert's threshold for the last time before it fired.
    """
    symptom = Symptom(signal=_golden(alert), service=alert.service, window=window, metric=alert.metric)
    own = frame[(frame["service"] == alert.service) & (frame["metric"] == alert.metric)]
    series = clean_series(own)
    if not series:
        return symptom, None
    return symptom, _onset(series[0], alert)


def _golden(alert: Alert) -> GoldenSignal:
    named = read_name(alert.metric).golden if alert.metric else None
    if named is not None:
        return named
    text = f"{alert.metric} {alert.monitor} {alert.summary}"
    return next((golden for golden, words in _WORDS if re.search(words, text, re.I)), GoldenSignal.ERRORS)


def _onset(series: Series, alert: Alert) -> Onset | None:
    step = np.median(np.diff(series.times)) if len(series.times) > 1 else np.timedelta64(0, "us")
    late = timedelta(microseconds=LATE_SAMPLES * int(step.astype("timedelta64[us]").astype(np.int64)))
    until = alert.fired_at + late
    whole = find_onset(series.times, series.values)
    early = find_onset(series.times, series.values, until)
    candidates = [ran_out(series), *_lasting_first(whole, early), _crossed(series, alert)]
    return next((onset for onset in candidates if onset is not None and onset.at <= until), None)


def _lasting_first(whole: Onset | None, early: Onset | None) -> list[Onset | None]:
    """All samples tell best when a lasting change began; a change that was over by then was none at the alert."""
    return sorted((whole, early), key=lambda onset: onset is None or onset.shape == "spike")


def _crossed(series: Series, alert: Alert) -> Onset | None:
    """Where the series crossed the threshold, on the side it was observed at, and stayed there until the alert."""
    if alert.threshold is None or alert.observed is None or alert.observed == alert.threshold:
        return None
    up = alert.observed > alert.threshold
    seen = series.times <= np.datetime64(alert.fired_at.astimezone(UTC).replace(tzinfo=None), "us")
    beyond = (series.values[seen] > alert.threshold) == up
    inside = np.flatnonzero(~beyond)
    if not len(inside) or not len(beyond) or not beyond[-1]:
        return None
    first = int(inside[-1]) + 1
    before, spread = centre_and_spread(series.values[:first])
    after = float(np.median(series.values[seen][first:]))
    at: datetime = series.times[first].astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
    gap = (series.times[first] - series.times[first - 1]) / np.timedelta64(1, "s")
    return Onset(
        at=at,
        uncertainty=timedelta(seconds=float(gap)),
        direction="up" if up else "down",
        before=before,
        after=after,
        size=min(LARGEST_SIZE, abs(after - before) / spread) if spread > 0 else LARGEST_SIZE,
        shape="step",
    )
