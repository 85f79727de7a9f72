"""OpenSearch: the archive its makers publish for integration tests, with all modules (no security plugin)."""

from __future__ import annotations

from tests.live.servers.cache import fetched
from tests.live.servers.java import copy_linked, fetch_distribution, jdk, reachable
from tests.live.servers.process import ORDINARY_USER, Server, answers, free_port, give, launch, new_folder

VERSION = "3.6.0"
HEAP = "-Xms512m -Xmx512m"
JAVA = (21, 25)


class OpenSearch(Server):
    """Its REST API stands under `url`, without security."""


def fetch_opensearch() -> None:
    fetch_distribution(f"org.opensearch.distribution.integ-test-zip:opensearch:{VERSION}:zip", f"opensearch-{VERSION}")


def start_opensearch() -> OpenSearch:
    """A single empty node with a heap of 512 MB; about ten seconds. Raises NotFetched, NotStarted."""
    home, java = fetched(f"opensearch-{VERSION}", server="opensearch"), jdk(*JAVA)
    folder, port = new_folder("opensearch"), free_port()
    copy_linked(home, folder / "home")
    java = reachable(java, folder)
    (folder / "tmp").mkdir()
    give(folder, ORDINARY_USER)
    settings = {
        "http.port": port,
        "transport.port": free_port(),
        "network.host": "127.0.0.1",
        "discovery.type": "single-node",
        "path.data": folder / "data",
        "path.logs": folder / "logs",
        # A development machine's disk is often nearly full, and then no shard would be placed.
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }
    url = f"http://127.0.0.1:{port}"
    return launch(
        OpenSearch,
        "opensearch",
        [folder / "home" / "bin" / "opensearch", *(f"-E{key}={value}" for key, value in settings.items())],
        url=url,
        folder=folder,
        ready=answers(f"{url}/_cluster/health"),
        user=ORDINARY_USER,
        env={
            "OPENSEARCH_JAVA_HOME": str(java),
            "OPENSEARCH_JAVA_OPTS": HEAP,
            "OPENSEARCH_TMPDIR": str(folder / "tmp"),
            "HOME": str(folder),
        },
    )
