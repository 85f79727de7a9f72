"""Reads the Sock Shop recordings of RCD: one sample a second, a normal and an anomalous stretch per case, nothing else.

Layout: `<service>-<cpu|mem>/<n>/{normal,anomalous}.csv` with the columns `time` and `<service>_<metric>`.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from evals.case_folders import case_folders
from evals.cases import Case, CaseError, NamedBy, Suite, Truth
from evals.service_alerts import name_of_recording, neutral_alert
from evals.service_columns import entry_of, latency_of, service_series
from evals.wide_frames import REDATED, Wide, long_frame, read_wide, window_of
from tools.evidence import Source
from tools.recorded import Recording

STEP = timedelta(seconds=1)
"""One row."""
NORMAL, ANOMALOUS = "normal.csv", "anomalous.csv"

_KINDS = {"cpu": "cpu", "mem": "memory"}
"""What was exhausted, which is also the metric's name in the columns, and the kind of fault it is."""
_UNITS = {"cpu": "%", "mem": "bytes", "lat": "s"}
_NOT_RECORDED = frozenset(Source) - {Source.ALERT, Source.METRICS}


def find(data: Path) -> tuple[str, ...]:
    """Ids such as `carts-cpu/1`, in order, of all cases at or below `data`."""
    return tuple(_folders(data))


def find_quiet(data: Path) -> tuple[str, ...]:
    """Ids such as `quiet/carts-cpu/1`: the normal stretch of each case, its second half in the incident's place."""
    return tuple(f"quiet/{name}" for name in _folders(data))


def load(data: Path, name: str) -> Case:
    """Read one case, or the quiet half of one; raises CaseError."""
    wanted = name.removeprefix("quiet/")
    folder = _folders(data).get(wanted)
    if folder is None:
        raise CaseError(f"{name}: there is no such case in {data}")
    normal = read_wide(folder / NORMAL, f"{wanted}/{NORMAL}")
    if name != wanted:
        half = len(normal.times) // 2
        return _case(name, (normal.rows(0, half), normal.rows(half)), Truth(cause=None, group="quiet"))
    anomalous = read_wide(folder / ANOMALOUS, f"{wanted}/{ANOMALOUS}")
    moved = normal.ending(int(anomalous.times[0]) - anomalous.step // timedelta(microseconds=1))
    service, _, metric = folder.parent.name.rpartition("-")
    truth = Truth(cause=service, service=service, kinds=(_KINDS[metric],), metric=metric, group=metric)
    return _case(name, (moved, anomalous), truth, (REDATED,))


def _folders(data: Path) -> dict[str, Path]:
    """Folders of the cases by id. Raises CallerError."""
    found = case_folders(data, ANOMALOUS, _id_of, f"<service>-<cpu|mem>/<n>/{ANOMALOUS}")
    return {name: path.parent for name, path in found.items()}


def _id_of(path: Path) -> str | None:
    number, fault = path.parent.name, path.parent.parent.name
    service, _, metric = fault.rpartition("-")
    return f"{fault}/{number}" if service and metric in _KINDS and number.isdecimal() else None


def _case(name: str, tables: tuple[Wide, Wide], truth: Truth, repaired: tuple[str, ...] = ()) -> Case:
    """The case of a normal stretch and of one whose first row fired the alert."""
    if not all(len(table.times) for table in tables):
        raise CaseError(f"{name}: {NORMAL} has too few rows")
    columns, odd = zip(*(service_series(table, _UNITS) for table in tables), strict=True)
    known = [series for series in columns[1] if series is not None]
    if not known:
        raise CaseError(f"{tables[1].file}: no column is named <service>_<metric>")
    metrics = long_frame(list(zip(tables, columns, strict=True)))
    if metrics.empty:
        raise CaseError(f"{tables[1].file}: holds no sample")
    front = entry_of(series.service for series in known)
    alert = neutral_alert(front, latency_of(front, known), tables[1].moment(0))
    notes = [*repaired, *(note for table in tables for note in table.notes), *(note for each in odd for note in each)]
    recording = Recording(
        name=name_of_recording(alert),
        alert=alert,
        window=window_of([metrics["timestamp"]]),
        metrics=metrics,
        notes=tuple((Source.METRICS, note) for note in dict.fromkeys(notes)),
        missing=_NOT_RECORDED,
    )
    return Case(id=name, recording=recording, truth=truth, named_by=NamedBy.SERVICE)


SUITE = Suite(name="sockshop", named_by=NamedBy.SERVICE, find=find, load=load, find_quiet=find_quiet, step=STEP)
