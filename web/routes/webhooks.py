"""Where monitors report. 202 is answered only when what they said is on disk; the same delivery twice is one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import JsonValue

from agent.errors import CallerError
from agent.intake.intake import Intake
from agent.intake.monitors import MONITORS, understand
from agent.intake.notice import Receipt
from web.body import json_body

MAX_BODY = 8 * 2**20
"""Bytes of one delivery: thousands of alerts with long annotations."""

router = APIRouter(prefix="/webhooks")


def intake_of(request: Request) -> Intake:
    """Return the intake that the application opened when it started."""
    return request.app.state.intake


OpenIntake = Annotated[Intake, Depends(intake_of)]


async def _sent(request: Request) -> JsonValue:
    return await json_body(request, MAX_BODY, "an alert")


@router.post("/{source}", status_code=202)
def hear(
    source: str, intake: OpenIntake, request: Request, sent: Annotated[JsonValue, Depends(_sent)]
) -> list[Receipt]:
    """Take in what a monitor says. Answers what became of each alert in it."""
    if source not in MONITORS:
        raise CallerError(f"there is no monitor {source!r}; known: {', '.join(sorted(MONITORS))}")
    try:
        notices = understand(source, sent)
    except CallerError as error:
        raise HTTPException(422, f"{source}: {error}") from error
    receipts = intake.receive(notices)
    request.app.state.worker.wake()
    return receipts
