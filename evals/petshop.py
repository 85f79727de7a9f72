"""Reads PetShop (data CC-BY-4.0): 5-minute aggregates of 41 components, their call graph, and injected issues.

Layout, for each traffic: `graph.csv`, `noissue/metrics.csv`, `{train,test}/issue_<n>/{metrics.csv,target.json}`.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
from pydantic import BaseModel, Field, ValidationError

from agent.errors import CallerError
from evals.case_folders import case_folders
from evals.cases import Case, CaseError, NamedBy, Suite, Truth
from evals.service_alerts import name_of_recording, neutral_alert
from evals.wide_frames import REDATED, Series, Wide, long_frame, read_wide, window_of
from tools.evidence import Edge, JsonObject, Source
from tools.recorded import Recording
from tools.words import clean_name

STEP = timedelta(minutes=5)
"""Every sample is an aggregate of five minutes."""
HEADER_ROWS = 3
"""Microservice, metric, statistic."""
ISSUE_ROWS = 5
"""Rows of an issue; quiet stretches get as many."""
ROWS_BEFORE_ALERT = 2
QUIET_ALERT_LEAD = timedelta(seconds=60)
"""Alerts of issues came seconds to minutes before the row that shows them; one of a quiet stretch comes so long before."""
QUIET_HISTORY_ROWS = 288
"""A day: what a quiet stretch has behind it at least."""
QUIET_EVERY_ROWS = 10
"""Distance of two quiet stretches: two days give about thirty, and no row is the incident of two of them."""
QUIET_METRICS = ("latency", "availability")

_PLAIN = {("requests", "sum"): "", ("availability", "average"): "%"}
"""Metrics that are known by their name alone, with their unit; others carry their statistic."""
_NOT_RECORDED = frozenset({Source.LOGS, Source.TRACES, Source.CHANGES, Source.STATUS, Source.RUNBOOKS})


class _Target(BaseModel):
    node: str = Field(min_length=1)
    metric: str = Field(min_length=1)
    agg: str = "Average"
    timestamp: float = Field(gt=0)


class _RootCause(BaseModel):
    node: str = Field(min_length=1)


class _Issue(BaseModel):
    """`target.json`: what was alerted on, and the answer."""

    target: _Target
    root_cause: _RootCause


def find(data: Path) -> tuple[str, ...]:
    """Ids such as `low_traffic/test/issue_0`, in order, of all issues at or below `data`. Raises CallerError."""
    return tuple(_issues(data))


def find_quiet(data: Path) -> tuple[str, ...]:
    """Ids such as `quiet/low_traffic/07`: stretches of the recording without issues, each with a day behind it."""
    found: list[str] = []
    for traffic in _traffics(data):
        try:
            rows = len(_normal(traffic).times)
        except CaseError as error:
            raise CallerError(f"--data {data}: {error}") from error
        starts = range(QUIET_HISTORY_ROWS, rows - ISSUE_ROWS + 1, QUIET_EVERY_ROWS)
        found += [f"quiet/{traffic.name}/{number:02d}" for number in range(len(starts))]
    return tuple(found)


def load(data: Path, name: str) -> Case:
    """Read one issue or quiet stretch; raises CaseError."""
    quiet = name.startswith("quiet/")
    wanted = name.removeprefix("quiet/")
    traffic = next((each for each in _traffics(data) if each.name == wanted.partition("/")[0]), None)
    if traffic is None:
        raise CaseError(f"{name}: there is no such traffic in {data}")
    return _quiet(traffic, name) if quiet else _issue(traffic, name)


def _issues(data: Path) -> dict[str, Path]:
    return case_folders(data, "issue_*/metrics.csv", _id_of, "{train,test}/issue_*/metrics.csv")


def _id_of(metrics: Path) -> str | None:
    part, traffic = metrics.parents[1:3]
    return f"{traffic.name}/{part.name}/{metrics.parent.name}" if part.name in ("train", "test") else None


def _traffics(data: Path) -> list[Path]:
    """Folders that hold issues, by name; their names differ, because ids do."""
    return sorted({path.parents[2] for path in _issues(data).values()})


def _issue(traffic: Path, name: str) -> Case:
    folder = traffic.parent / name
    told = _told(folder / "target.json", name)
    incident = read_wide(folder / "metrics.csv", f"{name}/metrics.csv", HEADER_ROWS)
    normal = _normal(traffic)
    moved = normal.ending(int(incident.times[0]) - STEP // timedelta(microseconds=1))
    target = told.target
    metric = _series((target.node, target.metric, target.agg)).metric
    alert = neutral_alert(clean_name(target.node), metric, datetime.fromtimestamp(target.timestamp, UTC))
    cause = clean_name(told.root_cause.node)
    truth = Truth(cause=cause, service=cause, group=target.metric)
    return _case(traffic, name, alert, (moved, incident), truth, (REDATED,))


def _quiet(traffic: Path, name: str) -> Case:
    normal = _normal(traffic)
    digits = name.rpartition("/")[2]
    start = QUIET_HISTORY_ROWS + QUIET_EVERY_ROWS * int(digits) if digits.isdecimal() else len(normal.times)
    if start + ISSUE_ROWS > len(normal.times):
        raise CaseError(f"{name}: there is no such stretch")
    metric = QUIET_METRICS[int(digits) % len(QUIET_METRICS)]
    entry = _entry(traffic)
    fired_at = normal.moment(start + ROWS_BEFORE_ALERT) - QUIET_ALERT_LEAD
    alert = neutral_alert(entry, _series((entry, metric, "Average")).metric, fired_at)
    return _case(traffic, name, alert, (normal.rows(0, start + ISSUE_ROWS),), Truth(cause=None, group="quiet"))


def _case(
    traffic: Path, name: str, alert: JsonObject, tables: tuple[Wide, ...], truth: Truth, repaired: tuple[str, ...] = ()
) -> Case:
    metrics = long_frame([(table, [_series(header) for header in table.headers]) for table in tables])
    if metrics.empty:
        raise CaseError(f"{name}/metrics.csv: holds no sample")
    edges = _edges(traffic)
    notes = [(Source.METRICS, note) for note in (*repaired, *(note for table in tables for note in table.notes))]
    recording = Recording(
        name=name_of_recording(alert),
        alert=alert,
        window=window_of([metrics["timestamp"]]),
        metrics=metrics,
        edges=edges or (),
        notes=tuple(notes),
        missing=_NOT_RECORDED if edges is not None else _NOT_RECORDED | {Source.TOPOLOGY},
    )
    return Case(id=name, recording=recording, truth=truth, named_by=NamedBy.SERVICE)


def _normal(traffic: Path) -> Wide:
    return read_wide(traffic / "noissue" / "metrics.csv", f"{traffic.name}/noissue/metrics.csv", HEADER_ROWS)


def _series(header: tuple[str, ...]) -> Series:
    service, metric, statistic = header
    plain = _PLAIN.get((metric, statistic.lower()))
    if plain is not None:
        return Series(service, metric, plain)
    # Checked against the front's own figures: a latency of 0.09 is 90 ms.
    return Series(service, f"{metric}_{statistic.lower()}", "s" if metric == "latency" else "")


def _told(path: Path, name: str) -> _Issue:
    try:
        return _Issue.model_validate(orjson.loads(path.read_bytes()))
    except OSError as error:
        raise CaseError(f"{name}/target.json: cannot be read ({error.strerror})") from error
    except orjson.JSONDecodeError as error:
        raise CaseError(f"{name}/target.json: is not JSON ({error.msg})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise CaseError(f"{name}/target.json: {where or 'the document'}: {first['msg']}") from error


def _entry(traffic: Path) -> str:
    """The node that an issue of this traffic was alerted on: quiet alerts come from where real ones do."""
    for path in sorted(traffic.glob("*/issue_*/target.json")):
        return clean_name(_told(path, path.parent.relative_to(traffic.parent).as_posix()).target.node)
    raise CaseError(f"{traffic.name}: no issue has a target.json that names the alerted node")


def _edges(traffic: Path) -> tuple[Edge, ...] | None:
    """Calls of `graph.csv`, whose rows call its columns; None when there is no such file."""
    file = f"{traffic.name}/graph.csv"
    try:
        with (traffic / "graph.csv").open(encoding="utf-8-sig", newline="") as lines:
            rows = [row for row in csv.reader(lines) if row]
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CaseError(f"{file}: cannot be read ({error})") from error
    names = [clean_name(cell) for cell in rows[0]] if rows else []
    edges: list[Edge] = []
    for number, row in enumerate(rows[1:], start=2):
        try:
            called = np.array(row[1:], dtype=np.float64)
        except ValueError as error:
            raise CaseError(f"{file}: line {number}: {error}") from error
        if len(row) != len(names):
            raise CaseError(f"{file}: line {number} has {len(row)} fields, the header has {len(names)}")
        caller = clean_name(row[0])
        callees = [names[place + 1] for place in np.flatnonzero(called)]
        edges += [Edge(caller=caller, callee=callee) for callee in callees if callee != caller]
    return tuple(edges)


SUITE = Suite(name="petshop", named_by=NamedBy.SERVICE, find=find, load=load, find_quiet=find_quiet, step=STEP)
