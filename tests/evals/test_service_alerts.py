from __future__ import annotations

from datetime import UTC, datetime

from agent.parse_alert import parse_alert
from evals.service_alerts import name_of_recording, neutral_alert

AT = datetime(2026, 4, 1, 10, 0, tzinfo=UTC)


def test_the_alert_is_one_that_the_product_reads() -> None:
    alert = parse_alert(neutral_alert("shop", "latency", AT))
    assert (alert.service, alert.metric, alert.fired_at) == ("shop", "latency", AT)
    assert alert.summary == "latency of shop left its usual range"
    assert parse_alert(neutral_alert("shop", "", AT)).summary == "shop left its usual range"


def test_a_recording_is_named_after_all_of_its_alert() -> None:
    name = name_of_recording(neutral_alert("shop", "latency", AT))
    assert name == name_of_recording(dict(reversed(neutral_alert("shop", "latency", AT).items())))
    assert name != name_of_recording(neutral_alert("shop", "latency", AT.replace(minute=1)))
    assert "shop" not in name
