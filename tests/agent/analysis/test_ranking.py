from __future__ import annotations

import random

from hypothesis import given, settings, strategies as st

from agent.analysis.mitigation import propose
from agent.analysis.observed import Past
from agent.analysis.ranking import claims_of, rank
from agent.incident import GoldenSignal, OperationKind, Resource, Verdict
from tests.agent.analysis.scenes import WINDOW, at, cited, deploy, incident, level, logged, moved, patch
from tests.agent.analysis.test_guilt import POOL_DIFF, RENAME_DIFF, pool_signals
from tools.evidence import StatusEvent

CALLS = (("web", "shop"), ("shop", "db"))


def pool_incident(*changes):
    return incident(signals=pool_signals(), calls=CALLS, changes=tuple(changes))


def test_the_guilty_change_leads_and_the_innocent_is_cleared() -> None:
    ranking = rank(
        *pool_incident(deploy("a", "shop", -8, POOL_DIFF), deploy("b", "shop", -1, RENAME_DIFF, files=("shop/a.go",)))
    )
    diagnosis = ranking.diagnosis
    assert diagnosis.verdict is Verdict.CHANGE
    assert diagnosis.leading is not None
    assert diagnosis.leading.cause.change == "a"
    assert diagnosis.leading.confidence > 0.5
    assert diagnosis.first_failing_service == "shop"
    assert diagnosis.blast_radius.services == ("web",)
    assert [r.candidate for r in diagnosis.ruled_out] == ["b"]


def test_nothing_deviates_nothing_is_named() -> None:
    diagnosis = rank(*incident(changes=(deploy("a", "shop", -8, POOL_DIFF),), calls=CALLS)).diagnosis
    assert diagnosis.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert not propose(diagnosis, incident()[0])


def test_a_failure_without_any_guilty_change_says_so() -> None:
    signals = (
        moved("web", "http_5xx_ratio", 0.01, 0.4),
        logged("web", "x509: certificate has expired or is not yet valid"),
        moved("web", "tls_cert_seconds_until_expiry", 3000, -60, golden=None, resource=Resource.CERTIFICATE),
    )
    diagnosis = rank(
        *incident(signals=signals, calls=CALLS, changes=(deploy("b", "web", -3, RENAME_DIFF, files=("shop/a.go",)),))
    ).diagnosis
    assert diagnosis.verdict is Verdict.NO_CHANGE
    assert diagnosis.answer.text.startswith("No change did this")
    assert propose(diagnosis, incident(signals=signals)[0])[0].operation.kind is OperationKind.ROTATE_CERTIFICATE


def surge(inner: float):
    signals = (
        moved("web", "http_5xx_ratio", 0.01, 0.3, 1),
        moved("web", "requests_per_sec", 900, 5400, golden=GoldenSignal.TRAFFIC, harmful=False),
        moved("shop", "requests_per_sec", 500, 500 * inner, golden=GoldenSignal.TRAFFIC, harmful=False),
        moved("web", "cpu_utilization", 30, 99, 0, golden=GoldenSignal.SATURATION, resource=Resource.CPU),
        logged("web", "request rejected: server overloaded, shedding load", 2),
    )
    levels = (
        level("web", "requests_per_sec", 900, 5400, golden=GoldenSignal.TRAFFIC),
        level("shop", "requests_per_sec", 500, 500 * inner, golden=GoldenSignal.TRAFFIC),
    )
    return incident(signals=signals, levels=levels, calls=CALLS)


def test_a_surge_enters_at_the_edge() -> None:
    diagnosis = rank(*surge(6)).diagnosis
    assert diagnosis.leading is not None
    assert diagnosis.leading.mechanism == "traffic_surge"


def test_load_that_is_multiplied_inside_is_no_surge() -> None:
    diagnosis = rank(*surge(40)).diagnosis
    surge_claims = [h for h in diagnosis.hypotheses if h.mechanism == "traffic_surge"]
    assert not surge_claims or any("multiplied inside" in c.text for c in surge_claims[0].evidence_against)


