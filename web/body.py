"""Reads the body of a request, no further than it may be long."""

from __future__ import annotations

import orjson
from fastapi import HTTPException, Request
from pydantic import JsonValue


async def json_body(request: Request, most: int, what: str, advice: str = "") -> JsonValue:
    """The body as JSON; raises HTTPException 415, 413 or 422 with one line.

    A page of another site can send a form or plain text unasked, but not JSON.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise HTTPException(415, f"Content-Type is {kind!r}; application/json is needed")
    body = await raw_body(request, most, what, advice)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HTTPException(422, f"{what}: the body is no JSON at character {error.pos}: {error.msg}") from error


async def raw_body(request: Request, most: int, what: str, advice: str = "") -> bytes:
    """The body as it was sent (signatures are made of it); raises HTTPException 413 for one that is too long."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise HTTPException(413, f"{what} has more than {most // 2**20} MB{advice}")
    return body
