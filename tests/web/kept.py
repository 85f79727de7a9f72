"""The investigation of `told`, kept in a store as the graph keeps it."""

from __future__ import annotations

from datetime import timedelta

from pydantic import JsonValue

from agent import documents
from agent.analysis.observed import Observations
from agent.incident import ApprovalRequest, Evidence, Incident, IncidentStatus, Severity, Source, TimelineKind
from agent.store import Store, TimelineDraft
from tests.web import told
from web.series import Series


def frame(columns: list[str], rows: list[list[JsonValue]]) -> JsonValue:
    return {"columns": list(columns), "rows": [list(row) for row in rows], "rows_total": len(rows)}


def metric(series: Series) -> JsonValue:
    rows: list[list[JsonValue]] = [
        [f"{at:%Y-%m-%dT%H:%M:%SZ}", "price-api", value] for at, value in zip(series.times, series.values, strict=True)
    ]
    return frame(["timestamp", "service", "value"], rows)


CALLS_RESULT = metric(told.CALLS_SERIES)
CALLS_EVIDENCE = Evidence.of(Source.METRICS, told.CALLS, told.WINDOW, "it rose from 1 to 12.1", CALLS_RESULT)


def keep(store: Store, recording: str | None = None) -> Incident:
    """Store the incident with its answer, evidence, timeline and one waiting approval."""
    incident, _ = store.create_incident(told.ALERT, recording)
    store.set_severity(incident.id, Severity.SEV2, None)
    store.put_evidence(incident.id, CALLS_EVIDENCE, CALLS_RESULT)
    seen = Observations(alert=told.ALERT, window=told.WINDOW, signals=(told.SIGNAL, told.LOG_SIGNAL))
    store.put_document(incident.id, documents.OBSERVATIONS, seen.model_dump_json())
    store.put_document(incident.id, documents.DIAGNOSIS, told.DIAGNOSIS.model_dump_json())
    steps = (
        ("triage", TimelineKind.TRIAGE, 30),
        ("gather", TimelineKind.EVIDENCE, 400),
        ("gather", TimelineKind.SIGNAL, 0),
    )
    store.append(
        incident.id,
        [
            TimelineDraft(kind=kind, text=f"{node} done", node=node, took=timedelta(milliseconds=took))
            for node, kind, took in steps
        ],
        None,
    )
    store.request_approval(request_for(incident))
    return store.set_status(incident.id, IncidentStatus.AWAITING_APPROVAL, None)


def request_for(incident: Incident) -> ApprovalRequest:
    return told.REQUEST.model_copy(
        update={
            "incident": incident.id,
            "requested_at": told.utc_now(),
            "expires_at": told.utc_now() + timedelta(minutes=15),
        }
    )
