"""Write what a simulation left behind as a recording folder. Same scenario, same bytes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from evals.simulator.scenario import Scenario
from evals.simulator.simulate import WARM_UP_S, Simulated


def write_recording(scenario: Scenario, simulated: Simulated, folder: Path) -> None:
    """Write the folder anew, without what the scenario withholds, as in an installation that does not collect it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    withheld = scenario.withheld
    _json(folder / "alert.json", _alert(scenario, simulated))
    _gzip(folder / "metrics.csv.gz", _metrics(scenario, simulated))
    if "logs" not in withheld:
        _gzip(folder / "logs.ndjson.gz", _logs(scenario, simulated))
    if "traces" not in withheld:
        _gzip(folder / "traces.ndjson.gz", _traces(scenario, simulated))
    changes = sorted(
        (c.event(scenario.started_at, scenario.name) for c in scenario.changes), key=lambda c: (c.at, c.id)
    )
    last = _moment(scenario, simulated.telemetry.samples[-1].at)
    hidden = {"diff": True} if "diffs" in withheld else None
    _json(
        folder / "changes.json",
        [c.model_dump(mode="json", exclude_defaults=True, exclude=hidden) for c in changes if c.at < last],
    )
    if "topology" not in withheld:
        _json(folder / "topology.json", {"edges": [edge.model_dump(mode="json") for edge in scenario.edges]})
    if scenario.status_feed is not None:
        _json(folder / "status_feed.json", scenario.status_feed)
    for name, body in sorted(scenario.runbooks.items()):
        path = folder / "runbooks" / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(body, encoding="utf-8")


def _moment(scenario: Scenario, simulated_s: float) -> datetime:
    return scenario.started_at + timedelta(seconds=simulated_s - WARM_UP_S)


def _stamp(scenario: Scenario, simulated_s: float) -> str:
    moment = _moment(scenario, simulated_s)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _alert(scenario: Scenario, simulated: Simulated) -> dict[str, object]:
    monitor = scenario.monitor
    return {
        "service": monitor.service,
        "metric": monitor.metric,
        "threshold": monitor.threshold,
        "observed": round(simulated.observed, 4),
        "fired_at": _stamp(scenario, simulated.fired_at + WARM_UP_S),
        "severity": monitor.severity,
        "monitor": monitor.name,
        "summary": monitor.summary,
    }


def _metrics(scenario: Scenario, simulated: Simulated) -> str:
    hidden = {name.removeprefix("metrics:") for name in scenario.withheld if name.startswith("metrics:")}
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("timestamp", "service", "instance", "metric", "value", "unit"))
    for sample in simulated.telemetry.samples:
        if sample.service not in hidden:
            moment = _moment(scenario, sample.at)
            value = f"{sample.value:.5g}"
            rows.writerow((f"{moment:%Y-%m-%dT%H:%M:%SZ}", sample.service, "", sample.metric, value, sample.unit))
    return text.getvalue()


def _logs(scenario: Scenario, simulated: Simulated) -> str:
    return _lines(
        {
            "timestamp": _stamp(scenario, line.at),
            "service": line.service,
            "instance": line.instance,
            "severity": line.severity,
            "body": line.body,
            **({"trace_id": line.trace_id, "span_id": line.span_id} if line.trace_id else {}),
        }
        for line in simulated.telemetry.logs
    )


def _traces(scenario: Scenario, simulated: Simulated) -> str:
    spans = sorted(simulated.telemetry.spans, key=lambda s: (s.start, s.trace_id, s.span_id))
    whole = {span.trace_id for span in spans if not span.parent_span_id and span.start >= WARM_UP_S}
    return _lines(
        {
            "trace_id": span.trace_id,
            "span_id": span.span_id,
            "parent_span_id": span.parent_span_id,
            "service": span.service,
            "name": span.name,
            "kind": span.kind,
            "start": _stamp(scenario, span.start),
            "duration_ms": round(span.duration_ms, 2),
            "status": span.status,
            **({"attributes": span.attributes} if span.attributes else {}),
        }
        for span in spans
        if span.trace_id in whole
    )


def _lines(rows: Iterable[dict[str, object]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _gzip(path: Path, text: str) -> None:
    # No time and no name in the header: the bytes depend on the content alone.
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as packed:
        packed.write(text.encode())
