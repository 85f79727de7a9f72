"""Reads RCAEval's suites RE1 (metrics), RE2 and RE3 (metrics, logs, traces).

Layout: `<suite>/<service>_<fault>/<n>/` with `inject_time.txt` (seconds since 1970), one file of metrics whose columns
are named `<service>_<metric>`, and in RE2 and RE3 `logs.csv` and `traces.csv`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from evals.case_folders import case_folders
from evals.cases import Case, CaseError, NamedBy, Suite, Truth
from evals.rcaeval_files import read_logs, read_spans
from evals.service_alerts import name_of_recording, neutral_alert
from evals.service_columns import entry_of, latency_of, service_series
from evals.wide_frames import Series, Wide, long_frame, read_wide, window_of
from evals.wide_json import read_wide_json
from tools.evidence import Source, TimeWindow
from tools.moments import read_moment
from tools.recorded import Recording

METRIC_FILES = ("data.csv", "simple_metrics.csv", "metrics.csv", "metrics.json")
"""The first that is there is read; the simple one holds what the longer one holds of services."""
INJECT_TIME = "inject_time.txt"

_KINDS = {
    "cpu": "cpu",
    "mem": "memory",
    "disk": "disk",
    "delay": "network_delay",
    "loss": "network_loss",
    "socket": "socket",
}
"""The kind of fault that was injected. Faults in code (f1, f2, ...) are not told apart."""
_UNITS = {"mem": "bytes", "latency": "s"}
_NOT_RECORDED = frozenset({Source.CHANGES, Source.STATUS, Source.TOPOLOGY, Source.RUNBOOKS})


@dataclass(frozen=True, eq=False)
class _Telemetry:
    """What was recorded of one case; None is what the suite does not have."""

    metrics: pd.DataFrame
    logs: pd.DataFrame | None
    spans: pd.DataFrame | None
    columns: tuple[Series, ...]
    notes: tuple[tuple[Source, str], ...]

    @property
    def window(self) -> TimeWindow:
        timed = ((self.metrics, "timestamp"), (self.logs, "timestamp"), (self.spans, "start"))
        return window_of([frame[time] for frame, time in timed if frame is not None])

    def before(self, moment: datetime) -> _Telemetry:
        """The telemetry up to, without, a moment."""
        logs = None if self.logs is None else _before(self.logs, "timestamp", moment)
        spans = None if self.spans is None else _before(self.spans, "start", moment)
        return _Telemetry(_before(self.metrics, "timestamp", moment), logs, spans, self.columns, self.notes)

    @property
    def entry(self) -> str:
        """Where users come in: the service of most root spans, else the one that is named like it."""
        services = list(dict.fromkeys(series.service for series in self.columns))
        if self.spans is not None:
            roots = self.spans["service"][self.spans["parent_span_id"] == ""]
            ranked = [str(name) for name in roots.value_counts().index if name in services]
            if ranked:
                return ranked[0]
        return entry_of(services)


def find(data: Path) -> tuple[str, ...]:
    """Ids such as `RE1-OB/adservice_cpu/1`, in order, of all cases below `data`. Raises CallerError."""
    return tuple(_folders(data))


def find_quiet(data: Path) -> tuple[str, ...]:
    """Ids such as `quiet/RE1-OB/adservice_cpu/1`: what was recorded of each case before its fault."""
    return tuple(f"quiet/{name}" for name in _folders(data))


def load(data: Path, name: str) -> Case:
    """Read one case, or what lies before its fault; raises CaseError."""
    wanted = name.removeprefix("quiet/")
    folder = _folders(data).get(wanted)
    if folder is None:
        raise CaseError(f"{name}: there is no such case in {data}")
    injected = _injected(folder, wanted)
    telemetry = _telemetry(folder, wanted)
    if not telemetry.window.contains(injected):
        raise CaseError(
            f"{wanted}/{INJECT_TIME}: {injected.isoformat()} lies outside the telemetry, {telemetry.window}"
        )
    if name == wanted:
        return _case(name, telemetry, injected, _truth(folder.parent.name))
    quiet = telemetry.before(injected)
    if len(quiet.metrics) == 0:
        raise CaseError(f"{name}: no metric was recorded before the fault")
    middle = quiet.window.since + timedelta(seconds=quiet.window.length.total_seconds() // 2)
    return _case(name, quiet, middle, Truth(cause=None, group="quiet"))


def _folders(data: Path) -> dict[str, Path]:
    return case_folders(data, "*_*/[0-9]*", _id_of, f"<suite>/<service>_<fault>/<n>/{INJECT_TIME}")


def _id_of(path: Path) -> str | None:
    recorded = path.name.isdecimal() and any((path / name).is_file() for name in (INJECT_TIME, *METRIC_FILES))
    return f"{path.parents[1].name}/{path.parent.name}/{path.name}" if recorded else None


def _truth(folder: str) -> Truth:
    service, _, fault = folder.rpartition("_")
    kinds = (_KINDS[fault],) if fault in _KINDS else None
    return Truth(cause=service, service=service, kinds=kinds, group=fault)


def _injected(folder: Path, name: str) -> datetime:
    try:
        text = (folder / INJECT_TIME).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{name}/{INJECT_TIME}: cannot be read ({error})") from error
    moment = read_moment(text)
    if moment is None:
        raise CaseError(f"{name}/{INJECT_TIME}: {text[:40]!r} is no time; seconds since 1970 are needed")
    return moment


def _telemetry(folder: Path, name: str) -> _Telemetry:
    wide = _wide(folder, name)
    columns, strange = service_series(wide, _UNITS)
    metrics = long_frame([(wide, columns)])
    if metrics.empty:
        raise CaseError(f"{wide.file}: holds no sample of a column named <service>_<metric>")
    notes: list[tuple[Source, str]] = [(Source.METRICS, note) for note in (*wide.notes, *strange)]
    logs = spans = None
    if (folder / "logs.csv").is_file():
        logs, odd = read_logs(folder / "logs.csv", f"{name}/logs.csv")
        notes += [(Source.LOGS, note) for note in odd]
    if (folder / "traces.csv").is_file():
        spans, odd = read_spans(folder / "traces.csv", f"{name}/traces.csv")
        notes += [(Source.TRACES, note) for note in odd]
    known = tuple(series for series in columns if series is not None)
    return _Telemetry(metrics, logs, spans, known, tuple(notes))


def _wide(folder: Path, name: str) -> Wide:
    file = next((file for file in METRIC_FILES if (folder / file).is_file()), None)
    if file is None:
        raise CaseError(f"{name}: none of {', '.join(METRIC_FILES)} is there")
    read = read_wide_json if file.endswith(".json") else read_wide
    return read(folder / file, f"{name}/{file}")


def _case(name: str, telemetry: _Telemetry, fired_at: datetime, truth: Truth) -> Case:
    entry = telemetry.entry
    alert = neutral_alert(entry, latency_of(entry, telemetry.columns), fired_at)
    absent: Sequence[tuple[Source, object]] = ((Source.LOGS, telemetry.logs), (Source.TRACES, telemetry.spans))
    recording = Recording(
        name=name_of_recording(alert),
        alert=alert,
        window=telemetry.window,
        metrics=telemetry.metrics,
        logs=telemetry.logs,
        spans=telemetry.spans,
        notes=telemetry.notes,
        missing=_NOT_RECORDED | {source for source, frame in absent if frame is None},
    )
    return Case(id=name, recording=recording, truth=truth, named_by=NamedBy.SERVICE)


def _before(frame: pd.DataFrame, time: str, moment: datetime) -> pd.DataFrame:
    return frame[frame[time] < moment].reset_index(drop=True)


SUITE = Suite(name="rcaeval", named_by=NamedBy.SERVICE, find=find, load=load, find_quiet=find_quiet)
