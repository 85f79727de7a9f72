from __future__ import annotations

from agent.analysis.conditions import Condition, conditions
from agent.analysis.scene import Scene
from agent.analysis.suspects import suspects
from agent.incident import GoldenSignal, Resource
from tests.agent.analysis.scenes import at, incident, level, logged, moved
from tools.evidence import StatusEvent

CALLS = (("web", "shop"), ("shop", "db"))


def weighed(**scene) -> dict[str, Condition]:
    built = Scene(*incident(calls=CALLS, **scene))
    return {c.mechanism.id: c for c in conditions(built, suspects(built))}


def full_disk():
    return (
        moved("db", "disk_used_pct", 60, 100, golden=GoldenSignal.SATURATION, resource=Resource.DISK),
        logged("db", "could not extend file: No space left on device"),
        moved("web", "http_5xx_ratio", 0.01, 0.5, 1),
    )


def test_a_steady_rise_speaks_for_ordinary_growth() -> None:
    rising = level("db", "disk_used_pct", 90, 100, resource=Resource.DISK, trend=0.02)
    steady = weighed(signals=full_disk(), levels=(rising,))["disk_filled_up"]
    sudden = weighed(signals=full_disk())["disk_filled_up"]
    assert steady.score > sudden.score + 3
    assert steady.service == "db"


def test_a_log_flood_speaks_against_ordinary_growth() -> None:
    flood = moved("db", "log_write_throughput_lps", 1000, 12000, -5, harmful=False)
    quiet = weighed(signals=full_disk())["disk_filled_up"]
    flooded = weighed(signals=(*full_disk(), flood))["disk_filled_up"]
    assert flooded.score < quiet.score


def test_no_surge_without_more_requests_at_the_edge() -> None:
    signals = (
        moved("web", "http_5xx_ratio", 0.01, 0.5, 1),
        moved("shop", "requests_per_sec", 500, 9000, golden=GoldenSignal.TRAFFIC, harmful=False),
    )
    levels = (
        level("web", "requests_per_sec", 900, 910, golden=GoldenSignal.TRAFFIC),
        level("shop", "requests_per_sec", 500, 9000, golden=GoldenSignal.TRAFFIC),
    )
    surge = weighed(signals=signals, levels=levels)["traffic_surge"]
    assert any("no surge enters" in c.text for c in surge.claims)
    assert surge.score < 0


def test_a_provider_that_fails_several_services_is_pointed_at() -> None:
    event = StatusEvent(id="s", provider="c", service="Mail", status="outage", title="Down", started_at=at(-2))
    failing = tuple(logged(s, "provider mail returned 503 service unavailable") for s in ("web", "shop"))
    outage = weighed(signals=(moved("web", "http_5xx_ratio", 0, 0.4), *failing), status_events=(event,))
    assert outage["provider_outage"].score > 5


def test_what_is_not_seen_is_no_condition() -> None:
    assert weighed(signals=(moved("web", "http_5xx_ratio", 0, 0.4),)) == {}


def test_what_began_after_the_symptom_did_not_cause_it() -> None:
    late = logged("web", "x509: certificate has expired", 20)
    assert "certificate_expiry" not in weighed(signals=(moved("web", "http_5xx_ratio", 0, 0.4), late))
