from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.metrics.onset import find_onset, find_onsets
from agent.analysis.metrics.robust import centre_and_spread
from agent.analysis.observed import Onset
from tests.agent.analysis.metric_frames import Floats, index_of, minutes, noise
from tests.agent.analysis.telemetry import at

KINDS = ["gauss", "laplace", "ar", "counts"]


def _found(values: Floats, step: float = 1.0) -> Onset:
    onset = find_onset(minutes(len(values), step), np.asarray(values, dtype=np.float64))
    assert onset is not None
    return onset


def _quiet(samples: int, seed: int = 1, kind: str = "gauss") -> Floats:
    return noise(kind, 1, samples, seed)[0]


@pytest.mark.parametrize("samples", [60, 120, 200])
@pytest.mark.parametrize("kind", KINDS)
def test_noise_alone_has_no_onset(kind: str, samples: int) -> None:
    rows = noise(kind, 500, samples, seed=samples)
    found = find_onsets([minutes(samples)] * len(rows), list(rows))
    assert sum(onset is not None for onset in found) <= 2  # well under 1%


@pytest.mark.parametrize("kind", ["gauss", "ar"])
def test_a_daily_trend_is_no_onset(kind: str) -> None:
    hour = np.arange(180) / 60
    phases = np.linspace(0, 2 * np.pi, 100, endpoint=False)[:, None]
    rows = noise(kind, 100, 180, seed=2) + 40 * np.sin(2 * np.pi * hour / 24 + phases)
    found = find_onsets([minutes(180)] * len(rows), list(rows))
    assert sum(onset is not None for onset in found) <= 1


@pytest.mark.parametrize("period", [12, 24, 45, 90])
def test_seasonal_noise_is_no_onset(period: int) -> None:
    phases = np.linspace(0, 2 * np.pi, 100, endpoint=False)[:, None]
    rows = noise("gauss", 100, 120, seed=3) + 4 * np.sin(2 * np.pi * np.arange(120) / period + phases)
    found = find_onsets([minutes(120)] * len(rows), list(rows))
    assert sum(onset is not None for onset in found) <= 1


@pytest.mark.parametrize("samples", [6, 60])
def test_a_lone_outlier_is_no_onset_wherever_it_stands(samples: int) -> None:
    for place in range(samples):
        values = 50 + _quiet(samples, seed=place)
        values[place] += 500
        assert find_onset(minutes(samples), values) is None


@pytest.mark.parametrize("changed", [2, 3, 10, 40])
def test_a_flat_baseline_makes_the_clearest_step(changed: int) -> None:
    values = np.full(60, 0.25)
    values[-changed:] = 0.75
    onset = _found(values)
    assert index_of(onset) == 60 - changed
    assert (onset.direction, onset.before, onset.after, onset.size, onset.shape) == ("up", 0.25, 0.75, 1000.0, "step")
    assert onset.uncertainty == timedelta(minutes=1)


def test_the_last_two_samples_are_enough_and_the_last_one_is_not() -> None:
    values = 50 + _quiet(60)
    values[-1] += 30
    assert find_onset(minutes(60), values) is None
    values[-2] += 30
    assert index_of(_found(values)) == 58


@pytest.mark.parametrize("slope", [1.0, 3.0, 20.0])
def test_a_ramp_begins_at_its_bend(slope: float) -> None:
    values = 20 + _quiet(100) + slope * np.clip(np.arange(100) - 59, 0, None)
    onset = _found(values)
    assert onset.shape == "ramp"
    assert abs(onset.at - at(60)) <= onset.uncertainty + timedelta(minutes=1)
    assert onset.before == pytest.approx(20, abs=1)


def test_a_ramp_that_ends_in_a_plateau_begins_at_its_bend_too() -> None:
    values = 20 + _quiet(120) + 2.0 * np.clip(np.arange(120) - 59, 0, 25)
    onset = _found(values)
    assert onset.shape == "ramp"
    assert abs(index_of(onset) - 60) <= 2
    assert onset.after == pytest.approx(70, abs=2)


def test_a_spike_that_recovered_is_called_one() -> None:
    values = 10 + _quiet(120)
    values[40:46] += 25
    onset = _found(values)
    assert (index_of(onset), onset.shape, onset.direction) == (40, "spike", "up")


def test_what_appears_from_nothing_is_new_and_what_falls_to_nothing_is_gone() -> None:
    values = np.zeros(80)
    values[60:] = 30 + 3 * _quiet(20)
    assert _found(values).shape == "new"
    onset = _found(np.concatenate([200 + 5 * _quiet(60), np.zeros(20)]))
    assert (index_of(onset), onset.shape, onset.direction, onset.after) == (60, "gone", "down", 0.0)


def test_samples_after_until_do_not_count() -> None:
    values = 10 + _quiet(120)
    values[80:] += 30
    times = minutes(120)
    assert find_onset(times, values, until=at(79)) is None
    early = find_onset(times, values, until=at(84))
    assert early is not None
    assert index_of(early) == 80


