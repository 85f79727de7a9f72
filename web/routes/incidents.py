"""Incidents, read only: what is known, what was done, what the answer is and what it rests on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from agent.errors import CallerError
from agent.incident import Diagnosis, Incident, IncidentStatus, TimelineEntry
from web.investigated import Answered, read_diagnosis
from web.routes.operations import OpenStore

router = APIRouter(prefix="/incidents")


@router.get("")
def incidents(
    store: OpenStore,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    status: Annotated[list[IncidentStatus] | None, Query()] = None,
) -> list[Incident]:
    """Incidents, newest first; with `status`, only those."""
    return store.incidents(limit=limit, statuses=status)


@router.get("/{incident_id}")
def incident(store: OpenStore, incident_id: str) -> Incident:
    """The incident as it stands."""
    return store.incident(incident_id)


@router.get("/{incident_id}/timeline")
def timeline(store: OpenStore, incident_id: str, after_seq: Annotated[int, Query(ge=0)] = 0) -> list[TimelineEntry]:
    """The timeline in order; with `after_seq`, only what came later."""
    return store.timeline(incident_id, after_seq)


@router.get("/{incident_id}/diagnosis")
def diagnosis(store: OpenStore, incident_id: str) -> Diagnosis:
    """The answer; 404 as long as there is none."""
    found = read_diagnosis(store, incident_id)
    if found is None:
        raise CallerError(f"incident {incident_id!r} has no diagnosis yet")
    return found


@router.get("/{incident_id}/evidence/{evidence_id}")
def evidence(store: OpenStore, incident_id: str, evidence_id: str) -> Answered:
    """One piece of evidence with its stored result."""
    found, result = store.evidence(incident_id, evidence_id)
    return Answered(evidence=found, result=result)
