from __future__ import annotations

import random

import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.mitigation import propose
from agent.analysis.observed import Observations, Past
from agent.analysis.ranking import QUESTIONS, UNLOCATED, claims_of, rank
from agent.incident import FaultKind, GoldenSignal, OperationKind, Resource, Verdict
from tests.agent.analysis.faults.sightings import broken, call, failed, used, waited, with_faults
from tests.agent.analysis.scenes import WINDOW, at, cited, deploy, incident, level, logged, moved, patch
from tests.agent.analysis.test_conditions import full_disk
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


BUSY = used("shop", 10, 100)


def test_a_located_fault_is_the_answer_where_nothing_recorded_explains_it() -> None:
    observations, symptom, onset = incident(levels=(BUSY,), calls=CALLS)
    ranking = rank(observations, symptom, onset)
    diagnosis, leading = ranking.diagnosis, ranking.diagnosis.leading
    assert leading is not None
    assert diagnosis.verdict is Verdict.LOCATED
    assert diagnosis.answer.text == f"{leading.title}. What caused that is not recorded"
    assert diagnosis.answer.evidence == (BUSY.evidence,)
    assert (leading.cause.service, leading.cause.kind, leading.cause.metric) == ("shop", FaultKind.CPU, BUSY.metric)
    assert (leading.cause.change, leading.mechanism, leading.status) == (None, "located_cpu", "leading")
    assert leading.causal_chain[0].text == leading.evidence_for[0].text
    assert leading.predicts
    assert ranking.scores.keys() == {"fault:shop"}


def test_code_that_broke_names_its_region() -> None:
    observations, symptom, onset = incident(calls=CALLS)
    leading = rank(with_faults(observations, breaks=[broken("db", 500, raised=True)]), symptom, onset).diagnosis.leading
    assert leading is not None
    assert leading.cause.kind is FaultKind.CODE_EXCEPTION
    assert leading.cause.region == "between “order read” and “order stored”"


def test_an_innocent_change_is_cleared_beside_a_located_fault() -> None:
    scene = incident(levels=(BUSY,), calls=CALLS, changes=(deploy("b", "web", -3, RENAME_DIFF, files=("shop/a.go",)),))
    diagnosis = rank(*scene).diagnosis
    assert diagnosis.verdict is Verdict.LOCATED
    assert [h.cause.change for h in diagnosis.hypotheses] == [None]


def test_a_quiet_scene_with_every_kind_of_telemetry_names_nothing() -> None:
    observations, symptom, onset = incident(
        levels=(used("shop", 10, 12), used("web", 60, 60)), calls=CALLS, changes=(deploy("a", "shop", -8, POOL_DIFF),)
    )
    quiet = with_faults(
        observations, gaps=[call("web", "shop", 1, 1.2)], excesses=[waited("web", 5), failed("shop", 1)]
    )
    diagnosis = rank(quiet, symptom, onset).diagnosis
    assert diagnosis.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert not any(h.mechanism.startswith("located_") for h in diagnosis.hypotheses)


def test_a_faint_fault_is_a_possibility_and_no_answer() -> None:
    faint = used("shop", 10, 45, metric="node_cpu_pct")
    ranking = rank(*incident(levels=(faint,), calls=CALLS))
    assert 0 < ranking.scores["fault:shop"] < UNLOCATED
    assert ranking.diagnosis.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert [h.mechanism for h in ranking.diagnosis.hypotheses] == ["located_cpu"]


def test_two_places_that_are_as_likely_share_the_answer() -> None:
    observations, symptom, onset = incident(calls=CALLS)
    pair = rank(with_faults(observations, gaps=[call("shop", "db", 1, 500)]), symptom, onset).diagnosis.hypotheses
    assert {h.cause.service for h in pair} == {"shop", "db"}
    assert pair[0].confidence == pair[1].confidence <= 0.5


def test_the_likeliest_origin_is_named_only_where_nothing_was_located_at_it() -> None:
    failing = (moved("shop", "http_5xx_ratio", 0.01, 0.4),)
    assert "service:shop" in rank(*incident(signals=failing, calls=CALLS)).scores
    scores = rank(*incident(signals=failing, levels=(BUSY,), calls=CALLS)).scores
    assert "service:shop" not in scores
    assert "fault:shop" in scores
    other = rank(*incident(signals=failing, levels=(used("db", 10, 100),), calls=CALLS)).scores
    assert {"service:shop", "fault:db"} <= other.keys()


