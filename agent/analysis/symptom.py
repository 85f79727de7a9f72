"""What users feel, and since when: the golden signal of the alert and the onset of the alert's own series."""

from __future__ import annotations

import re

import pandas as pd

from agent.analysis.metrics import observe_metrics
from agent.analysis.naming import read_name
from agent.analysis.observed import Onset
from agent.incident import Alert, GoldenSignal, Signal, Symptom
from tools.evidence import TimeWindow

_WORDS = (
    (
        re.compile(r"error|fail|5xx|exception|panic|unavailable|declin|reject|missing|cannot|not ", re.I),
        GoldenSignal.ERRORS,
    ),
    (re.compile(r"slow|latency|p9\d|duration|timeout|wait", re.I), GoldenSignal.LATENCY),
    (re.compile(r"cpu|memory|disk|queue|lag|pool|full|saturat|pressure", re.I), GoldenSignal.SATURATION),
    (re.compile(r"traffic|requests|volume|throughput", re.I), GoldenSignal.TRAFFIC),
)
"""Words of a summary, for an alert whose metric's name says nothing."""


def find_symptom(frame: pd.DataFrame, alert: Alert, window: TimeWindow) -> tuple[Symptom, Onset | None]:
    """The symptom and the onset of the alert's own series; None when the series is absent or shows no deviation.

    `frame` is a metrics frame (columns of `tools.backend`) that holds at least the alert's series. The incident may
    have begun long before the alert fired; a deviation that begins after it is another story.
    """
    symptom = Symptom(signal=_golden(alert), service=alert.service, window=window, metric=alert.metric)
    own = frame[(frame["service"] == alert.service) & (frame["metric"] == alert.metric)] if len(frame) else frame
    if not len(own):
        return symptom, None
    seen = observe_metrics(own, alert, window, alert.fired_at)
    signal = next((s for s in seen.signals if s.onset <= alert.fired_at), None)
    return symptom, _onset(signal) if signal else None


def _golden(alert: Alert) -> GoldenSignal:
    named = read_name(alert.metric).golden if alert.metric else None
    if named is not None:
        return named
    text = f"{alert.monitor} {alert.summary}"
    return next((golden for words, golden in _WORDS if words.search(text)), GoldenSignal.ERRORS)


def _onset(signal: Signal) -> Onset:
    return Onset(
        at=signal.onset,
        uncertainty=signal.onset_uncertainty,
        direction=signal.direction,
        before=signal.before,
        after=signal.after,
        size=signal.size,
        shape=signal.shape,
    )
