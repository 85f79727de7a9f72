"""Small recordings of services by their metrics, for tests of suites that name a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from evals.cases import Case, CaseError, NamedBy, Suite, Truth
from tools.backend import METRIC_COLUMNS
from tools.evidence import Edge, Source, TimeWindow
from tools.recorded import Recording

FIRED = datetime(2026, 4, 1, 10, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FAULTS = {"a": "cart", "b": "cart", "c": "stock"}
"""Cases of the suite below and the service that is at fault in each."""


def series(
    values: Mapping[tuple[str, str], Sequence[float]], alert: Mapping[str, str] | None = None, instance: str = ""
) -> Recording:
    """A recording of one sample a minute by service and metric; the alert fires at the eleventh."""
    rows = [
        (FIRED + (place - 10) * MINUTE, service, instance, metric, float(value), "")
        for (service, metric), each in values.items()
        for place, value in enumerate(each)
    ]
    frame = pd.DataFrame(rows, columns=list(METRIC_COLUMNS)).sort_values("timestamp", kind="stable", ignore_index=True)
    frame["timestamp"] = frame["timestamp"].astype("datetime64[us, UTC]")
    return Recording(
        name="incident-0",
        alert={"service": "gate", "metric": "latency", "fired_at": FIRED.isoformat(), **(alert or {})},
        window=TimeWindow(since=FIRED - 10 * MINUTE, until=FIRED + 10 * MINUTE),
        metrics=frame,
        edges=(Edge(caller="gate", callee="cart"), Edge(caller="gate", callee="stock")),
        missing=frozenset({Source.LOGS, Source.TRACES, Source.CHANGES, Source.STATUS, Source.RUNBOOKS}),
    )


def risen(service: str) -> Recording:
    """Three services, one of which uses ten times as much of its processor from the alert on."""
    noise = np.random.default_rng(3).normal(0, 1, size=(3, 20))
    values = {
        (name, "cpu"): 10 + noise[place] + np.where(np.arange(20) >= 10, 90.0 if name == service else 0.0, 0.0)
        for place, name in enumerate(("gate", "cart", "stock"))
    }
    return series({key: list(each) for key, each in values.items()})


def find(data: Path) -> tuple[str, ...]:
    del data
    return tuple(FAULTS)


def find_quiet(data: Path) -> tuple[str, ...]:
    del data
    return ("quiet/1", "quiet/2")


def load(data: Path, name: str) -> Case:
    if (data / f"no-{name}").exists():
        raise CaseError(f"{name}: cannot be read")
    service = FAULTS.get(name)
    truth = Truth(cause=service, service=service, kinds=("cpu",), metric="cpu", group="cpu" if service else "quiet")
    return Case(id=name, recording=risen(service or ""), truth=truth, named_by=NamedBy.SERVICE)


SUITE = Suite("services", NamedBy.SERVICE, find, load, find_quiet, step=MINUTE)
