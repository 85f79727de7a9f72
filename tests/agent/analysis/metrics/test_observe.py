from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from agent.analysis.metrics.observe import FEW, KEPT_SECONDS, LATE, RECENT, observe_metrics
from agent.analysis.observed import Level, Observations
from agent.incident import Alert, GoldenSignal, Resource, Signal
from tests.agent.analysis.metric_frames import Floats, metric_frame, noise
from tests.agent.analysis.telemetry import START, at
from tools.evidence import Query, TimeWindow, evidence_id

WINDOW = TimeWindow(since=START, until=at(120))
SPLIT = at(80)
ALERT = Alert(service="web", metric="http_5xx_ratio", fired_at=at(83))


def _observed(frame: pd.DataFrame, alert: Alert = ALERT) -> Observations:
    return observe_metrics(frame, alert, WINDOW, SPLIT)


def _signal(frame: pd.DataFrame, alert: Alert = ALERT) -> Signal:
    found = _observed(frame, alert).signals
    assert len(found) == 1
    return found[0]


def _level(frame: pd.DataFrame) -> Level:
    found = _observed(frame).levels
    assert len(found) == 1
    return found[0]


def _quiet(level: float, spread: float, samples: int = 120, seed: int = 1) -> Floats:
    return level + spread * noise("gauss", 1, samples, seed)[0]


def _with(values: Floats, since: int, shift: float, until: int | None = None) -> Floats:
    moved = values.copy()
    moved[since:until] += shift
    return moved


def test_a_calm_series_has_a_level_and_no_signal() -> None:
    seen = _observed(metric_frame(("web", "http_server_duration_p99_ms", _quiet(200, 10))))
    assert seen.signals == ()
    level = seen.levels[0]
    assert (level.golden, level.resource, level.unit, level.samples) == (GoldenSignal.LATENCY, None, "ms", 80)
    assert level.before == pytest.approx(200, abs=4)
    assert level.spread == pytest.approx(10, abs=2.5)
    assert 210 < level.p95_before < 225
    assert level.trend == 0.0


def test_a_step_is_a_signal_with_its_own_onset_and_evidence() -> None:
    signal = _signal(metric_frame(("web", "http_server_duration_p99_ms", _with(_quiet(200, 10), 70, 300))))
    assert (signal.onset, signal.onset_uncertainty, signal.shape) == (at(70), timedelta(minutes=1), "step")
    assert (signal.direction, signal.harmful, signal.unit) == ("up", True, "ms")
    query = Query(tool="metric_range", arguments={"service": "web", "metric": "http_server_duration_p99_ms"})
    assert signal.evidence == evidence_id(query, WINDOW)
    assert signal.ratio == pytest.approx(2.5, abs=0.1)
    assert signal.confidence > 0.9


@pytest.mark.parametrize(
    ("metric", "shift", "harmful"),
    [
        ("cache_hit_ratio", -40, True),
        ("cache_hit_ratio", 40, False),
        ("requests_per_sec", 60, False),
        ("requests_per_sec", -60, True),
        ("db_pool_max_conns", -40, False),
        ("http_server_duration_p99_ms", -60, False),
    ],
)
def test_harm_is_a_matter_of_name_and_direction(metric: str, shift: float, harmful: bool) -> None:
    signal = _signal(metric_frame(("web", metric, _with(_quiet(100, 3), 80, shift))))
    assert signal.harmful is harmful


def test_a_move_of_a_fraction_of_a_percent_is_no_signal_however_flat_the_series() -> None:
    values = np.full(120, 4096.0)
    values[80:] = 4100.0
    assert _observed(metric_frame(("web", "memory_working_set_mb", values))).signals == ()


def test_confidence_grows_with_size_and_samples_and_is_less_for_what_recovered() -> None:
    def confidence(shift: float, until: int | None = None, samples: int = 120) -> float:
        values = _with(_quiet(100, 5), 80, shift, until)[:samples]
        return _signal(metric_frame(("web", "queue_depth", values))).confidence

    assert 0 < confidence(20) < confidence(40) < confidence(400) < 1
    assert confidence(400, samples=82) < confidence(400)
    early = metric_frame(("web", "queue_depth", _with(_quiet(100, 5), 20, 400, 26)))
    assert _signal(early).shape == "spike"
    assert _signal(early).confidence <= 0.5


def test_an_incident_that_recovered_within_the_window_is_no_spike() -> None:
    signal = _signal(metric_frame(("web", "http_server_duration_p99_ms", _with(_quiet(200, 10), 80, 300, 100))))
    assert (signal.onset, signal.shape) == (at(80), "step")


