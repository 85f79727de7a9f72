"""Grafana Tempo in one process, built from its module, with blocks in a temporary folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.live.servers.go_module import go_program
from tests.live.servers.process import Server, answers, free_port, launch, new_folder

# Recorded incidents are years old. With its defaults Tempo would file their spans under today, ask the
# ingesters only for the last half hour, and drop blocks after two weeks.
EVER = "175200h"  # twenty years; a hundred would reach before 1970, and Tempo counts in unsigned seconds


@dataclass
class Tempo(Server):
    """`url` is the query frontend (/api/search, /api/traces/ID); OTLP over HTTP goes to `otlp_url` + /v1/traces."""

    otlp_url: str = ""


def start_tempo() -> Tempo:
    """An empty Tempo; spans can be found a second or two after they were sent. Raises NotFetched, NotStarted."""
    binary, folder = go_program("tempo", "tempo"), new_folder("tempo")
    port, otlp = free_port(), free_port()
    (folder / "tempo.yaml").write_text(json.dumps(_configuration(folder, port, otlp)), encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    return launch(
        Tempo,
        "tempo",
        [binary, f"-config.file={folder / 'tempo.yaml'}", "-mem-ballast-size-mbs=0"],
        url=url,
        folder=folder,
        ready=answers(f"{url}/ready"),
        otlp_url=f"http://127.0.0.1:{otlp}",
    )


def _configuration(folder: Path, port: int, otlp: int) -> dict[str, object]:
    grpc = free_port()
    loopback = {"instance_addr": "127.0.0.1", "kvstore": {"store": "inmemory"}}
    # The ring is asked again every few seconds only; a short hand-over lets `/ready` come soon.
    lifecycler = {"address": "127.0.0.1", "ring": {"kvstore": {"store": "inmemory"}}, "min_ready_duration": "0s"}
    return {
        "server": {
            "http_listen_address": "127.0.0.1",
            "http_listen_port": port,
            "grpc_listen_address": "127.0.0.1",
            "grpc_listen_port": grpc,
            "log_level": "warn",
        },
        "usage_report": {"reporting_enabled": False},
        "memberlist": {"bind_addr": ["127.0.0.1"], "bind_port": free_port()},
        "querier": {"frontend_worker": {"frontend_address": f"127.0.0.1:{grpc}"}},
        "query_frontend": {
            "search": {"query_backend_after": "0s", "query_ingesters_until": EVER, "max_duration": "0s"}
        },
        "distributor": {
            "ring": loopback,
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{otlp}"}}}},
        },
        "ingester": {"lifecycler": lifecycler, "trace_idle_period": "1s", "flush_check_period": "1s"},
        "compactor": {"compaction": {"block_retention": EVER}},
        "storage": {
            "trace": {
                "backend": "local",
                "local": {"path": str(folder / "blocks")},
                "wal": {"path": str(folder / "wal"), "ingestion_time_range_slack": EVER},
            }
        },
        "overrides": {
            "defaults": {
                "ingestion": {"rate_limit_bytes": 10**9, "burst_size_bytes": 10**9, "max_traces_per_user": 0},
                "global": {"max_bytes_per_trace": 0},
            }
        },
    }
