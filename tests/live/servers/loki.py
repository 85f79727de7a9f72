"""Grafana Loki in one process, built from its released module, with chunks in a temporary folder."""

from __future__ import annotations

import json
from pathlib import Path

from tests.live.servers.go_module import go_program
from tests.live.servers.process import Server, answers, free_port, launch, new_folder

# Lines of an old incident are still in the ingester when a test asks; by default Loki looks there for two hours only.
EVER = "175200h"


class Loki(Server):
    """Push to `url` + /loki/api/v1/push, ask `url` + /loki/api/v1/query_range."""


def start_loki() -> Loki:
    """An empty Loki, without tenants, that takes lines of any age. Raises NotFetched, NotStarted."""
    binary, folder = go_program("loki", "loki"), new_folder("loki")
    port = free_port()
    (folder / "loki.yaml").write_text(json.dumps(_configuration(folder, port)), encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    command = [binary, f"-config.file={folder / 'loki.yaml'}", "-target=all"]
    return launch(Loki, "loki", command, url=url, folder=folder, ready=answers(f"{url}/ready"))


def _configuration(folder: Path, port: int) -> dict[str, object]:
    grpc = free_port()
    scheduler = f"127.0.0.1:{grpc}"
    return {
        "auth_enabled": False,
        "analytics": {"reporting_enabled": False},
        "server": {
            "http_listen_address": "127.0.0.1",
            "http_listen_port": port,
            "grpc_listen_address": "127.0.0.1",
            "grpc_listen_port": grpc,
            "log_level": "warn",
        },
        "common": {
            "instance_addr": "127.0.0.1",
            "path_prefix": str(folder),
            "replication_factor": 1,
            "ring": {"instance_addr": "127.0.0.1", "kvstore": {"store": "inmemory"}},
            "storage": {
                "filesystem": {"chunks_directory": str(folder / "chunks"), "rules_directory": str(folder / "rules")}
            },
        },
        "memberlist": {"bind_addr": ["127.0.0.1"], "bind_port": free_port()},
        # Said, not discovered: the discovery looks every ten seconds, and until then Loki is not ready.
        "frontend": {"scheduler_address": scheduler, "scheduler_dns_lookup_period": "1s"},
        "frontend_worker": {"scheduler_address": scheduler, "dns_lookup_duration": "1s"},
        "schema_config": {
            "configs": [
                {
                    "from": "2015-01-01",
                    "store": "tsdb",
                    "object_store": "filesystem",
                    "schema": "v13",
                    "index": {"prefix": "index_", "period": "24h"},
                }
            ]
        },
        "ingester": {"lifecycler": {"min_ready_duration": "0s"}, "query_store_max_look_back_period": EVER},
        "limits_config": {
            "reject_old_samples": False,
            "max_query_length": "0s",
            "ingestion_rate_mb": 1000,
            "ingestion_burst_size_mb": 1000,
            "per_stream_rate_limit": "1GB",
            "per_stream_rate_limit_burst": "1GB",
            "volume_enabled": True,
        },
    }
