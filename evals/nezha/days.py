"""What lies in the folder of one day of a Nezha export: faults, minute files and labels.

Layout: `rca_data/<date>/{metric,log,trace}`, `rca_data/<date>/<date>-fault_list.json`, `construct_data/<date>` with a
minute without a fault, and `construct_data/root_cause_*.json` with the labels. A minute file is called
`HH_MM_log.csv` or `HH_MM_trace.csv`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from evals.cache import cached
from evals.cases import CaseError, Truth
from evals.nezha import metrics, minutes
from evals.nezha.rows import service_of
from tools.words import clean_name

MINUTE_FILES = timedelta(minutes=3)
"""A fault's minute files bear the names of this many minutes, from that of its injection on."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MINUTE = re.compile(r"(?P<hour>\d\d)_(?P<minute>\d\d)_(?:log|trace)\.csv", re.ASCII)
_KINDS = {
    "cpu": "cpu",
    "mem": "memory",
    "disk": "disk",
    "loss": "network_loss",
    "delay": "network_delay",
    "latency": "network_delay",
    "socket": "socket",
    "exception": "code_exception",
    "return": "wrong_return",
}
"""Kind of fault by a word in the name of its type; the first one that fits."""
_IN_CODE = ("code_exception", "wrong_return")


class _Injected(BaseModel):
    """One entry of the fault list. Its `inject_timestamp` is hours early in places and is not read."""

    inject_time: datetime
    inject_pod: str = Field(min_length=1)
    inject_type: str = Field(min_length=1)


_FAULTS = TypeAdapter(dict[str, list[_Injected]])
_LABELS = TypeAdapter(dict[str, dict[str, str]])


@dataclass(frozen=True)
class Fault:
    """What was injected, and when."""

    at: datetime
    """Aware UTC."""
    service: str
    type: str


@dataclass(frozen=True)
class Minutes:
    """Minute files that belong together."""

    name: datetime
    """The minute that the first of them is named after, aware UTC."""
    traces: tuple[Path, ...]
    logs: tuple[Path, ...]

    def read(self) -> dict[str, pd.DataFrame]:
        """As `minutes.read_minutes` gives them, from the cache where it can be. Raises OSError."""
        every = [*self.traces, *self.logs]
        version = f"{minutes.VERSION}/{len(self.traces)}"
        return cached(every, version, lambda: minutes.read_minutes(self.traces, self.logs))


@dataclass(frozen=True)
class Day:
    """One day of an export that lies in the folder `data`."""

    data: Path
    date: date

    def faults(self) -> tuple[Fault, ...]:
        """In order of time. Raises CaseError when the list cannot be used."""
        path = self._recorded / f"{self.date}-fault_list.json"
        try:
            listed = _FAULTS.validate_json(path.read_bytes())
        except OSError as error:
            raise CaseError(f"{path.name}: cannot be read ({error.strerror})") from error
        except ValidationError as error:
            first = error.errors()[0]
            raise CaseError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        found = [
            Fault(_utc(each.inject_time), clean_name(service_of(each.inject_pod)), each.inject_type)
            for hour in listed.values()
            for each in hour
        ]
        return tuple(sorted(found, key=lambda fault: fault.at))

    def minutes_of(self, fault: Fault) -> Minutes:
        """The minute files that were exported for a fault; any of them may be missing."""
        first = fault.at.replace(second=0, microsecond=0)
        traces, logs = (
            tuple(path for name, path in self._files(self._recorded / kind) if first <= name < first + MINUTE_FILES)
            for kind in ("trace", "log")
        )
        return Minutes(first, traces, logs)

    def quiet_minute(self) -> Minutes | None:
        """The minute without a fault; None where neither its spans nor its lines are there."""
        found = {kind: self._files(self.data / "construct_data" / str(self.date) / kind) for kind in ("trace", "log")}
        names = [name for files in found.values() for name, _ in files]
        if not names:
            return None
        traces, logs = (tuple(path for _, path in found[kind]) for kind in ("trace", "log"))
        return Minutes(min(names), traces, logs)

    def metrics(self) -> dict[str, pd.DataFrame]:
        """As `metrics.read_metrics` gives them, from the cache where it can be. Raises OSError."""
        files = sorted((self._recorded / "metric").glob("*.csv"))
        # A pod's name is in the name of its file.
        version = "/".join([metrics.VERSION, *(path.name for path in files)])
        return cached(files, version, lambda: metrics.read_metrics(files))

    def truth(self, fault: Fault) -> Truth:
        """The label of a fault. Raises CaseError when the files with the labels cannot be used."""
        kind = next((kind for word, kind in _KINDS.items() if word in fault.type.lower()), None)
        label = self._label(fault)
        # A label writes "X start" where an operation X begins; other sides are pieces of what log statements say.
        sides = tuple(side.removesuffix(" start") for side in label.split("_") if side.strip())
        return Truth(
            cause=fault.service,
            service=fault.service,
            kinds=(kind,) if kind else None,
            metric=metrics.name_and_unit(label)[0] if kind == "cpu" and label else None,
            region=sides if kind in _IN_CODE and len(sides) == 2 else None,
            group=fault.type,
        )

    @property
    def _recorded(self) -> Path:
        return self.data / "rca_data" / str(self.date)

    def _files(self, folder: Path) -> list[tuple[datetime, Path]]:
        """Minute files by the minute they are named after, in order."""
        if not folder.is_dir():
            return []
        named = [(_MINUTE.fullmatch(path.name), path) for path in sorted(folder.iterdir())]
        return [
            (datetime.combine(self.date, time(int(name["hour"]), int(name["minute"])), tzinfo=UTC), path)
            for name, path in named
            if name
        ]

    def _label(self, fault: Fault) -> str:
        """What the benchmark calls the place of the fault, "" where it says nothing."""
        for path in sorted((self.data / "construct_data").glob("root_cause_*.json")):
            try:
                labels = _LABELS.validate_json(path.read_bytes())
            except (OSError, ValidationError) as error:
                raise CaseError(f"{path.name}: holds no labels by service and type") from error
            if fault.type in labels.get(fault.service, {}):
                return labels[fault.service][fault.type]
        return ""


def find_days(data: Path) -> tuple[Day, ...]:
    """The days of an export, in order."""
    folder = data / "rca_data"
    found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return tuple(day for name in found if (day := day_named(data, name)) is not None)


def day_named(data: Path, name: str) -> Day | None:
    """The day that `name` (2024-05-01) says, None when there is no such folder."""
    if not _DATE.fullmatch(name) or not (data / "rca_data" / name).is_dir():
        return None
    try:
        return Day(data, date.fromisoformat(name))
    except ValueError:
        return None


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