def test_a_condition_that_produces_what_was_located_keeps_the_answer() -> None:
    observations, symptom, onset = surge(6)
    alone = rank(observations, symptom, onset)
    busy = observations.model_copy(update={"levels": (*observations.levels, used("web", 30, 99))})
    together = rank(busy, symptom, onset)
    assert together.scores["fault:web"] > UNLOCATED
    assert together.scores["condition:traffic_surge"] == alone.scores["condition:traffic_surge"]
    assert together.diagnosis.verdict is Verdict.NO_CHANGE
    assert together.diagnosis.hypotheses[0].mechanism == "traffic_surge"


def test_a_possible_condition_is_left_out_once_the_place_is_known() -> None:
    observations, symptom, onset = incident(signals=full_disk(), calls=CALLS)
    assert "condition:disk_filled_up" in rank(observations, symptom, onset).scores
    located = with_faults(observations, breaks=[broken("shop", 500)])
    assert "condition:disk_filled_up" not in rank(located, symptom, onset).scores


def test_a_condition_names_the_metric_that_the_same_fault_shows_on() -> None:
    filled = used("db", 60, 100, Resource.DISK, "disk_used_pct").model_copy(update={"trend": 0.02})
    observations, symptom, onset = incident(signals=full_disk(), levels=(filled,), calls=CALLS)
    metrics = {h.mechanism: h.cause.metric for h in rank(observations, symptom, onset).diagnosis.hypotheses}
    assert metrics["disk_filled_up"] == "disk_used_pct"
    rising = level("db", "disk_used_pct", 90, 100, resource=Resource.DISK, trend=0.02)
    elsewhere = observations.model_copy(update={"levels": (rising, filled.model_copy(update={"service": "web"}))})
    metrics = {h.mechanism: h.cause.metric for h in rank(elsewhere, symptom, onset).diagnosis.hypotheses}
    assert metrics["located_disk"] == "disk_used_pct"
    assert metrics["disk_filled_up"] is None


STRENGTHS = st.floats(0, 1e6)


def troubled(observations: Observations, strength: float, first: float, delay: float, waiting: float) -> Observations:
    """Every kind of fault, anywhere but in the recorded changes."""
    return with_faults(
        observations.model_copy(update={"levels": (*observations.levels, used("user", 10, 100))}),
        breaks=[broken("db", strength, first=first, raised=True), broken("web", strength / 2)],
        gaps=[call("web", "user", 1, 1 + delay), call("shop", "db", 1, 1 + delay / 2)],
        excesses=[waited("web", waiting), waited("db", waiting / 2), failed("shop", waiting / 9)],
    )


@settings(max_examples=20, deadline=None)
@given(strength=STRENGTHS, first=st.floats(0, 1), delay=STRENGTHS, waiting=STRENGTHS)
def test_however_clear_the_place_a_convicted_change_leads(
    strength: float, first: float, delay: float, waiting: float
) -> None:
    observations, symptom, onset = pool_incident(deploy("a", "shop", -8, POOL_DIFF))
    alone = rank(observations, symptom, onset).diagnosis
    diagnosis = rank(troubled(observations, strength, first, delay, waiting), symptom, onset).diagnosis
    assert alone.leading is not None
    assert diagnosis.leading is not None
    assert diagnosis.verdict is Verdict.CHANGE
    assert diagnosis.leading.cause.change == "a"
    assert diagnosis.leading.confidence >= alone.leading.confidence
    assert sum(h.confidence for h in diagnosis.hypotheses) <= 1 + 1e-9


@settings(max_examples=20, deadline=None)
@given(strength=STRENGTHS, first=st.floats(0, 1), delay=STRENGTHS, waiting=STRENGTHS, seed=st.integers(0, 1000))
def test_located_faults_share_what_is_left_in_any_order(
    strength: float, first: float, delay: float, waiting: float, seed: int
) -> None:
    observations, symptom, onset = incident(signals=full_disk(), calls=CALLS, changes=(deploy("c", "web", -30, None),))
    seen = troubled(observations, strength, first, delay, waiting)
    straight = rank(seen, symptom, onset)
    assert sum(h.confidence for h in straight.diagnosis.hypotheses) <= 1 + 1e-9
    assert len(straight.probes) <= QUESTIONS
    mixed = {name: list(getattr(seen, name)) for name in ("levels", "calls", "breaks", "excesses")}
    for things in mixed.values():
        random.Random(seed).shuffle(things)
    shuffled = rank(seen.model_copy(update={name: tuple(things) for name, things in mixed.items()}), symptom, onset)
    assert {h.title for h in shuffled.diagnosis.hypotheses} == {h.title for h in straight.diagnosis.hypotheses}
    assert shuffled.scores == pytest.approx(straight.scores)
