"""Asks whydown: the alert as it was sent, with the live servers and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from agent.backends import live_backend, read_backends
from agent.incident import Diagnosis
from agent.parse_alert import parse_alert
from agent.runner import Runner
from agent.settings import Settings
from agent.store import Store
from evals.shop.saving import save
from tools.evidence import ChangeEvent, TimeWindow


@dataclass(frozen=True)
class Asked:
    """A diagnosis from live servers."""

    diagnosis: Diagnosis
    queries: dict[str, str]
    """Behind the ids of its evidence."""
    changes: tuple[ChangeEvent, ...]
    seconds: float
    parts: dict[str, float]


class NoDiagnosis(Exception):
    """The investigation ended without one."""


def settings_of(store: str, tables: dict[str, Any]) -> Settings:
    """The configuration of an installation that sees the shop."""
    return Settings(store=store, **tables)


def ask(settings: Settings, alert: dict[str, Any], window: TimeWindow) -> Asked:
    """Investigate as `whydown investigate alert.json` does, with this window in place of two hours before the alert.

    Before it the shop was being started, which no shop is in the hours before an incident. Raises NoDiagnosis and what
    the agent raises.
    """
    started = perf_counter()
    with Store.open(settings.store) as store:
        runner = Runner(store, settings)
        incident = runner.open(parse_alert(alert))
        backend = replace(live_backend(read_backends(settings), store), window=window)
        outcome = runner.run(incident.id, backend)
        seconds = perf_counter() - started
        if outcome.diagnosis is None:
            raise NoDiagnosis(f"the investigation of {incident.id} {outcome.status} without a diagnosis")
        queries = {each.id: str(each.query) for each in store.evidence_list(incident.id)}
        changes = tuple(backend.changes.changes(window)) if backend.changes is not None else ()
    return Asked(outcome.diagnosis, queries, changes, seconds, outcome.timings)


def record(settings: Settings, alert: dict[str, Any], window: TimeWindow, folder: Path) -> tuple[ChangeEvent, ...]:
    """Save the window as a recording; the changes that it holds. Raises ToolError."""
    with Store.open(settings.store) as store:
        backend = live_backend(read_backends(settings), store)
        save(backend, window, alert, folder)
        return tuple(backend.changes.changes(window)) if backend.changes is not None else ()
