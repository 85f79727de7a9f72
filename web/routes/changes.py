"""Changes that others report: what no backend knows of, a delivery pipeline or a person tells us here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import JsonValue, ValidationError

from agent.errors import CallerError
from agent.parse_change import parse_change
from tools.evidence import ChangeEvent, TimeWindow, UtcDatetime
from web.body import json_body
from web.routes.operations import OpenStore

MAX_BODY = 2 * 2**20
"""Bytes of one report; the longest diff that is kept fits twice."""

router = APIRouter(prefix="/changes")

REPORTED = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": ChangeEvent.model_json_schema()}}}
}


async def _sent(request: Request) -> JsonValue:
    return await json_body(request, MAX_BODY, "a change", "; leave its diff out")


@router.post("", status_code=202, openapi_extra=REPORTED)
def report(store: OpenStore, sent: Annotated[JsonValue, Depends(_sent)]) -> ChangeEvent:
    """Keep a change; the same again is the same change, another one under its id is a conflict (409)."""
    try:
        change = parse_change(sent)
    except CallerError as error:
        raise HTTPException(422, str(error)) from error
    store.report_change(change)
    return change


@router.get("")
def changes(
    store: OpenStore, since: UtcDatetime, until: UtcDatetime, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[ChangeEvent]:
    """The latest reported changes that took effect in [since, until), oldest first."""
    try:
        window = TimeWindow(since=since, until=until)
    except ValidationError as error:
        raise HTTPException(422, f"until={until.isoformat()} must be after since={since.isoformat()}") from error
    return store.changes(window, limit)
