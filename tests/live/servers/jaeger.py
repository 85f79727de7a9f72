"""Jaeger all-in-one, built from its released module, storing in memory and without the page."""

from __future__ import annotations

from dataclasses import dataclass

from tests.live.servers.go_module import go_program
from tests.live.servers.process import Server, answers, free_port, launch, new_folder


@dataclass
class Jaeger(Server):
    """`url` is the query service (/api/traces, /api/v3/...); OTLP over HTTP goes to `otlp_url` + /v1/traces."""

    otlp_url: str = ""


def start_jaeger(*, max_traces: int = 200_000) -> Jaeger:
    """An empty Jaeger that keeps `max_traces` in memory. Raises NotFetched, NotStarted."""
    binary, folder = go_program("jaeger", "all-in-one"), new_folder("jaeger")
    query, otlp, admin = free_port(), free_port(), free_port()
    flags = {
        "query.http-server.host-port": query,
        "query.grpc-server.host-port": free_port(),
        "collector.otlp.http.host-port": otlp,
        "collector.otlp.grpc.host-port": free_port(),
        "collector.http-server.host-port": free_port(),
        "collector.grpc-server.host-port": free_port(),
        "admin.http.host-port": admin,
    }
    command = [binary, *(f"--{flag}=127.0.0.1:{port}" for flag, port in flags.items())]
    command += [f"--memory.max-traces={max_traces}", "--log-level=warn"]
    url = f"http://127.0.0.1:{query}"
    return launch(
        Jaeger,
        "jaeger",
        command,
        url=url,
        folder=folder,
        ready=answers(f"{url}/api/services"),
        # Where the data goes; the other kinds are chosen the same way.
        env={"SPAN_STORAGE_TYPE": "memory"},
        otlp_url=f"http://127.0.0.1:{otlp}",
    )
