from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.metrics.series import Series, clean_series
from tests.agent.analysis.metric_frames import metric_frame, minutes, moment
from tests.agent.analysis.telemetry import at


def _only(frame: pd.DataFrame) -> Series:
    found = clean_series(frame)
    assert len(found) == 1
    return found[0]


def test_series_come_by_service_and_metric_in_order() -> None:
    frame = metric_frame(("web", "error_ratio", [0.1, 0.2]), ("api", "queue_depth", [3, 4]), ("api", "cpu", [1, 2]))
    assert [(s.service, s.metric, list(s.values)) for s in clean_series(frame)] == [
        ("api", "cpu", [1.0, 2.0]),
        ("api", "queue_depth", [3.0, 4.0]),
        ("web", "error_ratio", [0.1, 0.2]),
    ]


def test_order_and_duplicates_do_not_matter_and_what_is_not_finite_is_left_out() -> None:
    frame = metric_frame(("web", "queue_depth", [1, 2, np.nan, 4, np.inf, 6]))
    messy = pd.concat([frame, frame.iloc[[1, 3]]]).sample(frac=1.0, random_state=3)
    series = _only(messy)
    assert list(series.values) == [1.0, 2.0, 4.0, 6.0]
    assert [moment(t) for t in series.times] == [at(0), at(1), at(3), at(5)]


def test_nothing_is_no_series() -> None:
    frame = metric_frame(("web", "queue_depth", [1.0]))
    assert clean_series(frame.iloc[:0]) == []
    assert clean_series(frame.assign(value=np.nan)) == []


def test_a_counter_becomes_its_rate_and_a_restart_is_no_fall() -> None:
    series = _only(metric_frame(("web", "http_requests_total", [600, 660, 780, 30, 90])))
    assert list(series.values) == [1.0, 2.0, 0.5, 1.0]
    assert moment(series.times[0]) == at(1)
    assert series.unit == "/s"


def test_the_rate_across_a_gap_is_per_second_of_the_gap() -> None:
    frame = metric_frame(("web", "http_requests_total", [0, 60, 120, 180, 240])).iloc[[0, 1, 4]]
    assert list(_only(frame).values) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("write_error_count", [0, 0, 52, 44, 72, 90, 53, 0, 61]),  # counts per interval
        ("connections_total", [60, 62, 61, 63, 63, 66, 70, 69]),  # a level with an unlucky name
        ("keys_total", [100, 100, 100, 101, 130, 160, 161, 161]),
        ("disk_used_pct", list(range(40, 80))),  # fills; its name says it is a level
        ("uptime_seconds", list(range(0, 3000, 60))),
        ("panic_count", [0, 0, 0, 0]),
    ],
)
def test_what_is_no_counter_stays_as_it_is(name: str, values: list[float]) -> None:
    assert list(_only(metric_frame(("web", name, values))).values) == pytest.approx(values)


def test_a_thing_that_only_grows_is_a_counter_without_the_name() -> None:
    values = np.cumsum(np.random.default_rng(1).integers(50, 70, 40))
    series = _only(metric_frame(("web", "frobnications", values)))
    assert len(series.values) == 39
    assert series.values.max() < 2


def test_instances_are_joined_as_the_name_asks() -> None:
    def joined(metric: str) -> list[float]:
        one = metric_frame(("web", metric, [10, 20, 30]), instance="a")
        two = metric_frame(("web", metric, [1, 2, 60]), instance="b")
        return list(_only(pd.concat([one, two])).values)

    assert joined("queue_depth") == [11, 22, 90]
    assert joined("cpu_utilization") == [5.5, 11, 45]
    assert joined("http_server_duration_p99_ms") == [10, 20, 60]
    assert joined("disk_free_pct") == [1, 2, 30]


def test_a_missed_scrape_is_no_dip_and_an_instance_that_ended_is_gone() -> None:
    one = metric_frame(("web", "requests_per_sec", [100.0] * 8), instance="a")
    two = metric_frame(("web", "requests_per_sec", [100.0] * 6), instance="b").drop(index=3)
    assert list(_only(pd.concat([one, two])).values) == [200, 200, 200, 200, 200, 200, 100, 100]


def test_scrapes_at_different_seconds_meet_on_one_grid() -> None:
    one = metric_frame(("web", "queue_depth", [10.0] * 10), instance="a")
    two = metric_frame(("web", "queue_depth", [5.0] * 10), instance="b")
    two["timestamp"] += pd.Timedelta(seconds=17)
    series = _only(pd.concat([one, two]))
    assert list(series.values) == [15.0] * 10
    assert list(series.times) == list(minutes(10))


def test_each_instance_of_a_counter_restarts_alone() -> None:
    one = metric_frame(("web", "http_requests_total", [600, 660, 720, 780]), instance="a")
    two = metric_frame(("web", "http_requests_total", [900, 960, 30, 90]), instance="b")
    assert list(_only(pd.concat([one, two])).values) == [2.0, 1.5, 2.0]


def test_a_percentage_between_zero_and_one_is_a_share() -> None:
    assert _only(metric_frame(("web", "cpu_utilization", [0.3, 0.5]))).unit == ""
    assert _only(metric_frame(("web", "cpu_utilization", [30, 50]))).unit == "%"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), metric=st.sampled_from(["queue_depth", "cpu_utilization", "http_requests_total"]))
def test_row_order_never_matters(seed: int, metric: str) -> None:
    random = np.random.default_rng(seed)
    frame = pd.concat(
        [metric_frame(("web", metric, np.cumsum(random.integers(0, 9, 12))), instance=i) for i in ("a", "b", "c")]
    ).reset_index(drop=True)
    shuffled = frame.iloc[random.permutation(len(frame))]
    plain, other = _only(frame), _only(shuffled)
    assert np.array_equal(plain.times, other.times)
    assert np.allclose(plain.values, other.values)
