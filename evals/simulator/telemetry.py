"""What a simulation leaves behind: metric samples, log lines and spans, the way a monitoring system would keep them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evals.simulator.clock import Clock
    from evals.simulator.system import Service, World

LINES_PER_MINUTE = 24
"""Log lines kept per service and severity: log shippers sample, and a recording should stay readable."""


@dataclass(frozen=True)
class LogRecord:
    at: float
    service: str
    instance: str
    severity: str
    body: str
    trace_id: str
    span_id: str


@dataclass(frozen=True)
class SpanRecord:
    trace_id: str
    span_id: str
    parent_span_id: str
    service: str
    name: str
    kind: str
    start: float
    """Simulated seconds."""
    duration_ms: float
    status: str
    attributes: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Sample:
    at: float
    service: str
    metric: str
    value: float
    unit: str


class Telemetry:
    """Collects; times are simulated seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.logs: list[LogRecord] = []
        self.spans: list[SpanRecord] = []
        self.samples: list[Sample] = []
        self._recent: dict[tuple[str, str], deque[float]] = {}

    def log(self, service: str, instance: str, severity: str, body: str, trace_id: str = "", span_id: str = "") -> None:
        """Keep a line of a request, unless the service has logged its share of this severity within the last minute."""
        now = self._clock.now
        recent = self._recent.setdefault((service, severity), deque(maxlen=LINES_PER_MINUTE))
        if len(recent) == LINES_PER_MINUTE and now - recent[0] < 60:
            return
        recent.append(now)
        self.logs.append(LogRecord(now, service, instance, severity, body, trace_id, span_id))

    def note(self, service: str, instance: str, severity: str, body: str) -> None:
        """Keep a line that is no request's (a start, a job, the autoscaler); these are few and never sampled away."""
        self.logs.append(LogRecord(self._clock.now, service, instance, severity, body, "", ""))


def scrape(world: World, interval_s: float) -> None:
    """Take one sample of every gauge of every service and start counting anew."""
    for service in world.services.values():
        values = [*_visits(service, interval_s), *_resources(world, service, interval_s), *_pools(service, interval_s)]
        values += [(metric, value, unit) for metric, (value, unit) in service.gauges.items()]
        world.telemetry.samples += [
            Sample(world.clock.now, service.name, metric, value, unit) for metric, value, unit in values
        ]


def _visits(service: Service, interval_s: float) -> list[tuple[str, float, str]]:
    visits, service.finished = service.finished, []
    durations = sorted(took for took, _ in visits)
    prefix = "query" if service.sizing.database else "http_request"
    values = [(f"{prefix}_rate", len(visits) / interval_s, "1/s")]
    if durations:
        values.append((f"{prefix}_duration_p50_ms", durations[len(durations) // 2], "ms"))
        values.append((f"{prefix}_duration_p95_ms", durations[int(len(durations) * 0.95)], "ms"))
        failed = sum(not went_well for _, went_well in visits)
        values.append((f"{prefix}_error_ratio", failed / len(visits), "1"))
    return values


def _resources(world: World, service: Service, interval_s: float) -> list[tuple[str, float, str]]:
    cpu = service.cores.busy_seconds() / (interval_s * service.cores.size)
    entries = sum(len(entries) for entries in service.caches.values())
    memory = service.sizing.memory_mb + service.memory_extra_mb + 0.02 * entries + 0.8 * service.workers.in_use
    # Idle housekeeping and measurement noise: no process sits at exactly its working set.
    measured = memory * (1 + world.rng.gauss(0, 0.006))
    return [
        ("cpu_utilization_pct", min(100.0, 100 * cpu + abs(world.rng.gauss(1.5, 0.5))), "%"),
        ("memory_working_set_mb", measured, "MB"),
        ("replicas", float(service.replicas), "1"),
    ]


def _pools(service: Service, interval_s: float) -> list[tuple[str, float, str]]:
    """Averages over the interval of what is in use; what waits is counted at its end."""
    busy = "connections_active" if service.sizing.database else "workers_busy"
    values = [(busy, service.workers.busy_seconds() / interval_s, "1")]
    if not service.sizing.database:
        values.append(("request_queue_length", float(service.workers.waiting), "1"))
    for name, pool in service.pools.items():
        values.append((f"{name}_pool_in_use", pool.busy_seconds() / interval_s, "1"))
        values.append((f"{name}_pool_waiting", float(pool.waiting), "1"))
    for name, (hits, lookups) in service.hits.items():
        if lookups:
            values.append((f"{name}_cache_hit_ratio", hits / lookups, "1"))
        service.hits[name] = [0, 0]
    return values