def test_a_declared_outage_beats_an_innocent_deploy() -> None:
    event = StatusEvent(
        id="s", provider="cloud", service="Storage", status="degraded", title="Elevated errors", started_at=at(-1)
    )
    signals = (
        moved("web", "http_5xx_ratio", 0.01, 0.4),
        moved("shop", "s3_request_errors_5xx_ratio", 0.01, 0.4),
        logged("shop", "aws sdk GetObject failed: ServiceUnavailable 503"),
    )
    tuned = patch("shop/s3.yaml", "-  request_timeout: 3s\n+  request_timeout: 5s")
    scene = incident(
        signals=signals,
        calls=CALLS,
        status_events=(event,),
        changes=(deploy("a", "shop", -40, tuned, files=("shop/s3.yaml",)),),
    )
    diagnosis = rank(*scene).diagnosis
    assert diagnosis.verdict is Verdict.NO_CHANGE
    assert diagnosis.leading is not None
    assert diagnosis.leading.mechanism == "provider_outage"


def test_every_sentence_cites_and_confidence_is_a_share() -> None:
    ranking = rank(
        *pool_incident(deploy("a", "shop", -8, POOL_DIFF), deploy("b", "shop", -1, RENAME_DIFF, files=("shop/a.go",)))
    )
    claims = claims_of(ranking.diagnosis)
    assert len(claims) > 8
    known = {s.evidence for s in pool_signals()} | {cited("change", id="a"), cited("change", id="b")}
    assert {e for c in claims for e in c.evidence} <= known
    assert sum(h.confidence for h in ranking.diagnosis.hypotheses) <= 1


def test_probes_ask_what_could_refute_the_leading_hypotheses() -> None:
    scene = pool_incident(deploy("a", "shop", -8, POOL_DIFF))
    probes = rank(*scene).probes
    assert probes
    assert all(p.window.until <= WINDOW.since and p.query.tool == "metric_range" for p in probes)


def test_what_was_like_this_a_day_before_is_no_part_of_the_fault() -> None:
    observations, symptom, onset = pool_incident(deploy("a", "shop", -8, POOL_DIFF))
    probe = next(p for p in rank(observations, symptom, onset).probes if p.query.arguments["service"] == "shop")
    past = Past(
        service="shop",
        metric=str(probe.query.arguments["metric"]),
        low=0.0,
        high=9.5,
        window=probe.window,
        evidence="E1",
    )
    usual = observations.model_copy(update={"history": (past,)})
    told = [[c.text for c in claims_of(rank(o, symptom, onset).diagnosis)] for o in (observations, usual)]
    assert [any(past.metric in text for text in texts) for texts in told] == [True, False]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_what_was_observed_does_not_matter(seed: int) -> None:
    changes = [
        deploy("a", "shop", -8, POOL_DIFF),
        deploy("b", "shop", -1, RENAME_DIFF, files=("shop/a.go",)),
        deploy("c", "web", -30, None),
    ]
    signals, calls = list(pool_signals()), list(CALLS)
    straight = rank(*incident(signals=tuple(signals), calls=tuple(calls), changes=tuple(changes)))
    for things in (changes, signals, calls):
        random.Random(seed).shuffle(things)
    shuffled = rank(*incident(signals=tuple(signals), calls=tuple(calls), changes=tuple(changes)))
    assert shuffled.scores == straight.scores
    assert shuffled.diagnosis == straight.diagnosis


@settings(max_examples=20, deadline=None)
@given(minutes=st.floats(-50, 20), service=st.sampled_from(["web", "shop", "db", "elsewhere"]))
def test_an_inert_change_never_leads(minutes: float, service: str) -> None:
    diagnosis = rank(*pool_incident(deploy("b", service, minutes, RENAME_DIFF, files=("shop/a.go",)))).diagnosis
    assert diagnosis.verdict is not Verdict.CHANGE
