from __future__ import annotations

import re

import pytest

from tools.live.prometheus.families import Family, Kind, Known, read_families, status_of
from tools.live.prometheus.identity import Owner
from tools.live.prometheus.vocabulary import error_values, tier, unit_of

NAMES = [
    "http_request_duration_seconds_bucket",
    "http_request_duration_seconds_count",
    "http_request_duration_seconds_sum",
    "rpc_seconds",
    "rpc_seconds_count",
    "rpc_seconds_sum",
    "orders_total",
    "queue_depth",
    "thread_count",
    "grpc.server.duration",
    "odd",
    "temp_total",
    "orders_created",
    "target_info",
    "ALERTS",
]
TOLD = [
    {"metric_name": "grpc.server.duration", "type": "histogram", "unit": "seconds"},
    {"metric_name": "odd", "type": "counter"},
    {"metric_name": "temp_total", "type": "gauge"},
]


def kinds(names: list[str], told: list[dict[str, str]]) -> dict[str, Kind]:
    return {family.name: family.kind for family in read_families(names, told)}


def test_families_are_put_together_from_their_parts() -> None:
    assert kinds(NAMES, TOLD) == {
        "http_request_duration_seconds": "histogram",
        "rpc_seconds": "summary",
        "orders_total": "counter",
        "queue_depth": "gauge",
        "thread_count": "gauge",
        "grpc.server.duration": "native",
        "odd": "counter",
        "temp_total": "gauge",
    }


def test_without_types_the_names_decide() -> None:
    assert kinds(["a_total", "b"], []) == {"a_total": "counter", "b": "gauge"}


def test_openmetrics_tells_the_type_of_a_counter_without_its_suffix() -> None:
    told = [{"metric_name": "jobs", "type": "counter"}, {"metric_name": "x", "type": "unknown"}]
    assert kinds(["jobs_total", "x"], told) == {"jobs_total": "counter", "x": "gauge"}


def test_what_users_feel_comes_first() -> None:
    names = ["zz_shoe_size", "prometheus_http_requests_total", "cpu_usage", "zz_errors_total"]
    assert [family.name for family in read_families(names, [])] == [
        "zz_errors_total",
        "cpu_usage",
        "zz_shoe_size",
        "prometheus_http_requests_total",
    ]
    assert tier("go_memstats_alloc_bytes") == 3


@pytest.mark.parametrize(
    ("name", "told", "unit"),
    [
        ("x_duration_seconds", "", "s"),
        ("x_seconds_total", "", "s"),
        ("latency_ms", "", "ms"),
        ("mem_bytes", "", "B"),
        ("x", "seconds", "s"),
        ("x", "widgets", "widgets"),
        ("hit_ratio", "", "ratio"),
        ("x", "", ""),
    ],
)
def test_units(name: str, told: str, unit: str) -> None:
    assert unit_of(name, told) == unit


@pytest.mark.parametrize(
    ("label", "values", "failing", "fine"),
    [
        ("code", ["200", "404", "500"], ["500", "503"], ["200", "499"]),
        ("http_response_status_code", ["200"], ["502"], ["302"]),
        ("http.response.status_code", ["200"], ["502"], ["302"]),
        ("status", ["2xx", "5xx"], ["5xx", "5XX"], ["2xx"]),
        (
            "grpc_code",
            ["OK", "Unavailable"],
            ["Unavailable", "DeadlineExceeded", "DEADLINE_EXCEEDED"],
            ["OK", "NotFound"],
        ),
        ("rpc_grpc_status_code", ["0", "14"], ["2", "4", "8", "13", "14"], ["0", "5", "1"]),
        (
            "outcome",
            ["SUCCESS", "SERVER_ERROR"],
            ["SERVER_ERROR", "error", "failed", "failure"],
            ["SUCCESS", "success"],
        ),
        ("status_code", ["STATUS_CODE_UNSET", "STATUS_CODE_ERROR"], ["STATUS_CODE_ERROR"], ["STATUS_CODE_UNSET"]),
        ("success", ["true", "false"], ["false"], ["true"]),
        ("error", ["true", "false"], ["true"], ["false"]),
        ("error_type", ["timeout", "500"], ["timeout", "500"], ["", "404"]),
    ],
)
def test_labels_that_tell_failures(label: str, values: list[str], failing: list[str], fine: list[str]) -> None:
    found = error_values(label, values)
    assert found is not None
    expression = re.compile(found[1])
    assert [value for value in failing if not expression.fullmatch(value)] == []
    assert [value for value in fine if expression.fullmatch(value)] == []


@pytest.mark.parametrize(
    ("label", "values"), [("route", ["500"]), ("code", ["17", "99"]), ("code", []), ("zipcode", ["500"])]
)
def test_labels_that_tell_no_failures(label: str, values: list[str]) -> None:
    assert error_values(label, values) is None


def test_a_status_is_preferred_to_the_type_of_an_error() -> None:
    owner = Owner("a", "", "service", "")
    series = (({"service": "a", "code": "200", "error_type": "x"}, owner),)
    known = Known(Family("x_total", "counter", ""), series, whole=True)
    assert status_of(known) == ("code", "5xx", "5[0-9][0-9]|5[xX][xX]")
