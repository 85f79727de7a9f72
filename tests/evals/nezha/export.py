"""A small export in Nezha's layout: two services, three faults, a minute without a fault."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

DATE = "2031-05-01"
GATE, TILL = "gate-59d5f8b7c-aaaaa", "card-till-6b9f7d8c5-bbbbb"
PODS = (GATE, TILL)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
FAULTS = (
    (datetime(2031, 5, 1, 10, 9, 50, tzinfo=UTC), TILL, "cpu_contention"),
    (datetime(2031, 5, 1, 10, 20, 20, tzinfo=UTC), TILL, "return"),
    (datetime(2031, 5, 1, 10, 30, 5, tzinfo=UTC), GATE, "network_delay"),
)
QUIET_MINUTE = datetime(2031, 5, 1, 10, 15, tzinfo=UTC)
LABELS = {
    "card-till": {"cpu_contention": "CpuUsageRate(%)", "return": "t.Till#31_Charge done"},
    "gate": {"network_delay": "NetworkP90(ms)"},
}
SPAN_FIELDS = "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration".split(",")
LOG_FIELDS = "Timestamp,TimeUnixNano,Node,PodName,Container,TraceID,SpanID,Log".split(",")

Row = Sequence[object]


def nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp()) * 10**9


def wrapped(text: str, at: datetime) -> str:
    """A line as the container's runtime writes it."""
    return json.dumps({"log": f"{text}\n", "stream": "stdout", "time": at.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")})


def request(at: datetime) -> tuple[list[Row], list[Row]]:
    """Spans and lines of one request: the gate calls the till, which logs a line."""
    trace, root, call = f"t{at:%H%M%S}", f"a{at:%H%M%S}", f"b{at:%H%M%S}"
    start = nanoseconds(at)
    spans: list[Row] = [
        (trace, call, root, TILL, "POST /charge", start + 10_000_000, start + 40_000_000, 30_000),
        (trace, root, "root", GATE, "/*", start, start + 50_000_000, 50_000),
    ]
    text = (
        f"{at + timedelta(hours=8):%H:%M:%S}.010 INFO  t.Till#31 TraceID: {trace} SpanID: {call} [charge][Charge done]"
    )
    lines: list[Row] = [("", start + 10_000_000, "10.0.0.1", TILL, "server", trace, call, wrapped(text, at))]
    return spans, lines


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as into:
        csv.writer(into).writerows([header, *rows])
    return path


def write_minute(folder: Path, name: datetime, reach: timedelta = timedelta(seconds=70)) -> None:
    """The minute files of a name: a request every five seconds up to ten seconds past the minute."""
    end = name + 10 * SECOND
    requests = [request(end - back * SECOND) for back in range(0, int(reach.total_seconds()), 5)]
    write_csv(
        folder / "trace" / f"{name:%H_%M}_trace.csv", SPAN_FIELDS, [row for spans, _ in requests for row in spans]
    )
    write_csv(folder / "log" / f"{name:%H_%M}_log.csv", LOG_FIELDS, [row for _, lines in requests for row in lines])


def write_metrics(folder: Path, first: datetime, samples: int) -> None:
    """A sample a minute of every pod, of the front and of the calls; the till's epoch seconds are years ahead."""
    moments = [first + place * MINUTE for place in range(samples)]
    printed = [f"{moment:%Y-%m-%d %H:%M:%S}.250000000 +0000 UTC m=+0.113112869" for moment in moments]
    columns = ["Time", "TimeStamp", "PodName", "CpuUsageRate(%)", "PodServerLatencyP90(s)", "PodSuccessRate(%)"]
    for pod in PODS:
        rows = [
            (time, 1_930_000_000, pod, 5 + place, "NaN" if place % 2 else place / 8, 0)
            for place, time in enumerate(printed)
        ]
        write_csv(folder / f"{pod}_metric.csv", columns, rows)
    front = [(time, 0, "Frontend", 100, 0.1 + place) for place, time in enumerate(printed)]
    write_csv(
        folder / "front_service.csv", ["Time", "TimeStamp", "ServiceName", "SuccessRate(%)", "LatencyP90(s)"], front
    )
    calls = [(time, 0, 0.01 * (place + 1)) for place, time in enumerate(printed)]
    write_csv(folder / "source_50.csv", ["time", "timestamp", "gate_card-till"], calls)
    write_csv(folder / "destination_50.csv", ["time", "timestamp", "gate_card-till"], calls)
    write_csv(folder / "dependency.csv", ["Source", "Target", "Weight"], [("gate", "card-till", 1)])


def write_export(data: Path, date: str = DATE) -> Path:
    """The whole export of one day, which `data` becomes the folder of."""
    day = data / "rca_data" / date
    write_metrics(day / "metric", FAULTS[0][0] - 70 * MINUTE, 100)
    for at, _, _ in FAULTS:
        for later in range(3):
            write_minute(day, at.replace(second=0) + later * MINUTE)
    write_minute(data / "construct_data" / date, QUIET_MINUTE)
    listed: dict[str, list[dict[str, str]]] = {}
    for at, pod, kind in FAULTS:
        # The epoch seconds are wrong by eight hours in places, and nobody may use them.
        entry = {
            "inject_time": f"{at:%Y-%m-%d %H:%M:%S}",
            "inject_timestamp": "1",
            "inject_pod": pod,
            "inject_type": kind,
        }
        listed.setdefault(f"{at:%H}", []).append(entry)
    (day / f"{date}-fault_list.json").write_text(json.dumps(listed), encoding="utf-8")
    (data / "construct_data" / "root_cause_x.json").write_text(json.dumps(LABELS), encoding="utf-8")
    return data
