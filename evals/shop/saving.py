"""Saves what live servers hold of a window as a recording."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tools.backend import Backend
from tools.evidence import ChangeEvent, TimeWindow


def save(backend: Backend, window: TimeWindow, alert: Mapping[str, Any], folder: Path) -> None:
    """Write the recording's folder anew. Raises ToolError when a server cannot be asked."""
    folder.mkdir(parents=True, exist_ok=True)
    _json(folder / "alert.json", alert)
    if backend.metrics is not None:
        _pack(folder / "metrics.csv.gz", _samples(backend.metrics.metric_range(window)))
    if backend.logs is not None:
        _pack(folder / "logs.ndjson.gz", _lines(backend.logs.log_lines(window), "timestamp"))
    if backend.traces is not None:
        _pack(folder / "traces.ndjson.gz", _lines(backend.traces.spans(window), "start"))
    if backend.changes is not None:
        changes = backend.changes.changes(window)
        _json(folder / "changes.json", [_told(change) for change in changes])


def _told(change: ChangeEvent) -> dict[str, Any]:
    return change.model_dump(mode="json", exclude_defaults=True)


def _samples(frame: pd.DataFrame) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    columns = ["timestamp", "service", "instance", "metric", "value", "unit"]
    rows.writerow(columns)
    for at, service, instance, metric, value, unit in frame[columns].itertuples(index=False):
        rows.writerow((_moment(at), service, instance, metric, f"{value:.6g}", unit))
    return text.getvalue()


def _lines(frame: pd.DataFrame, time: str) -> str:
    lines: list[str] = []
    for row in frame.to_dict("records"):
        attributes: dict[str, str] = row.pop("attributes")
        told = {**row, time: _moment(row[time])}
        kept = {str(name): value for name, value in told.items() if value != ""}
        lines.append(json.dumps({**attributes, **kept}, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _pack(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def _json(path: Path, value: Mapping[str, Any] | Iterable[Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
