"""Small made-up incidents, built from values instead of frames, for tests of the reasoning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agent.analysis.observed import Level, Observations, Onset, OperationStats, Template
from agent.incident import Alert, GoldenSignal, Resource, Shape, Signal, SignalKind, Symptom
from tools.evidence import ChangeEvent, ChangeKind, Edge, Query, StatusEvent, TimeWindow, evidence_id

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
WINDOW = TimeWindow(since=NOON - timedelta(hours=1), until=NOON + timedelta(minutes=30))


def at(minutes: float) -> datetime:
    """That many minutes after noon, when the symptoms of these incidents begin."""
    return NOON + timedelta(minutes=minutes)


def cited(tool: str, **arguments: str) -> str:
    return evidence_id(Query(tool=tool, arguments=dict(arguments)), WINDOW)


def moved(
    service: str,
    metric: str,
    before: float,
    after: float,
    minutes: float = 0,
    *,
    golden: GoldenSignal | None = GoldenSignal.ERRORS,
    resource: Resource | None = None,
    harmful: bool = True,
    confidence: float = 0.95,
    shape: Shape = "step",
) -> Signal:
    return Signal(
        kind=SignalKind.METRIC,
        service=service,
        name=metric,
        onset=at(minutes),
        onset_uncertainty=timedelta(minutes=1),
        direction="up" if after > before else "down",
        before=before,
        after=after,
        size=50,
        confidence=confidence,
        evidence=cited("metric_range", service=service, metric=metric),
        golden=golden,
        resource=resource,
        harmful=harmful,
        shape=shape,
    )


def logged(service: str, line: str, minutes: float = 0, *, severity: str = "ERROR", peer: str | None = None) -> Signal:
    return Signal(
        kind=SignalKind.LOG,
        service=service,
        name=line,
        onset=at(minutes),
        onset_uncertainty=timedelta(seconds=10),
        direction="up",
        before=0,
        after=5,
        size=30,
        confidence=0.95,
        evidence=cited("log_lines", service=service, contains=line),
        golden=GoldenSignal.ERRORS,
        harmful=severity in {"WARN", "ERROR", "FATAL"},
        shape="new",
        peer=peer,
        example=line,
        attributes={"severity": severity},
    )


def level(
    service: str,
    metric: str,
    before: float,
    after: float,
    *,
    golden: GoldenSignal | None = None,
    resource: Resource | None = None,
    unit: str = "",
    trend: float = 0.0,
) -> Level:
    return Level(
        service=service,
        metric=metric,
        evidence=cited("metric_range", service=service, metric=metric),
        before=before,
        after=after,
        p95_before=before * 1.05,
        spread=max(0.02 * abs(before), 0.01),
        samples=90,
        golden=golden,
        resource=resource,
        unit=unit,
        trend=trend,
        last=after,
    )


def deploy(
    name: str,
    service: str,
    minutes: float,
    diff: str | None,
    *,
    files: tuple[str, ...] = ("src/app.go",),
    in_effect: bool = True,
    version: str | None = "v2",
) -> ChangeEvent:
    return ChangeEvent(
        id=name,
        kind=ChangeKind.DEPLOY,
        at=at(minutes),
        service=service,
        title=f"change {name}",
        commit=(name * 40)[:40],
        version=version,
        files=files,
        diff=diff,
        in_effect=in_effect,
    )


def patch(path: str, body: str) -> str:
    """A unified diff of one hunk; `body` is its lines with their signs."""
    lines = body.strip("\n").split("\n")
    old = sum(not x.startswith("+") for x in lines)
    new = sum(not x.startswith("-") for x in lines)
    return f"--- a/{path}\n+++ b/{path}\n@@ -1,{old} +1,{new} @@\n" + "\n".join(lines) + "\n"


def incident(
    *,
    service: str = "web",
    metric: str = "http_5xx_ratio",
    golden: GoldenSignal = GoldenSignal.ERRORS,
    signals: tuple[Signal, ...] = (),
    levels: tuple[Level, ...] = (),
    templates: tuple[Template, ...] = (),
    operations: tuple[OperationStats, ...] = (),
    calls: tuple[tuple[str, str], ...] = (),
    changes: tuple[ChangeEvent, ...] = (),
    status_events: tuple[StatusEvent, ...] = (),
) -> tuple[Observations, Symptom, Onset | None]:
    observations = Observations(
        alert=Alert(service=service, metric=metric, fired_at=at(5), threshold=0.05, observed=0.4),
        window=WINDOW,
        signals=signals,
        levels=levels,
        templates=templates,
        operations=operations,
        edges=tuple(Edge(caller=a, callee=b) for a, b in calls),
        changes=changes,
        status_events=status_events,
    )
    symptom = Symptom(signal=golden, service=service, window=WINDOW, metric=metric)
    own = next((s for s in signals if s.service == service and s.name == metric), None)
    onset = (
        Onset(
            at=own.onset,
            uncertainty=own.onset_uncertainty,
            direction=own.direction,
            before=own.before,
            after=own.after,
            size=own.size,
            shape="step",
        )
        if own
        else None
    )
    return observations, symptom, onset