def test_a_gap_widens_the_uncertainty_and_is_no_zero() -> None:
    values = 10 + _quiet(120)
    values[80:] += 30
    kept = np.r_[0:70, 80:120]
    onset = find_onset(minutes(120)[kept], values[kept])
    assert onset is not None
    assert (index_of(onset), onset.uncertainty) == (80, timedelta(minutes=11))
    still = find_onset(minutes(120)[np.r_[0:40, 70:80]], (10 + _quiet(120))[np.r_[0:40, 70:80]])
    assert still is None


def test_irregular_steps_are_measured_in_time() -> None:
    random = np.random.default_rng(5)
    times = minutes(1)[0] + np.cumsum(random.integers(20, 120, 150)).astype("timedelta64[s]").astype("timedelta64[us]")
    seconds = (times - times[0]) / np.timedelta64(1, "s")
    values = 10 + _quiet(150) + 0.1 * np.clip(seconds - seconds[90], 0, None)
    onset = find_onset(times, values)
    assert onset is not None
    assert abs((onset.at - at(0)).total_seconds() - (times[90] - minutes(1)[0]) / np.timedelta64(1, "s")) <= 600


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 9.0, 9.0], [5.0] * 50, [np.nan] * 20 + [1.0, np.inf]])
def test_too_little_to_tell_is_none(values: list[float]) -> None:
    assert find_onset(minutes(len(values)), np.array(values, dtype=np.float64)) is None


def test_short_noise_is_not_trusted() -> None:
    for samples in (5, 6, 7, 8, 12):
        rows = noise("gauss", 300, samples, seed=samples)
        found = find_onsets([minutes(samples)] * 300, list(rows))
        assert sum(onset is not None for onset in found) <= 3


def test_the_other_series_do_not_matter() -> None:
    short, long = 10 + _quiet(40), 10 + _quiet(300, seed=2)
    short[30:] += 20
    long[250:] += 20
    both = find_onsets([minutes(40), minutes(300)], [short, long])
    assert both == [find_onset(minutes(40), short), find_onset(minutes(300), long)]


@pytest.mark.parametrize("kind", ["gauss", "laplace", "counts"])
def test_steps_of_six_to_seven_spreads_are_found_within_one_sample(kind: str) -> None:
    random = np.random.default_rng(12)
    hits = 0
    for seed in range(200):
        samples = int(random.integers(60, 160))
        first = samples - int(samples * random.uniform(0.15, 0.6))
        values = noise(kind, 1, samples, seed)[0]
        _, spread = centre_and_spread(values)
        values[first:] += random.choice([-1, 1]) * random.uniform(6, 7) * spread
        onset = find_onset(minutes(samples), values)
        hits += onset is not None and abs(index_of(onset) - first) <= 1
    assert hits >= 196


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(KINDS),
    samples=st.integers(50, 160),
    after=st.floats(0.15, 0.6),
    size=st.floats(15.0, 200.0),
    up=st.booleans(),
)
def test_a_clear_step_is_always_found_within_one_sample(
    seed: int, kind: str, samples: int, after: float, size: float, up: bool
) -> None:
    values = noise(kind, 1, samples, seed)[0]
    first = samples - max(8, int(after * samples))
    _, spread = centre_and_spread(values)
    values[first:] += (1 if up else -1) * size * spread
    onset = find_onset(minutes(samples), values)
    assert onset is not None
    assert abs(index_of(onset) - first) <= 1
    assert onset.direction == ("up" if up else "down")


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1_000),
    shape=st.sampled_from(["step", "ramp", "spike", "none"]),
    factor=st.sampled_from([2.0**-10, 0.5, 8.0, 2.0**20]),
    offset=st.sampled_from([0.0, -64.0, 4096.0]),
)
def test_order_factor_and_offset_do_not_matter(seed: int, shape: str, factor: float, offset: float) -> None:
    values = np.round(noise("gauss", 1, 90, seed)[0] * 256) / 256  # exact under the shifts below
    change = {
        "step": np.where(np.arange(90) >= 60, 20.0, 0.0),
        "ramp": np.clip(np.arange(90) - 59, 0, None) * 2.0,
        "spike": np.where((np.arange(90) >= 40) & (np.arange(90) < 46), 20.0, 0.0),
        "none": np.zeros(90),
    }
    values = values + change[shape]
    plain = find_onset(minutes(90), values)
    order = np.random.default_rng(seed).permutation(90)
    moved = find_onset(minutes(90)[order], (values * factor + offset * factor)[order])
    assert (plain is None) == (moved is None)
    if plain is None or moved is None:
        return
    assert (plain.at, plain.uncertainty, plain.direction) == (moved.at, moved.uncertainty, moved.direction)
    assert moved.size == pytest.approx(plain.size, rel=1e-6)
    assert moved.after - moved.before == pytest.approx(factor * (plain.after - plain.before), rel=1e-6)