def test_data_cut_at_the_alert_give_the_same_onset() -> None:
    frame = metric_frame(("web", "http_server_duration_p99_ms", _with(_quiet(200, 10), 80, 300)))
    cut = frame[frame["timestamp"] <= ALERT.fired_at]
    assert _signal(cut).onset == _signal(frame).onset == at(80)


def test_an_effect_that_follows_the_alert_has_its_onset_after_it() -> None:
    assert _signal(metric_frame(("web", "queue_depth", _with(_quiet(100, 5), 95, 300)))).onset == at(95)


def test_a_volume_that_fills_steadily_has_a_trend_and_hurts_when_it_is_full() -> None:
    values = np.minimum(100.0, 60 + 0.5 * np.arange(120) + 0.05 * noise("gauss", 1, 120, seed=2)[0])
    frame = metric_frame(("db", "wal_volume_used_pct", values))
    signal, level = _signal(frame), _level(frame)
    assert abs(signal.onset - at(80)) <= timedelta(minutes=1)
    assert (signal.shape, signal.attributes, signal.resource) == ("ramp", {"trend": "steady"}, Resource.DISK)
    assert level.trend == pytest.approx(0.5, abs=0.02)
    assert level.last == 100.0


def test_a_volume_that_bends_has_no_trend_before_and_its_onset_at_the_bend() -> None:
    values = 40 + 0.2 * noise("gauss", 1, 120, seed=3)[0] + 1.5 * np.clip(np.arange(120) - 80, 0, None)
    frame = metric_frame(("db", "disk_used_pct", values))
    assert abs(_signal(frame).onset - at(80)) <= timedelta(minutes=2)
    assert _signal(frame).attributes == {}
    assert _level(frame).trend == 0.0


def test_the_days_traffic_is_neither_trend_nor_signal() -> None:
    seen = _observed(metric_frame(("web", "requests_per_sec", _quiet(0, 4) + np.linspace(200, 330, 120))))
    assert seen.signals == ()
    assert seen.levels[0].trend == 0.0


def test_a_certificate_expires_at_its_zero() -> None:
    frame = metric_frame(("pay", "tls_cert_seconds_until_expiry", 4830.0 - 60.0 * np.arange(120)))
    signal = _signal(frame)
    assert signal.onset == at(80.5)
    assert (signal.resource, signal.harmful, signal.direction) == (Resource.CERTIFICATE, True, "down")
    assert _level(frame).trend == pytest.approx(-60.0)


def test_a_counter_is_seen_by_its_rate() -> None:
    growth = np.where(np.arange(120) >= 80, 120.0, 0.0)
    signal = _signal(metric_frame(("web", "lookup_failed_total", np.cumsum(growth))))
    assert (signal.onset, signal.unit, signal.before, signal.after) == (at(80), "/s", 0.0, 2.0)
    assert signal.shape == "new"


def test_a_service_that_falls_silent_is_a_signal_without_a_level_after() -> None:
    frame = pd.concat(
        [
            metric_frame(("web", "cpu_utilization", _quiet(40, 2))),
            metric_frame(("api", "cpu_utilization", _quiet(40, 2, samples=70))),
        ]
    )
    signal = _signal(frame)
    assert (signal.service, signal.shape, signal.onset, signal.harmful) == ("api", "gone", at(70), True)
    assert [level.service for level in _observed(frame).levels] == ["web"]


def test_five_rows_after_a_history_of_five_minute_aggregates_are_enough() -> None:
    values = _with(_quiet(120, 6, samples=60), 55, 240)
    window = TimeWindow(since=START, until=START + timedelta(minutes=300))
    frame = metric_frame(("web", "latency", values), step=5)
    alert = Alert(service="web", fired_at=START + timedelta(minutes=279))
    seen = observe_metrics(frame, alert, window, START + timedelta(minutes=275))
    assert [s.onset for s in seen.signals] == [START + timedelta(minutes=275)]
    assert seen.signals[0].onset_uncertainty == timedelta(minutes=5)


def test_an_empty_frame_shows_nothing() -> None:
    seen = _observed(metric_frame(("web", "cpu", [1.0])).iloc[:0])
    assert (seen.signals, seen.levels) == ((), ())


def test_the_other_series_do_not_matter() -> None:
    one = ("web", "http_server_duration_p99_ms", _with(_quiet(200, 10), 80, 300))
    other = ("api", "queue_depth", _with(_quiet(100, 5, seed=4), 90, 300))
    assert _observed(metric_frame(one, other)).signals == (
        _signal(metric_frame(other)),
        _signal(metric_frame(one)),
    )


@pytest.mark.timeout(30)
def test_a_thousand_series_are_seen_at_once() -> None:
    rows = 50 + 4 * noise("gauss", 1000, 120, seed=5)
    rows[:50, 80:] += 60
    frame = metric_frame(*((f"s{i % 100}", f"queue_depth_{i // 100}", row) for i, row in enumerate(rows)))
    seen = _observed(frame)
    assert len(seen.levels) == 1000
    assert 50 <= len(seen.signals) <= 55


