"""An alert is normalised at the border, or refused in one line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from agent.errors import CallerError
from agent.parse_alert import TEXT_LIMIT, TEXTS_LIMIT, parse_alert

OURS = {
    "service": "basket-api",
    "metric": "http_p99_ms",
    "fired_at": "2026-06-18T17:06:00+02:00",
    "severity": "critical",
    "monitor": "basket-p99",
    "summary": "p99 above 800 ms",
    "threshold": 800,
    "observed": "4120.5",
    "detail": "see the dashboard",
    "attempts": 3,
}


def test_our_own_keys() -> None:
    alert = parse_alert(OURS)
    assert (alert.service, alert.metric, alert.monitor, alert.severity) == (
        "basket-api",
        "http_p99_ms",
        "basket-p99",
        "critical",
    )
    assert alert.fired_at == datetime(2026, 6, 18, 15, 6, tzinfo=UTC)
    assert (alert.threshold, alert.observed) == (800.0, 4120.5)
    assert alert.annotations == {"detail": "see the dashboard"}


def test_an_alert_of_alertmanager() -> None:
    alert = parse_alert(
        {
            "status": "firing",
            "labels": {"alertname": "HighErrorRate", "service": "checkout", "severity": "critical", "shard": 3},
            "annotations": {"summary": "checkout error ratio 21%", "runbook_url": "https://runbooks.invalid/x"},
            "startsAt": "2026-11-23T15:15:27.189Z",
            "generatorURL": "https://prometheus.invalid/graph",
        }
    )
    assert (alert.service, alert.monitor, alert.summary) == ("checkout", "HighErrorRate", "checkout error ratio 21%")
    assert alert.severity == "critical"
    assert alert.labels["shard"] == "3"
    assert alert.annotations["runbook_url"] == "https://runbooks.invalid/x"
    assert alert.annotations["generatorURL"] == "https://prometheus.invalid/graph"
    assert alert.fired_at == datetime(2026, 11, 23, 15, 15, 27, 189000, tzinfo=UTC)


@pytest.mark.parametrize("label", ["service_name", "app", "job"])
def test_the_service_may_stand_in_another_usual_label(label: str) -> None:
    assert parse_alert({"labels": {label: "payments"}, "startsAt": "2026-01-01T00:00:00Z"}).service == "payments"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"service": None}, ("service is null", "service_name")),
        ({"service": "  "}, ('service is "  "',)),
        ({"service": ["a"]}, ('service is ["a"]', "text")),
        ({"fired_at": None}, ("fired_at is null", "zone")),
        ({"fired_at": 1781794800}, ("fired_at is 1781794800", "zone")),
        ({"fired_at": "2026-06-18T15:06:00"}, ('"2026-06-18T15:06:00"', "zone")),
        ({"fired_at": "yesterday"}, ('"yesterday"',)),
        ({"fired_at": None, "startsAt": "soon"}, ('startsAt is "soon"',)),
        ({"threshold": "10%"}, ('threshold is "10%"', "number")),
        ({"observed": True}, ("observed is true", "number")),
        ({"observed": "nan"}, ('observed is "nan"', "finite")),
        ({"labels": ["a"]}, ('labels is ["a"]', "object")),
    ],
)
def test_a_refusal_is_one_line_with_key_and_value(change: dict[str, object], words: tuple[str, ...]) -> None:
    with pytest.raises(CallerError) as refused:
        parse_alert({**OURS, **change})  # type: ignore[dict-item]
    message = str(refused.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_refusal_does_not_quote_a_whole_page() -> None:
    with pytest.raises(CallerError) as refused:
        parse_alert({**OURS, "fired_at": "x" * 10_000})
    assert len(str(refused.value)) < 250


def test_a_huge_alert_is_cut_because_it_travels_in_every_checkpoint() -> None:
    alert = parse_alert({**OURS, "summary": "x" * 100_000, "labels": {f"label{n}": "y" * 10_000 for n in range(500)}})
    assert len(alert.summary) < TEXT_LIMIT + 50
    assert alert.summary.endswith("(+99000 characters)")
    assert list(alert.labels) == [f"label{n}" for n in range(len(alert.labels))]
    assert 0 < sum(map(len, alert.labels.values())) <= TEXTS_LIMIT


def test_secrets_and_control_characters_do_not_come_in() -> None:
    alert = parse_alert(
        {**OURS, "summary": "login failed\x1b[31m password=hunter2x", "labels": {"token": "s3cr3t"}, "api_key": "k3y"}
    )
    assert "hunter2x" not in alert.summary
    assert "\x1b" not in alert.summary
    assert alert.labels == {"token": "[masked:value]"}
    assert alert.annotations["api_key"] == "[masked:value]"


def test_what_the_rule_of_a_prometheus_watches_is_the_metric() -> None:
    sent: dict[str, JsonValue] = {
        "labels": {"alertname": "HighErrorRate", "service": "checkout"},
        "startsAt": "2026-11-23T15:15:27.189Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=max+by+%28service%29+%28error_ratio%29+%3E+0.05&g0.tab=1",
    }
    assert parse_alert(sent).metric == "max by (service) (error_ratio)"
    assert parse_alert(sent | {"metric": "error_ratio"}).metric == "error_ratio"


@pytest.mark.parametrize("link", ["http://[", "http://p/graph", "http://p/graph?g0.expr=not+(promql", "x" * 5000])
def test_a_link_that_tells_no_rule_is_no_trouble(link: str) -> None:
    sent: dict[str, JsonValue] = {"service": "checkout", "fired_at": "2026-11-23T15:15:27Z", "generatorURL": link}
    assert parse_alert(sent).metric == ""
