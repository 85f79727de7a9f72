from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from agent.analysis.metrics.filling import ran_out, slope_of
from agent.analysis.metrics.naming import read_name
from agent.analysis.metrics.series import Series, clean_series
from tests.agent.analysis.metric_frames import Floats, index_of, minutes, noise
from tests.agent.analysis.telemetry import at


def _series(metric: str, values: Floats, step: float = 1.0) -> Series:
    return Series(
        "web", metric, read_name(metric), "", minutes(len(values), step), np.asarray(values, dtype=np.float64)
    )


def test_a_disk_that_fills_on_a_line_hurts_when_it_is_full() -> None:
    values = np.minimum(100.0, 70 + 0.5 * np.arange(90) + 0.05 * noise("gauss", 1, 90, seed=1)[0])
    onset = ran_out(_series("disk_used_pct", values))
    assert onset is not None
    assert abs(index_of(onset) - 60) <= 1
    assert (onset.direction, onset.shape, onset.after) == ("up", "ramp", 100.0)


def test_the_same_as_a_ratio() -> None:
    values = np.minimum(1.0, 0.7 + 0.005 * np.arange(90))
    onset = ran_out(_series("pool_used_ratio", values))
    assert onset is not None
    assert abs(index_of(onset) - 60) <= 1


def test_one_that_bends_before_it_is_full_is_left_to_its_bend() -> None:
    values = 40 + 0.2 * noise("gauss", 1, 120, seed=2)[0] + 2.0 * np.clip(np.arange(120) - 60, 0, 30)
    assert ran_out(_series("disk_used_pct", np.minimum(values, 100.0))) is None


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("disk_used_pct", 40 + 0.3 * np.arange(90)),  # never full
        ("cpu_utilization", np.minimum(100.0, 10 + np.arange(120.0))),  # follows the load
        ("disk_used_bytes", 40 + 0.3 * np.arange(90)),  # no share
        ("tls_cert_seconds_until_expiry", 9000 - 60.0 * np.arange(90)),  # still valid
    ],
)
def test_what_did_not_run_out_is_none(metric: str, values: Floats) -> None:
    assert ran_out(_series(metric, values)) is None


def test_a_certificate_expires_between_two_samples() -> None:
    values = 3630.0 - 120.0 * np.arange(60)
    onset = ran_out(_series("tls_cert_seconds_until_expiry", values, step=2.0))
    assert onset is not None
    assert onset.at == at(60.5)
    assert onset.uncertainty == timedelta(minutes=2)
    assert (onset.direction, onset.before, onset.after) == ("down", 3630.0, values[-1])


def test_a_countdown_that_stops_at_zero_crossed_it_at_its_own_pace() -> None:
    values = np.maximum(0.0, 3630.0 - 120.0 * np.arange(60))
    onset = ran_out(_series("tls_cert_seconds_until_expiry", values, step=2.0))
    assert onset is not None
    assert onset.at == at(60.5)


def test_the_slope_is_per_minute() -> None:
    assert slope_of(minutes(30, step=0.5), np.arange(30.0)) == pytest.approx(2.0)


def test_a_disk_that_was_nearly_full_all_along_is_full_when_it_reaches_the_brim() -> None:
    frame = pd.DataFrame(
        {
            "timestamp": pd.date_range("2026-01-01", periods=100, freq="60s", tz="UTC").astype("datetime64[us, UTC]"),
            "service": "db",
            "instance": "",
            "metric": "wal_volume_used_pct",
            "value": np.minimum(100.0, 98.6 + 0.02 * np.arange(100)),
            "unit": "",
        }
    )
    (series,) = clean_series(frame)
    onset = ran_out(series)
    assert onset is not None
    assert 60 <= (onset.at - frame["timestamp"][0]).total_seconds() / 60 <= 72
