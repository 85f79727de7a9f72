from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from agent.analysis.metrics.symptom import find_symptom
from agent.analysis.observed import Onset
from agent.incident import Alert, GoldenSignal
from tests.agent.analysis.metric_frames import Floats, metric_frame, noise
from tests.agent.analysis.telemetry import START, at
from tools.evidence import TimeWindow

WINDOW = TimeWindow(since=START, until=at(120))


def _alert(metric: str = "http_5xx_ratio", **fields: object) -> Alert:
    return Alert.model_validate({"service": "web", "metric": metric, "fired_at": at(83), **fields})


def _onset(values: Floats, alert: Alert | None = None) -> Onset | None:
    alert = alert or _alert()
    frame = metric_frame(("web", alert.metric, values), ("api", alert.metric, np.zeros(len(values))))
    return find_symptom(frame, alert, WINDOW)[1]


def _quiet(level: float, spread: float, seed: int = 1) -> Floats:
    return level + spread * noise("gauss", 1, 120, seed)[0]


@pytest.mark.parametrize(
    ("metric", "summary", "golden"),
    [
        ("http_5xx_ratio", "", GoldenSignal.ERRORS),
        ("http_server_duration_p99_ms", "errors everywhere", GoldenSignal.LATENCY),
        ("cpu_utilization", "", GoldenSignal.SATURATION),
        ("requests_per_sec", "", GoldenSignal.TRAFFIC),
        ("", "checkout p99 latency above 800ms", GoldenSignal.LATENCY),
        ("zorp", "queue of zorp is full", GoldenSignal.SATURATION),
        ("zorp", "zorp calls are failing", GoldenSignal.ERRORS),
        ("zorp", "zorp", GoldenSignal.ERRORS),
    ],
)
def test_the_golden_signal_is_that_of_the_metric_or_of_the_words(
    metric: str, summary: str, golden: GoldenSignal
) -> None:
    alert = _alert(metric, summary=summary)
    symptom, onset = find_symptom(metric_frame(("other", "cpu", [1.0])), alert, WINDOW)
    assert (symptom.signal, symptom.service, symptom.metric, symptom.window) == (golden, "web", metric, WINDOW)
    assert onset is None


def test_the_onset_is_that_of_the_alerts_own_series() -> None:
    values = _quiet(0.01, 0.001)
    values[80:] += 0.4
    onset = _onset(values)
    assert onset is not None
    assert (onset.at, onset.direction, onset.shape) == (at(80), "up", "step")


def test_a_slow_ramp_began_long_before_the_alert() -> None:
    values = _quiet(60, 2) + 3.0 * np.clip(np.arange(120) - 49, 0, None)
    onset = _onset(values, _alert("queue_depth"))
    assert onset is not None
    assert abs(onset.at - at(50)) <= timedelta(minutes=2)
    assert onset.shape == "ramp"


def test_an_incident_that_recovered_since_still_began_before_the_alert() -> None:
    values = _quiet(0.01, 0.001)
    values[80:95] += 0.4
    onset = _onset(values)
    assert onset is not None
    assert (onset.at, onset.shape) == (at(80), "step")


def test_a_harmless_spike_in_the_morning_is_not_it() -> None:
    values = _quiet(50, 2)
    values[20:26] += 60
    values[79:] += 50
    onset = _onset(values, _alert("queue_depth"))
    assert onset is not None
    assert onset.at == at(79)


def test_data_that_end_with_the_alert_are_enough() -> None:
    values = _quiet(0.01, 0.001)[:84]
    values[81:] += 0.4
    onset = _onset(values)
    assert onset is not None
    assert onset.at == at(81)


def test_a_deviation_after_the_alert_is_another_story() -> None:
    values = _quiet(0.01, 0.001)
    values[100:] += 0.4
    assert _onset(values) is None


def test_without_a_visible_change_the_threshold_tells_when_it_began() -> None:
    values = np.linspace(10, 100, 120)
    alert = _alert("queue_depth", threshold=60, observed=72)
    onset = _onset(values, alert)
    assert onset is not None
    assert onset.at == at(float(np.argmax(values > 60)))
    assert onset.direction == "up"
    assert _onset(values, _alert("queue_depth")) is None
    assert _onset(values, _alert("queue_depth", threshold=500, observed=510)) is None


def test_an_expired_certificate_began_to_hurt_at_its_zero() -> None:
    values = 4830.0 - 60.0 * np.arange(120)
    onset = _onset(values, _alert("tls_cert_seconds_until_expiry"))
    assert onset is not None
    assert onset.at == at(80.5)


def test_a_missing_series_has_no_onset() -> None:
    frame = metric_frame(("api", "http_5xx_ratio", [0.1, 0.2]))
    assert find_symptom(frame, _alert(), WINDOW)[1] is None
    assert find_symptom(frame.iloc[:0], _alert(), WINDOW)[1] is None
