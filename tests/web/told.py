"""Investigations as the views receive them: one with a guilty change, one without enough evidence, one hostile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agent.approval import Approval, ApprovalStatus
from agent.incident import (
    Alert,
    ApprovalDecision,
    ApprovalRequest,
    BlastRadius,
    Cause,
    Claim,
    DataGap,
    Diagnosis,
    Evidence,
    FaultKind,
    GoldenSignal,
    Hypothesis,
    Incident,
    IncidentStatus,
    Mitigation,
    Operation,
    OperationKind,
    Query,
    RuledOut,
    Severity,
    Signal,
    SignalKind,
    Source,
    Symptom,
    TimeWindow,
    Verdict,
)
from web.report import Report
from web.series import Series, ShownSignal

FIRED = datetime(2026, 11, 2, 15, 10, tzinfo=UTC)
ONSET = datetime(2026, 11, 2, 15, 2, 40, tzinfo=UTC)
WINDOW = TimeWindow(since=FIRED - timedelta(hours=1), until=FIRED + timedelta(minutes=5))
CALLS = Query(tool="metric_range", arguments={"service": "price-api", "metric": "queries_per_request"})


def utc_now() -> datetime:
    return datetime.now(UTC)


def evidence(query: Query, summary: str, source: Source = Source.METRICS) -> Evidence:
    return Evidence.of(source, query, WINDOW, summary, [])


E_CALLS = evidence(CALLS, "queries_per_request of price-api rose from 1 to 12.1").id
E_P99 = evidence(Query(tool="metric_range", arguments={"service": "basket-web", "metric": "http_p99_ms"}), "").id
E_DIFF = evidence(Query(tool="change", arguments={"id": "4f1c2ab"}), "", Source.CHANGES).id
E_SPAN = evidence(Query(tool="spans", arguments={"service": "price-api", "operation": "SELECT price"}), "").id
E_LOGS = evidence(Query(tool="log_lines", arguments={"service": "price-api", "contains": "pool"}), "").id


def claim(text: str, *ids: str) -> Claim:
    return Claim(text=text, evidence=ids or (E_CALLS,))


ALERT = Alert(
    service="basket-web",
    metric="http_p99_ms",
    fired_at=FIRED,
    summary="basket-web p99 above 800 ms for 3 m",
    monitor="basket p99",
    threshold=800,
    observed=4120,
)
SYMPTOM = Symptom(signal=GoldenSignal.LATENCY, service="basket-web", window=WINDOW, metric="http_p99_ms")

ROLLBACK = Mitigation(
    id="M1",
    operation=Operation(kind=OperationKind.ROLLBACK, target="price-api", arguments={"from": "v214", "to": "v213"}),
    title="Roll back price-api from v214 to v213",
    reason=claim("v213 asked the price table once per request and was healthy for 9 days", E_DIFF, E_CALLS),
    risk="low",
    reversible=True,
    undo="deploy price-api v214 again",
    expected_effect="queries per request fall back to 1 within 2 min",
    check="http_p99_ms of basket-web under 800 ms",
    touches=("price-api", "basket-web"),
)
SHED = Mitigation(
    id="M2",
    operation=Operation(kind=OperationKind.THROTTLE, target="basket-web"),
    title="Shed a third of basket-web's traffic",
    reason=claim("the price table is saturated", E_SPAN),
    risk="high",
    reversible=True,
    undo="lift the limit",
    expected_effect="p99 falls for those who are served",
    check="http_p99_ms of basket-web",
    touches=("basket-web",),
    manual=True,
)


def hypothesis(number: int, title: str, confidence: float, **more: object) -> Hypothesis:
    fields: dict[str, object] = {
        "id": f"H{number}",
        "title": title,
        "cause": Cause(service="price-api", kind=FaultKind.CODE_EXCEPTION, change="4f1c2ab"),
        "mechanism": "query_in_loop",
        "confidence": confidence,
    }
    return Hypothesis.model_validate(fields | more)


LEADING = hypothesis(
    1,
    "price-api v214 (4f1c2ab) asks the price table once per line item",
    0.86,
    status="leading",
    causal_chain=(
        claim("deploy 4f1c2ab of price-api", E_DIFF),
        claim("12 queries per request instead of 1", E_CALLS),
        claim("price-api p99 ×18", E_SPAN),
        claim("basket-web p99 4.12 s", E_P99),
    ),
    evidence_for=(
        claim("queries per request rose from 1 to 12.1 at 15:02:40, 20 s after v214 took effect", E_CALLS, E_DIFF),
        claim("the diff moves PriceList.load() into the loop over line items (pricing/basket.py)", E_DIFF),
        claim("SELECT price is called 12 times per parent span instead of once; each is as fast as before", E_SPAN),
        claim("basket-web slowed 10 s after price-api and spends 97 % of its time waiting for it", E_P99, E_SPAN),
    ),
    evidence_against=(claim("the connection pool of price-api also filled up, which v214 does not explain", E_LOGS),),
)
POOL = hypothesis(
    2,
    "connection pool of price-api exhausted",
    0.09,
    evidence_for=(claim("'pool exhausted, waiting' is new since 15:04:10, 41 lines per minute", E_LOGS),),
    evidence_against=(claim("it began 90 s after the first slow requests", E_LOGS, E_P99),),
)
DATABASE = hypothesis(
    3,
    "price database slow",
    0.03,
    status="unlikely",
    evidence_against=(claim("SELECT price takes 2 ms as before", E_SPAN),),
)
RULED_OUT = (
    RuledOut(
        candidate="9be01d2",
        title="deploy 9be01d2 of basket-web (15:01:05)",
        reason=claim("its diff touches only the e-mail footer", E_DIFF),
    ),
    RuledOut(
        candidate="flag-77",
        title="flag new-checkout on (14:58:00)",
        reason=claim("users without the flag are just as slow", E_P99),
    ),
    RuledOut(candidate="traffic", title="more traffic", reason=claim("requests per second stayed (412 → 409)", E_P99)),
    RuledOut(
        candidate="payment-api",
        title="payment-api",
        reason=claim("its latency stayed at 38 ms and basket-web does not wait for it", E_SPAN),
    ),
)
GAP = DataGap(
    source=Source.METRICS,
    claim=claim("host metrics of the price database were not recorded: a noisy neighbour cannot be excluded", E_CALLS),
)

DIAGNOSIS = Diagnosis(
    verdict=Verdict.CHANGE,
    answer=claim("price-api v214 asks the price table once per line item (N+1), since 15:02:40", E_CALLS, E_DIFF),
    symptom=SYMPTOM,
    onset=ONSET,
    onset_uncertainty=timedelta(seconds=20),
    first_failing_service="price-api",
    hypotheses=(LEADING, POOL, DATABASE),
    ruled_out=RULED_OUT,
    data_gaps=(GAP,),
    blast_radius=BlastRadius(
        services=("price-api", "basket-web", "gift-cards"), users="31 % of requests slower than 1 s (412 per second)"
    ),
    mitigations=(ROLLBACK, SHED),
)
UNSURE = Diagnosis(
    verdict=Verdict.NOT_ENOUGH_EVIDENCE,
    answer=claim("basket-web is slow and nothing recorded explains it"),
    symptom=SYMPTOM,
    onset=ONSET,
    onset_uncertainty=timedelta(minutes=2),
    first_failing_service=None,
    hypotheses=(hypothesis(1, "something outside what was recorded", 0.2),),
    data_gaps=(GAP,),
    next_steps=("look at the hosts of the price database", "record traces of price-api"),
)
INCIDENT = Incident(
    id="inc-20261102-7f3a",
    title="basket-web p99 above 800 ms",
    service="basket-web",
    status=IncidentStatus.AWAITING_APPROVAL,
    detected_at=FIRED,
    severity=Severity.SEV2,
)
REQUEST = ApprovalRequest(
    id="A-4c81d2",
    incident=INCIDENT.id,
    mitigation=ROLLBACK,
    digest=ROLLBACK.operation.digest,
    requested_at=FIRED,
    expires_at=FIRED + timedelta(minutes=15),
    dry_run="would roll back price-api from=v214 to=v213",
)
PENDING = Approval(request=REQUEST)
APPROVED = Approval(
    request=REQUEST,
    status=ApprovalStatus.APPROVED,
    decisions=(ApprovalDecision(verdict="approve", by="mara", at=FIRED, digest=REQUEST.digest),),
)

SIGNAL = Signal(
    kind=SignalKind.METRIC,
    service="price-api",
    name="queries_per_request",
    onset=ONSET,
    onset_uncertainty=timedelta(seconds=20),
    direction="up",
    before=1.0,
    after=12.1,
    size=410,
    confidence=0.99,
    evidence=E_CALLS,
)
LOG_SIGNAL = SIGNAL.model_copy(
    update={
        "kind": SignalKind.LOG,
        "name": "connection pool exhausted, waiting <*> ms for a connection to <*>",
        "evidence": E_LOGS,
        "before": 0.0,
        "after": 41.0,
        "unit": "/min",
        "onset": ONSET + timedelta(seconds=90),
    }
)


def stepping(since: datetime, at: datetime, low: float, high: float, step: timedelta, count: int) -> Series:
    """A series that steps from `low` to `high` at a moment, with a little ripple so that it looks like one."""
    times = tuple(since + step * i for i in range(count))
    return Series(times=times, values=tuple((high if t >= at else low) + (i % 3) * 0.1 for i, t in enumerate(times)))


CALLS_SERIES = stepping(WINDOW.since, ONSET, 1.0, 12.0, timedelta(seconds=20), 195)
LOG_SERIES = stepping(WINDOW.since, LOG_SIGNAL.onset, 0.0, 41.0, timedelta(minutes=1), 65)


def report(diagnosis: Diagnosis = DIAGNOSIS, *approvals: Approval) -> Report:
    return Report.of(
        INCIDENT,
        ALERT,
        diagnosis,
        approvals=approvals,
        evidence=(evidence(CALLS, "queries_per_request of price-api rose from 1 to 12.1"),),
        timings={"gather": 0.8, "diagnose": 0.2, "total": 1.4},
        leading_signals={
            LEADING.id: ShownSignal(signal=SIGNAL, series=CALLS_SERIES),
            POOL.id: ShownSignal(signal=LOG_SIGNAL, series=LOG_SERIES),
        },
    )
