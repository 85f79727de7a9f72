from __future__ import annotations

from agent.analysis.scene import Scene
from agent.analysis.suspects import suspects
from agent.incident import GoldenSignal
from tests.agent.analysis.scenes import incident, logged, moved

CALLS = (("web", "shop"), ("shop", "db"))


def order(**scene) -> list[str]:
    return [s.service for s in suspects(Scene(*incident(calls=CALLS, **scene)))]


def slow(service: str, minutes: float):
    return moved(service, "request_p99_ms", 100, 3000, minutes, golden=GoldenSignal.LATENCY)


def test_the_deepest_service_that_failed_first_leads_whoever_is_loudest() -> None:
    loud = moved("web", "http_5xx_ratio", 0.001, 0.9, 2)
    assert order(signals=(loud, slow("web", 2), slow("shop", 1), slow("db", 0)))[0] == "db"


def test_a_caller_that_fails_on_its_own_account_is_no_victim() -> None:
    broken = logged("web", "panic: nil pointer dereference")
    assert order(signals=(moved("web", "http_5xx_ratio", 0, 0.5), broken))[0] == "web"


def test_a_callee_that_failed_later_does_not_explain() -> None:
    assert order(signals=(slow("shop", 0), slow("db", 10)))[0] == "shop"


def test_a_callee_that_is_only_cut_off_is_a_victim() -> None:
    signals = (
        moved("shop", "rpc_client_error_rate", 0, 0.6, 0),
        logged("shop", "rpc error: context deadline exceeded", 0),
        logged("db", "query cancelled by client before completion", 0),
        moved("db", "rpc_server_cancelled_rate", 0, 0.6, 0),
    )
    assert order(signals=signals)[0] == "shop"


def test_a_service_apart_from_the_symptom_comes_last() -> None:
    calls = (*CALLS, ("admin", "report"))
    scene = incident(calls=calls, signals=(slow("report", -5), slow("shop", 0)))
    assert [s.service for s in suspects(Scene(*scene))] == ["shop", "report"]


def test_nobody_fails_nobody_is_suspected() -> None:
    more = moved("web", "requests_per_sec", 100, 150, golden=GoldenSignal.TRAFFIC, harmful=False)
    assert order(signals=(more,)) == []
