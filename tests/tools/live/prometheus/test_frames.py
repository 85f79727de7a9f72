from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tools.backend import METRIC_COLUMNS
from tools.evidence import TimeWindow
from tools.live.prometheus.catalogue import MOST_POINTS, Catalogue, grid
from tools.live.prometheus.config import PrometheusConfig
from tools.live.prometheus.families import Family, Known
from tools.live.prometheus.frames import Piece, frame_of, joined, piece
from tools.live.prometheus.identity import Identity

SINCE = datetime(2026, 3, 2, 10, 0, 7, 500_000, tzinfo=UTC)
WINDOW = TimeWindow(since=SINCE, until=SINCE + timedelta(minutes=1))
KEY = ("pay", "p-1", "x", "s")
AT = SINCE.timestamp()


def test_only_finite_samples_inside_the_window() -> None:
    values = [[AT - 0.001, "1"], [AT, "2"], [AT + 1, "NaN"], [AT + 2, "+Inf"], [AT + 3, "-Inf"], [AT + 59.999, "3"]]
    found = piece(KEY, {"metric": {}, "values": [*values, [AT + 60, "4"]]}, WINDOW)
    assert found.values.tolist() == [2.0, 3.0]
    assert found.times.tolist() == [round(AT * 1e6), round((AT + 59.999) * 1e6)]


@pytest.mark.parametrize("row", [{"values": [[1]]}, {"values": [[1, "x"]]}, {"values": 3}, {"values": [["x", "1"]]}])
def test_what_is_no_series_is_an_error(row: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        piece(KEY, row, WINDOW)


def test_results_of_one_owner_become_one() -> None:
    a = Piece(KEY, np.array([1, 2]), np.array([1.0, 5.0]))
    b = Piece(KEY, np.array([2, 3]), np.array([2.0, 3.0]))
    (summed,) = joined([a, b], largest=False)
    (largest,) = joined([a, b], largest=True)
    assert summed.times.tolist() == [1, 2, 3]
    assert summed.values.tolist() == [1.0, 7.0, 3.0]
    assert largest.values.tolist() == [1.0, 5.0, 3.0]


@pytest.mark.parametrize("pieces", [[], [Piece(KEY, np.zeros(0, np.int64), np.zeros(0))]])
def test_nothing_is_a_frame_too(pieces: list[Piece]) -> None:
    frame = frame_of(pieces)
    assert tuple(frame.columns) == METRIC_COLUMNS
    assert str(frame["timestamp"].dtype) == "datetime64[us, UTC]"
    assert str(frame["service"].dtype) == "str"
    assert frame.empty


def test_rows_are_in_order_of_time_then_service_metric_and_instance() -> None:
    def at(service: str, instance: str, metric: str) -> Piece:
        return Piece((service, instance, metric, ""), np.array([2, 1]) * 1_000_000, np.array([1.0, 2.0]))

    frame = frame_of([at("b", "", "x"), at("a", "2", "x"), at("a", "1", "x"), at("a", "1", "w")])
    assert frame["timestamp"].is_monotonic_increasing
    first = frame.head(4)
    assert list(zip(first["service"], first["metric"], first["instance"], strict=True)) == [
        ("a", "w", "1"),
        ("a", "x", "1"),
        ("a", "x", "2"),
        ("b", "x", ""),
    ]


def test_the_grid_depends_on_the_clock_and_is_half_open() -> None:
    first, last = grid(WINDOW, 15.0) or (None, None)
    assert (first, last) == (SINCE.replace(second=15, microsecond=0), SINCE.replace(minute=1, second=0, microsecond=0))
    on_the_edge = TimeWindow(
        since=SINCE.replace(second=0, microsecond=0), until=SINCE.replace(second=30, microsecond=0)
    )
    first, last = grid(on_the_edge, 15.0) or (None, None)
    assert (first, last) == (on_the_edge.since, on_the_edge.since + timedelta(seconds=15))
    assert grid(WINDOW, 86_400.0) is None


def catalogue(hours: float, *known: Known) -> Catalogue:
    window = TimeWindow(since=SINCE, until=SINCE + timedelta(hours=hours))
    return Catalogue(known, window, Identity(PrometheusConfig(url="http://a")), most_series=100)


def gauge(name: str, series: int, service: str = "pay") -> Known:
    identity = Identity(PrometheusConfig(url="http://a"))
    labels = [{"service": service, "instance": str(number)} for number in range(series)]
    return Known(
        Family(name, "gauge", ""), tuple((one, identity.owner(name, one)) for one in labels), True, seconds=15.0
    )


def test_steps_are_whole_scrapes_and_points_are_bounded() -> None:
    one = gauge("x", 1)
    assert catalogue(2, one).step_of(one) == 15
    long = catalogue(24 * 30, one)
    assert long.step_of(one) % 15 == 0
    assert long.samples_of(long.all()[0][0]) <= MOST_POINTS


def test_what_does_not_fit_is_named_and_the_first_stay() -> None:
    held = catalogue(1, gauge("a_errors", 10), gauge("b", 10), gauge("c", 1))
    kept, cut = held.fitting(held.all(), 3_000)
    assert [name for _, name in kept] == ["a_errors"]
    assert cut == ["b", "c"]


def test_two_families_share_a_name_only_for_different_services() -> None:
    identity = Identity(PrometheusConfig(url="http://a"))

    def timed(name: str, service: str) -> Known:
        labels = {"service": service}
        return Known(Family(name, "histogram", "s"), ((labels, identity.owner(name, labels)),), True, seconds=15.0)

    name = "http_request calls per second"
    apart = catalogue(1, timed("http_request_duration_seconds", "a"), timed("http_request_latency_seconds", "b"))
    assert len(apart.named(name, None)) == 2
    assert len(apart.named(name, "b")) == 1
    same = catalogue(1, timed("http_request_duration_seconds", "a"), timed("http_request_latency_seconds", "a"))
    assert len(same.named(name, None)) == 1
