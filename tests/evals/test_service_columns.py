from __future__ import annotations

import numpy as np
import pytest

from evals.service_columns import entry_of, latency_of, service_series
from evals.wide_frames import Series, Wide


def wide(*headers: str) -> Wide:
    return Wide(
        "well-hidden/1/data.csv", tuple((header,) for header in headers), np.array([1]), np.zeros((1, len(headers)))
    )


def test_a_service_ends_at_the_first_underscore() -> None:
    columns, notes = service_series(wide("carts-db_cpu", "web_lat_50", "web_latency-90"), {"lat": "s", "cpu": "%"})
    assert columns == [Series("carts-db", "cpu", "%"), Series("web", "lat_50", "s"), Series("web", "latency-90", "")]
    assert notes == ()


def test_a_column_without_a_service_is_left_out_and_said_so() -> None:
    columns, (note,) = service_series(wide("a_cpu", "time.1", "_cpu"), {})
    assert columns == [Series("a", "cpu"), None, None]
    assert note == "data.csv: 2 columns name no service and were left out ('time.1', '_cpu')"


@pytest.mark.parametrize(
    ("services", "entry"),
    [
        (["carts", "front-end", "ui"], "front-end"),
        (["cart", "api-gateway"], "api-gateway"),
        (["build", "queue", "ts-ui-dashboard"], "ts-ui-dashboard"),
        (["suite", "orders"], "suite"),
    ],
)
def test_the_entry_is_known_by_its_name(services: list[str], entry: str) -> None:
    assert entry_of(services) == entry


def test_the_first_latency_of_the_service_itself() -> None:
    columns = [Series("a", "platform"), Series("b", "latency"), Series("a", "lat_50"), Series("a", "lat_90"), None]
    assert latency_of("a", columns) == "lat_50"
    assert latency_of("b", columns) == "latency"
    assert latency_of("c", columns) == ""
