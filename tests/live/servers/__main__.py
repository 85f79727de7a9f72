"""`python -m tests.live.servers fetch [NAME ...] [--skip NAME]`: bring the servers onto this machine, once."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping

from tests.live.servers.alertmanager import fetch_alertmanager
from tests.live.servers.cache import cache
from tests.live.servers.elasticsearch import V9, fetch_elasticsearch
from tests.live.servers.go_module import build
from tests.live.servers.kubernetes import fetch_kubernetes
from tests.live.servers.opensearch import fetch_opensearch
from tests.live.servers.postgres import fetch_postgres
from tests.live.servers.process import NotFetched
from tests.live.servers.prometheus import fetch_prometheus
from tests.live.servers.unleash import fetch_unleash

# In the order of their cost: packages, archives, then the builds that take minutes.
FETCH: Mapping[str, Callable[[], None]] = {
    "prometheus": fetch_prometheus,
    "alertmanager": fetch_alertmanager,
    "postgres": fetch_postgres,
    "elasticsearch": fetch_elasticsearch,
    "elasticsearch9": lambda: fetch_elasticsearch(V9),
    "opensearch": fetch_opensearch,
    "jaeger": lambda: build("jaeger"),
    "tempo": lambda: build("tempo"),
    "loki": lambda: build("loki"),
    "unleash": fetch_unleash,
    "kubernetes": fetch_kubernetes,
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.live.servers")
    command = parser.add_subparsers(dest="command", required=True).add_parser("fetch", help="download or build, once")
    command.add_argument("names", nargs="*", metavar="NAME", help=f"all by default: {', '.join(FETCH)}")
    command.add_argument("--skip", action="append", default=[], metavar="NAME")
    asked = parser.parse_args(arguments)
    unknown = [name for name in (*asked.names, *asked.skip) if name not in FETCH]
    if unknown:
        parser.error(f"no server is called {unknown[0]}; there are {', '.join(FETCH)}")
    names = [name for name in FETCH if name in (asked.names or FETCH) and name not in asked.skip]
    say(f"fetching into {cache()}")
    return 0 if all([fetch(name) for name in names]) else 1


def fetch(name: str) -> bool:
    say(f"{name:14} ... ", end="")
    started = time.monotonic()
    try:
        FETCH[name]()
    except NotFetched as reason:
        say(f"cannot be had: {reason}")
        return False
    say(f"ready ({time.monotonic() - started:.0f} s)")
    return True


def say(line: str, end: str = "\n") -> None:
    sys.stdout.write(line + end)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
