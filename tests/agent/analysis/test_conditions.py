from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.conditions import Condition, conditions
from agent.analysis.faults.fault import Fault
from agent.analysis.guilt import UNEXPLAINED
from agent.analysis.scene import Scene
from agent.analysis.suspects import suspects
from agent.incident import Claim, FaultKind, GoldenSignal, Resource
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


def at_db(mechanism: str, score: float, service: str = "db") -> Fault:
    claim = Claim(text=f"{service} is odd", evidence=(f"E-{service}",), weight=score)
    return Fault(service, mechanism, FaultKind.UNKNOWN, score, (claim,), at(0))


def filled_disk(*located: Fault) -> Condition:
    built = Scene(*incident(calls=CALLS, signals=full_disk()))
    found = conditions(built, suspects(built), located)
    return next(c for c in found if c.mechanism.id == "disk_filled_up")


def left_over(condition: Condition) -> list[str]:
    return [c.text for c in condition.claims if c.weight < 0 and "is odd" in c.text]


def test_a_fault_that_the_condition_does_not_produce_counts_against_it() -> None:
    fault = at_db("located_wrong_return", 6.0)
    quiet, odd = filled_disk(), filled_disk(fault)
    assert odd.score == pytest.approx(quiet.score - UNEXPLAINED * fault.score)
    assert left_over(odd) == ["does not explain: db is odd"]
    assert next(c for c in odd.claims if "is odd" in c.text).evidence == ("E-db",)


def test_only_the_clearest_fault_has_to_be_explained() -> None:
    clear, faint = at_db("located_wrong_return", 6.0), at_db("located_network_delay", 1.0, "web")
    assert filled_disk(clear, faint) == filled_disk(clear)
    assert left_over(filled_disk(faint, clear)) == ["does not explain: web is odd"]


def test_a_fault_that_the_condition_produces_does_not_count_against_it() -> None:
    flat = moved("db", "memory_utilization", 30, 99, golden=GoldenSignal.SATURATION, resource=Resource.MEMORY)
    scene = Scene(*incident(calls=CALLS, signals=(flat, logged("db", "OutOfMemoryError: Java heap space"))))
    ranked = suspects(scene)

    def leak(*located: Fault) -> Condition:
        return next(c for c in conditions(scene, ranked, located) if c.mechanism.id == "slow_leak")

    assert leak(at_db("located_memory", 9.0)) == leak()
    assert leak(at_db("located_cpu", 9.0)).score < leak().score


@settings(max_examples=20, deadline=None)
@given(score=st.floats(0, 100), more=st.floats(0, 100))
def test_the_clearer_the_unexplained_fault_the_less_likely_the_condition(score: float, more: float) -> None:
    faint, clear = (filled_disk(at_db("located_slowness", nats)) for nats in (score, score + more))
    assert clear.score <= faint.score <= filled_disk().score


def test_refused_connections_tell_of_a_dependency_that_does_not_answer() -> None:
    signals = (
        logged("shop", "bank cannot be called: [Errno 111] Connection refused"),
        moved("web", "http_5xx_ratio", 0.01, 0.5, 1),
    )
    found = weighed(signals=signals)["dependency_unreachable"]
    assert found.service == "shop"
    assert found.mechanism.fault is FaultKind.DEPENDENCY
    assert "dependency_unreachable" not in weighed(signals=signals[1:])


def test_code_that_breaks_off_where_the_condition_is_said_is_explained_by_it() -> None:
    said = logged("shop", "POST /pay: certificate has expired")
    claim = Claim(text="the path ends", evidence=("E1",), weight=8.0)

    def score(service: str) -> float:
        broken = Fault(service, "located_code_exception", FaultKind.CODE_EXCEPTION, 8.0, (claim,), at(0))
        built = Scene(*incident(calls=CALLS, signals=(said, moved("web", "http_5xx_ratio", 0.01, 0.5, 1))))
        found = {c.mechanism.id: c for c in conditions(built, suspects(built), [broken])}
        return found["certificate_expiry"].score

    assert score("shop") > score("db") + 2
