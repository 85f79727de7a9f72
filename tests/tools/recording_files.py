"""Writes recordings into a folder, whole or in parts, well-formed or not. For every test that needs one."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ALERT: dict[str, Any] = {
    "service": "checkout",
    "metric": "http_error_ratio",
    "fired_at": "2026-03-02T10:40:00Z",
    "summary": "checkout answers with errors",
}


def at(minutes: float) -> str:
    """A moment as recordings write it, minutes after START."""
    return (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def series(
    service: str, metric: str, values: Sequence[float], instance: str = "", unit: str = ""
) -> list[dict[str, Any]]:
    """Rows of one series, one sample a minute from START."""
    return [
        {"timestamp": at(k), "service": service, "instance": instance, "metric": metric, "value": value, "unit": unit}
        for k, value in enumerate(values)
    ]


def log(minutes: float, service: str, body: str, severity: str = "INFO", **others: Any) -> dict[str, Any]:
    return {"timestamp": at(minutes), "service": service, "severity": severity, "body": body, **others}


def span(minutes: float, service: str, name: str, duration_ms: float, span_id: str, **others: Any) -> dict[str, Any]:
    """A span of trace t1 unless `others` says otherwise."""
    told = {"trace_id": "t1", "parent_span_id": "", "kind": "server", "status": "OK"} | others
    return {
        "span_id": span_id,
        "service": service,
        "name": name,
        "start": at(minutes),
        "duration_ms": duration_ms,
        **told,
    }


def change(minutes: float, id: str, service: str | None, kind: str = "deploy", **others: Any) -> dict[str, Any]:
    return {"id": id, "kind": kind, "at": at(minutes), "service": service, **others}


def write_recording(
    folder: Path,
    alert: object = ALERT,
    metrics: Iterable[Mapping[str, Any]] | None = None,
    logs: Iterable[Mapping[str, Any]] | None = None,
    spans: Iterable[Mapping[str, Any]] | None = None,
    changes: Sequence[Mapping[str, Any]] | None = None,
    edges: Sequence[tuple[str, str] | tuple[str, str, str]] | None = None,
    status_events: Sequence[Mapping[str, Any]] | None = None,
    runbooks: Mapping[str, str] | None = None,
    packed: bool = False,
) -> Path:
    """Write what is given, leave the rest out; `packed` gzips every file. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    put(folder, "alert.json", json.dumps(alert), packed)
    if metrics is not None:
        put(folder, "metrics.csv", _csv(list(metrics)), packed)
    for name, records in (("logs.ndjson", logs), ("traces.ndjson", spans)):
        if records is not None:
            put(folder, name, "".join(json.dumps(record) + "\n" for record in records), packed)
    if changes is not None:
        put(folder, "changes.json", json.dumps(list(changes)), packed)
    if edges is not None:
        fields = ("caller", "callee", "kind")
        put(
            folder,
            "topology.json",
            json.dumps({"edges": [dict(zip(fields, edge, strict=False)) for edge in edges]}),
            packed,
        )
    if status_events is not None:
        put(folder, "status_feed.json", json.dumps({"events": list(status_events)}), packed)
    for name, text in (runbooks or {}).items():
        put(folder, f"runbooks/{name}.md", text, packed)
    return folder


def put(folder: Path, name: str, content: str | bytes, packed: bool = False) -> Path:
    """Write one file of the recording as it is given, for content that no builder would write."""
    raw = content.encode() if isinstance(content, str) else content
    path = folder / (f"{name}.gz" if packed else name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(raw, mtime=0) if packed else raw)
    return path


def small_incident(folder: Path, packed: bool = False) -> Path:
    """A complete recording: change d2 lowers inventory's pool, checkout's errors rise, an alert fires."""
    pool = [8.0 + k % 3 for k in range(30)] + [20.0] * 30
    errors = [0.01 + 0.001 * (k % 2) for k in range(31)] + [0.4] * 29
    spans = [
        span(k, "checkout", "POST /checkout", 80.0 if k < 30 else 2050.0, f"c{k}", trace_id=f"t{k}") for k in range(60)
    ]
    spans += [
        span(k, "inventory", "reserve", 40.0 if k < 30 else 2000.0, f"i{k}", trace_id=f"t{k}", parent_span_id=f"c{k}")
        for k in range(60)
    ]
    logs = [log(k, "checkout", f"order {k} placed") for k in range(60)]
    logs += [log(k + 0.5, "inventory", f"connection pool exhausted after {k} ms", "ERROR") for k in range(30, 60)]
    return write_recording(
        folder,
        metrics=[*series("inventory", "db_pool_in_use", pool), *series("checkout", "http_error_ratio", errors)],
        logs=logs,
        spans=spans,
        changes=[
            change(5, "d1", "checkout", title="new button colour", version="v41"),
            change(29, "d2", "inventory", "config", title="tidy up settings", before="40", after="20"),
        ],
        edges=[("checkout", "inventory")],
        status_events=[],
        runbooks={"inventory-pool": "---\nservice: inventory\n---\n# When the pool is exhausted\nRaise the limit.\n"},
        packed=packed,
    )


def _csv(rows: list[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["timestamp", "service", "metric", "value"]
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
