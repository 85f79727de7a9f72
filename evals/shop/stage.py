"""The whole shop, from the database to the pager, and what can be done to it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import psycopg
import requests

from evals.shop.alarms import Bell
from evals.shop.certificates import make_certificates
from evals.shop.child import Child, python
from evals.shop.flags import FlagServer
from evals.shop.load import Visitors
from evals.shop.plan import Action, Expiry, Fault, Hog, NewRule, Release, Stop, Surge, Switch
from evals.shop.repository import SHIPPED, SOURCES, Repository
from evals.shop.running import Place, Running, answers
from evals.shop.servers import add_rule, start_servers, watch
from evals.shop.shipping import Shipper
from fixtures.servers.process import free_port

SERVICES = tuple(name for name in SHIPPED if name != "shop")
PEERS: Mapping[str, tuple[str, ...]] = {
    "storefront": ("catalogue", "stock", "checkout"),
    "checkout": ("stock", "payment"),
    "payment": ("bank",),
}
MEMORY_MB = 512
TRACED_SHARE = 0.2
READY_WITHIN_SECONDS = 30.0
LAST_PROCESSOR = max(os.sched_getaffinity(0))
SMALL_SHARE = 10
"""Niceness of a service that may use one processor only: it gets little of a busy one, like a container of few shares."""
HOG = "while True: pass"


class Stage:
    """One run of the shop; use it as a context manager. Raises NotFetched, NotStarted, NotServing."""

    def __init__(self, fault: Fault, seed: int = 1) -> None:
        self._fault = fault
        self._seed = seed
        self._ends = ExitStack()
        self.folder = Path(self._ends.enter_context(tempfile.TemporaryDirectory(prefix="whydown-shop-")))
        self._logs = self.folder / "logs"
        self._logs.mkdir()
        self._ports = {name: free_port() for name in (*SERVICES, "bank", "way", "database", "reports", "bell")}
        self._running: dict[str, Running] = {}
        self._others: dict[str, Child] = {}
        self._releases = 0

    def __enter__(self) -> Self:
        try:
            self._set_up()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def _set_up(self) -> None:
        self.bell = Bell(self._ports["bell"])
        self._ends.callback(self.bell.close)
        self.servers = start_servers(self._ends, self.bell.url)
        self._fill_database()
        self._flags = FlagServer(self.servers.unleash)
        self._flags_token = self._flags.make()
        self._repository = Repository(self.folder / "repository")
        self._start_others()
        self._start_services()
        targets = {name: self._ports[name] for name in (*SERVICES, "database")}
        self.prometheus = self._ends.enter_context(watch(targets, self.servers.alertmanager.url, self._fault.rules))
        self.visitors = Visitors(self._running["storefront"].url, self._seed)

    def open(self) -> datetime:
        """Let the visitors in; the moment (UTC) from which the steps of a fault are counted."""
        self.visitors.start()
        self._ends.callback(self.visitors.close)
        return self.opened_at

    def do(self, action: Action) -> None:
        """Do one thing to the shop, at once. Raises NotServing, requests.RequestException, CalledProcessError."""
        match action:
            case Release():
                self._deploy(action)
            case Switch(flag=flag):
                self._flags.turn_on(flag)
            case Stop(process="database"):
                self.servers.database.stop()
            case Stop(process=name):
                self._others[name].kill()
            case Surge(times=times, buyers=buyers):
                self.visitors.times, self.visitors.buyers = times, buyers
            case Hog(programs=number):
                for place in range(number):
                    self._run(f"hog-{place}", [sys.executable, "-c", HOG], frozenset({LAST_PROCESSOR}))
            case NewRule(rule=rule):
                add_rule(self.prometheus, rule)
            case Expiry():
                time.sleep(max(0.0, (self._expires_at() - datetime.now(UTC)).total_seconds()))

    @property
    def store(self) -> str:
        """URL of the store to which changes are reported."""
        return f"sqlite:///{self.folder}/whydown.db"

    def tables(self) -> dict[str, Any]:
        """The tables of a `whydown.toml` that tells where all of this can be seen."""
        unleash = {"kind": "unleash", "url": self.servers.unleash.url, "bearer_token": self.servers.unleash.admin_token}
        payment = {"service": "payment", "address": f"127.0.0.1:{self._ports['payment']}"}
        return {
            "metrics": {"kind": "prometheus", "url": self.prometheus.url},
            "logs": {"kind": "elasticsearch", "url": self.servers.elasticsearch.url},
            "traces": {"kind": "jaeger", "url": self.servers.jaeger.url},
            "changes": (unleash, {"kind": "certificates", "served": [payment]}),
        }

    def restarts(self) -> dict[str, int]:
        """How often each service had to be started again."""
        return {name: each.restarts for name, each in self._running.items() if each.restarts}

    def _fill_database(self) -> None:
        with psycopg.connect(self.servers.database.url, autocommit=True) as connection:
            connection.execute((SOURCES / "shop" / "schema.sql").read_bytes())

    def _start_others(self) -> None:
        ports = self._ports
        self._run("bank", python("evals.shop.outside.bank", ports["bank"]))
        self._run("way", python("evals.shop.outside.distance", ports["way"], self.servers.database.port))
        self._run(
            "database", python("evals.shop.outside.database_metrics", ports["database"], self.servers.database.url)
        )
        (self.folder / "whydown.toml").write_text(f'store = "{self.store}"\n', encoding="utf-8")
        self._run("reports", python("whydown", "serve", "--port", ports["reports"]))
        self._await(f"http://127.0.0.1:{ports['reports']}/openapi.json")

    def _run(self, name: str, command: list[str], processors: frozenset[int] | None = None) -> None:
        child = Child(command, self.folder / f"{name}.out", self.folder, processors)
        self._others[name] = child
        self._ends.callback(child.end)

    def _start_services(self) -> None:
        """Payment last: from its certificate on, the time of this run is counted."""
        first = self._export()
        for name in ("catalogue", "stock", "payment", "checkout", "dispatch", "storefront"):
            if name == "payment":
                self.opened_at = datetime.now(UTC)
                self._certificates = make_certificates(self.folder, self.opened_at, self._ending())
            running = Running(self._place(name))
            self._ends.callback(running.end)
            running.deploy(first)
            self._running[name] = running
        self._shipper = Shipper(self._logs, self.servers.elasticsearch.url)
        self._shipper.start()
        self._ends.callback(self._shipper.close)

    def _ending(self) -> datetime | None:
        return self._expires_at() if isinstance(self._fault.guilty, Expiry) else None

    def _expires_at(self) -> datetime:
        return self.opened_at.replace(microsecond=0) + timedelta(seconds=self._fault.begins)

    def _place(self, name: str) -> Place:
        secured = name == "payment"
        authority, certificate, key = getattr(self, "_certificates", (Path(), Path(), Path()))
        ports = self._ports
        runtime = {
            "service": name,
            "instance": f"{name}-1",
            "port": ports[name],
            "peers": {
                peer: f"{'https' if peer == 'payment' else 'http'}://127.0.0.1:{ports[peer]}"
                for peer in PEERS.get(name, ())
            },
            "database": f"postgresql://postgres@127.0.0.1:{ports['way']}/postgres",
            "otlp": self.servers.jaeger.otlp_url,
            "log": str(self._logs / f"{name}.log"),
            "memory_limit_mb": self._fault.memory_mb.get(name, MEMORY_MB),
            "traced_share": TRACED_SHARE,
            "flags": self.servers.unleash.url,
            "flags_token": self._flags_token,
            "certificate": str(certificate) if secured else "",
            "key": str(key) if secured else "",
            "authority": str(authority) if name == "checkout" else "",
        }
        if self._fault.pinned != name:
            return Place(name, self.folder, runtime)
        return Place(name, self.folder, runtime, frozenset({LAST_PROCESSOR}), SMALL_SHARE)

    def _deploy(self, release: Release) -> None:
        commit = self._repository.commit(release)
        running = self._running[release.service]
        version = release.id.rpartition("-")[2] if release.kind.value == "deploy" else None
        at = running.deploy(self._export(), version)
        self._report(self._repository.change(release, commit, at).model_dump(mode="json"))

    def _export(self) -> Path:
        self._releases += 1
        place = self.folder / "releases" / str(self._releases)
        self._repository.export(place)
        return place

    def _report(self, change: Mapping[str, object]) -> None:
        content = json.dumps(change)
        url = f"http://127.0.0.1:{self._ports['reports']}/changes"
        answer = requests.post(url, data=content, headers={"content-type": "application/json"}, timeout=10)
        answer.raise_for_status()

    def _await(self, url: str) -> None:
        ends = time.monotonic() + READY_WITHIN_SECONDS
        while not answers(url) and time.monotonic() < ends:
            time.sleep(0.2)
