"""The real servers around the shop, started anew for every fault, so that no fault sees what another left behind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import requests

from evals.shop.rules import EVERY_SECONDS, rule_file
from fixtures.servers.alertmanager import start_alertmanager
from fixtures.servers.elasticsearch import Elasticsearch, start_elasticsearch
from fixtures.servers.jaeger import Jaeger, start_jaeger
from fixtures.servers.postgres import Postgres, start_postgres
from fixtures.servers.process import Server
from fixtures.servers.prometheus import Prometheus, start_prometheus
from fixtures.servers.unleash import Unleash, start_unleash


@dataclass(frozen=True)
class Servers:
    """All but Prometheus, which has to know whom to ask."""

    database: Postgres
    elasticsearch: Elasticsearch
    jaeger: Jaeger
    unleash: Unleash
    alertmanager: Server


def start_servers(ends: ExitStack, webhook: str) -> Servers:
    """Start them side by side; `ends` stops them. Raises NotFetched, NotStarted."""
    with ThreadPoolExecutor(5) as pool:
        database = pool.submit(start_postgres)
        elasticsearch = pool.submit(start_elasticsearch)
        jaeger = pool.submit(start_jaeger)
        unleash = pool.submit(start_unleash)
        alertmanager = pool.submit(start_alertmanager, webhook=webhook)
    for future in (database, elasticsearch, jaeger, unleash, alertmanager):
        if future.exception() is None:
            ends.callback(future.result().stop)
    return Servers(database.result(), elasticsearch.result(), jaeger.result(), unleash.result(), alertmanager.result())


def watch(targets: Mapping[str, int], alertmanager: str, rules: Sequence[str]) -> Prometheus:
    """A Prometheus that scrapes each service at its port, with these rules."""
    known = [{"targets": [f"127.0.0.1:{port}"], "labels": {"service": name}} for name, port in targets.items()]
    plain = [each for each in known if each["labels"] != {"service": "payment"}]
    secured = [each for each in known if each not in plain]
    scrapes = [
        {"job_name": "shop", "static_configs": plain},
        # Prometheus asks for what payment tells of itself without judging its certificate.
        {
            "job_name": "shop-tls",
            "scheme": "https",
            "tls_config": {"insecure_skip_verify": True},
            "static_configs": secured,
        },
    ]
    return start_prometheus(
        scrape_configs=scrapes,
        rules=rule_file(rules),
        alertmanagers=[alertmanager],
        interval=f"{EVERY_SECONDS}s",
    )


def add_rule(server: Prometheus, rule: str) -> None:
    """Let this rule page from now on. Raises requests.RequestException."""
    (server.folder / "rules.yml").write_text(json.dumps(rule_file([rule])), encoding="utf-8")
    requests.post(f"{server.url}/-/reload", timeout=10).raise_for_status()
