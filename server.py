"""The HTTP service: puts the routers of `web/` together; `uvicorn --factory server:create_app` starts it.

It has no login yet, so it answers only under the names of this machine's loopback address; a page of another site that
points its own name at 127.0.0.1 (DNS rebinding) is refused.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from agent.errors import CallerError, ConflictError, OperatorError, WhydownError
from agent.intake.intake import Intake
from agent.settings import Settings, read_settings
from agent.store import Store
from agent.worker import Worker, working
from web.backends import backend_of
from web.routes import changes, incidents, operations, webhooks
from web.version import version

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
STATUS_OF = {CallerError: 404, ConflictError: 409}
"""Every other error of ours is the installation's: 503, because the same request works once the operator has acted."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application; without `settings` it reads the environment. The store is opened when it starts."""
    chosen = settings or read_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        with Store.open(chosen.store) as store:
            worker = Worker(store, chosen, lambda incident: backend_of(store, incident, chosen), chosen.workers)
            app.state.store = store
            app.state.intake = Intake(store, chosen.investigations_per_hour)
            app.state.worker = worker
            with working(worker):
                yield

    app = FastAPI(title="whydown", version=version(), lifespan=lifespan)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK))
    app.add_exception_handler(WhydownError, _told)
    app.include_router(operations.router)
    app.include_router(incidents.router)
    app.include_router(changes.router)
    app.include_router(webhooks.router)
    return app


def listen(host: str, port: int) -> socket.socket:
    """Take the address; raises CallerError for one that other machines could reach, OperatorError for one in use."""
    if not _is_loopback(host):
        raise CallerError(f"--host {host}: without a login, whydown answers only on {', '.join(LOOPBACK)}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), port), family=family)
    except OSError as error:
        raise OperatorError(f"--port {port}: {error.strerror or error}") from error


def run(listening: socket.socket) -> None:
    """Serve until interrupted."""
    import uvicorn  # its event loops and protocols take longer to import than the rest of this module

    uvicorn.Server(uvicorn.Config(create_app(), log_level="warning")).run(sockets=[listening])


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


async def _told(request: Request, error: Exception) -> JSONResponse:
    """Answer an error of ours in one line."""
    status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), 503)
    return JSONResponse({"detail": str(error)}, status_code=status)