def _leveled(values: Floats | list[float], split: float = 80, fired_at: float = 83, step: float = 1) -> Level:
    frame = metric_frame(("web", "cpu_utilization", values), step=step)
    alert = Alert(service="web", fired_at=at(fired_at))
    (level,) = observe_metrics(frame, alert, WINDOW, at(split)).levels
    return level


def _bumped(bump: float, *where: slice, samples: int = 120) -> Floats:
    values = np.full(samples, 20.0)
    for part in where:
        values[part] = bump
    return values


def test_a_level_is_high_when_it_was_kept() -> None:
    assert _leveled(_bumped(90, slice(85, 86))).high == 20.0
    assert _leveled(_bumped(90, slice(85, 87))).high == 90.0
    assert _leveled(_bumped(90, slice(60, 70))).high == 20.0  # over before the alert


def test_what_a_monitor_noticed_late_still_counts() -> None:
    late = int(LATE / timedelta(minutes=1))
    assert _leveled(_bumped(90, slice(83 - late, 83 - late + 2))).high == 90.0
    assert _leveled(_bumped(90, slice(83 - late - 2, 83 - late))).high == 20.0


def test_a_busy_moment_of_a_fine_series_is_not_kept() -> None:
    fine = 1 / 60

    def high(seconds: int) -> float | None:
        values = _bumped(90, slice(600, 600 + seconds), samples=1200)
        return _leveled(values, split=8, fired_at=9, step=fine).high

    assert high(int(KEPT_SECONDS / 3)) == 20.0
    assert high(2 * int(KEPT_SECONDS)) == 90.0


def test_with_less_of_a_fine_series_two_samples_are_enough() -> None:
    values = _bumped(90, slice(595, 600), samples=600)
    assert _leveled(values, split=9, fired_at=9.9 + LATE / timedelta(minutes=1), step=1 / 60).high == 90.0


def test_two_samples_are_a_level() -> None:
    level = _leveled([20.0, 90.0], split=1, fired_at=1)
    assert (level.before, level.after, level.usual, level.recent) == (20.0, 90.0, 20.0, 20.0)
    assert level.high == 20.0  # one sample is not kept
    assert level.usual_spread == 0.0


def test_an_early_split_does_not_hide_what_is_usual() -> None:
    earlier = _bumped(60, slice(20, 40))
    whole = _leveled(earlier, split=20)
    assert (whole.before, whole.usual, whole.samples) == (20.0, 20.0, 20)
    shifted = earlier + np.where(np.arange(120) < 20, 30, 0.0)
    assert _leveled(shifted, split=20).before == 50.0
    assert _leveled(shifted, split=20).usual == 20.0
    # A split near the alert leaves enough before it.
    assert _leveled(_bumped(60, slice(70, 120)), split=70).usual == 20.0


def test_with_few_samples_before_the_split_all_before_the_alert_is_usual() -> None:
    values = [50.0] * (FEW - 1) + [20.0] * 20
    assert _leveled(values, split=FEW - 1, fired_at=FEW + 3).usual == 50.0
    assert _leveled(values, split=FEW - 1, fired_at=28).usual == 20.0
    mixed = [50.0] * (FEW // 2) + [20.0] * 20
    assert _leveled(mixed, split=FEW - 1, fired_at=FEW + 6).before == 50.0
    assert _leveled(mixed, split=FEW - 1, fired_at=FEW + 6).usual == 20.0


def test_the_usual_spread_has_no_floor() -> None:
    assert _leveled(_bumped(20)).usual_spread == 0.0
    assert _leveled(_bumped(20)).spread > 0.0
    assert _leveled(_quiet(50, 4)).usual_spread == pytest.approx(4, abs=1)


def test_where_a_series_stood_before_the_alert() -> None:
    before = 83 - int(LATE / timedelta(minutes=1))
    assert _leveled(_bumped(90, slice(before, 120))).recent == 20.0
    assert _leveled(_bumped(90, slice(before - RECENT, 120))).recent == 90.0
    assert _leveled(_bumped(90, slice(before - 2, before))).recent == 20.0


def test_the_excess_of_a_service_is_observed_with_its_levels() -> None:
    frame = metric_frame(("web", "requests", _quiet(100, 3)), ("web", "latency_mean", _with(_quiet(1, 0.01), 80, 2)))
    (excess,) = _observed(frame).excesses
    assert (excess.service, excess.golden) == ("web", GoldenSignal.LATENCY)
    assert excess.amount == pytest.approx(40 * 100 * 2, rel=0.05)
