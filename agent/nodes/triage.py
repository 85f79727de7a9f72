"""Triage: what users feel, since when, and how bad it is, from the alert and its own series."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from agent import documents
from agent.analysis.metrics.symptom import find_symptom
from agent.analysis.observed import Onset
from agent.analysis.severity import assess
from agent.figures import roughly
from agent.incident import Alert, Severity, Source, Symptom, TimelineKind, Triage
from agent.investigation import Investigation
from agent.settings import Settings
from agent.state import IncidentState
from agent.step import Step
from agent.store import TimelineDraft
from tools.backend import METRIC_COLUMNS
from tools.evidence import Evidence, Query, TimeWindow, ToolError

SYMPTOM_BEFORE_ALERT = timedelta(minutes=5)
"""Where the symptom is taken to begin when its onset cannot be seen: monitors usually wait one to five minutes."""


def triage(state: IncidentState, desk: Investigation) -> Step:
    """Read the alert's own metric; decide window, symptom, the split between before and after, and severity."""
    alert = desk.alert
    window = window_of(alert, desk)
    alert_id = _keep_alert(alert, window, desk)
    metric_id, frame, missing = _own_series(alert, window, desk)
    symptom, onset = find_symptom(frame, alert, window)
    severity, reasons = assess(alert, symptom, onset, alert_id, metric_id)
    desk.put(documents.TRIAGE, Triage(severity=severity, reasons=reasons, symptom=symptom))
    if onset is not None:
        desk.put(documents.ONSET, onset)
    desk.store.set_severity(desk.incident, severity, desk.lease)
    changes = {
        "window": window,
        "split": split_of(alert, onset, window),
        "symptom": symptom,
        "severity": severity,
        "evidence": [alert_id, metric_id],
        "tool_calls": 1,
    }
    headline = TimelineDraft(
        kind=TimelineKind.TRIAGE,
        text=_headline(severity, symptom, onset, missing),
        evidence=(metric_id, alert_id),
    )
    why = [TimelineDraft(kind=TimelineKind.TRIAGE, text=f"because {r.text}", evidence=r.evidence) for r in reasons]
    return Step(changes, [headline, *why])


def window_of(alert: Alert, desk: Investigation) -> TimeWindow:
    """All that a recording holds; of a live system, the time around the alert, as far as it has come."""
    if desk.backend.window is not None:
        return desk.backend.window
    return live_window(alert, desk.settings, desk.now())


def live_window(alert: Alert, settings: Settings, now: datetime) -> TimeWindow:
    """The time around an alert of a live system, as far as it has come."""
    until = min(alert.fired_at + timedelta(minutes=settings.lookahead_minutes), now)
    return TimeWindow(
        since=alert.fired_at - timedelta(minutes=settings.lookback_minutes),
        until=max(until, alert.fired_at + timedelta(seconds=1)),
    )


def split_of(alert: Alert, onset: Onset | None, window: TimeWindow) -> datetime:
    """When the symptom began, inside the window with something on both sides."""
    began = onset.at if onset is not None else alert.fired_at - SYMPTOM_BEFORE_ALERT
    if window.since < began < window.until:
        return began
    return window.since + window.length / 2


def _keep_alert(alert: Alert, window: TimeWindow, desk: Investigation) -> str:
    query = Query(tool="alert", arguments={"service": alert.service, "metric": alert.metric})
    said = alert.model_dump(mode="json")
    summary = alert.summary or f"{alert.monitor or 'an alert'} fired for {alert.service}"
    return desk.keep(Evidence.of(Source.ALERT, query, window, summary, said), said)


def _own_series(alert: Alert, window: TimeWindow, desk: Investigation) -> tuple[str, pd.DataFrame, str]:
    """Evidence id and frame of the alert's own metric, and why it could not be read, if so."""
    query = Query(tool="metric_range", arguments={"service": alert.service, "metric": alert.metric})
    try:
        answer = desk.ask(query, window)
    except ToolError as error:
        return desk.keep_failure(error, query, window), _no_samples(), error.message
    frame = answer.frame
    return desk.keep_answers([answer])[0], _no_samples() if frame is None else frame, ""


def _headline(severity: Severity, symptom: Symptom, onset: Onset | None, missing: str) -> str:
    felt = f"{severity.value}: {symptom.signal.value} of {symptom.service}"
    if onset is not None:
        return f"{felt} since {onset.at:%H:%M:%S} UTC ±{roughly(onset.uncertainty)}"
    if missing:
        return f"{felt}; the alert's own metric cannot be read: {missing}"
    return f"{felt}; when it began cannot be seen in the alert's own metric"


def _no_samples() -> pd.DataFrame:
    """A metrics frame without rows, with the types that `tools.backend` lists."""
    types = {"timestamp": "datetime64[us, UTC]", "value": "float64"}
    return pd.DataFrame({name: pd.Series(dtype=types.get(name, "str")) for name in METRIC_COLUMNS})
