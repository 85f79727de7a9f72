"""Is the service alive, and can it reach what it needs?"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request

from agent.store import Store
from tools.evidence import Frozen
from web.version import version

router = APIRouter()


class Health(Frozen):
    """The answer of a service that can read its store."""

    status: Literal["ok"] = "ok"
    version: str


def store_of(request: Request) -> Store:
    """Return the store that the application opened when it started."""
    return request.app.state.store


OpenStore = Annotated[Store, Depends(store_of)]


@router.get("/healthz")
def healthz(store: OpenStore) -> Health:
    """Answer 200 when the store can be read, 503 when not."""
    store.incidents(limit=1)
    return Health(version=version())
