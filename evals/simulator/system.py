"""A small distributed system in simulated time: services with workers, cores and pools, and the requests they serve.

It is a queueing model (each service is a multi-server queue whose servers are held while a callee works), which is why
overload, leaks and slow callees spread through it the way they do in production.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from evals.simulator.clock import Clock, Pool, Process, Signal
from evals.simulator.telemetry import SpanRecord, Telemetry


class Failed(Exception):
    """A request could not be served; the message is what the service logs."""

    def __init__(self, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class Step(Protocol):
    """One thing an operation does. It takes simulated time by yielding, and raises `Failed`."""

    def run(self, visit: Visit) -> Process: ...


@dataclass(frozen=True)
class Operation:
    """What a service does when it is called by this name."""

    steps: tuple[Step, ...]
    access_line: str = ""
    """Template of the line a visit logs when it went well; `{ms}`, `{status}` and `{id}` (a number) are filled in."""
    log_share: float = 0.05
    attributes: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Sizing:
    """How much of everything a service has."""

    workers: int
    cores: int
    replicas: int = 2
    queue_limit: int = 400
    memory_mb: float = 420.0
    pools: dict[str, int] = field(default_factory=dict[str, int])
    database: bool = False


class Service:
    """One service and what it holds."""

    def __init__(self, world: World, name: str, sizing: Sizing, operations: dict[str, Operation]) -> None:
        self.name = name
        self.sizing = sizing
        self.operations = dict(operations)
        self.workers = Pool(world.clock, sizing.workers)
        self.cores = Pool(world.clock, sizing.cores)
        self.pools = {pool: Pool(world.clock, size) for pool, size in sizing.pools.items()}
        self.caches: dict[str, dict[int, float]] = {}
        """Per cache: key -> simulated second at which the entry expires."""
        self.connections: dict[str, list[float]] = {}
        """Per peer: the second at which each kept-alive connection has to be opened again."""
        self.gauges: dict[str, tuple[float, str]] = {}
        """Further gauges a scenario keeps: metric -> (value, unit)."""
        self.memory_extra_mb = 0.0
        self.replicas = sizing.replicas
        self.finished: list[tuple[float, bool]] = []
        """(milliseconds, went well) of the visits since the last scrape."""
        self.hits: dict[str, list[int]] = {}
        """Per cache: [hits, lookups] since the last scrape."""

    def instance(self, rng: random.Random) -> str:
        return f"{self.name}-{rng.randrange(self.replicas)}"


class Visit:
    """One operation being carried out by one service for one caller."""

    def __init__(self, world: World, service: Service, operation: str, parent: Visit | None) -> None:
        self.world = world
        self.service = service
        self.operation = operation
        self.trace_id = parent.trace_id if parent else world.new_trace_id()
        self.span_id = world.hex(16) if self.trace_id else ""
        self.parent_span_id = parent.span_id if parent else ""
        self.attributes: dict[str, str] = {}
        self.instance = service.instance(world.rng)
        self.arrived = world.clock.now

    def say(self, severity: str, body: str) -> None:
        self.world.telemetry.log(self.service.name, self.instance, severity, body, self.trace_id, self.span_id)

    def span(self, name: str, kind: str, start: float, failure: str, attributes: dict[str, str]) -> None:
        """Record a span of this visit; without a sampled trace nothing is kept."""
        if not self.trace_id:
            return
        own = name == self.operation and kind == "server"
        took = (self.world.clock.now - start) * 1000
        self.world.telemetry.spans.append(
            SpanRecord(
                trace_id=self.trace_id,
                span_id=self.span_id if own else self.world.hex(16),
                parent_span_id=self.parent_span_id if own else self.span_id,
                service=self.service.name,
                name=name,
                kind=kind,
                start=start,
                duration_ms=took,
                status="ERROR" if failure else "OK",
                attributes={**attributes, **({"error.message": failure} if failure else {})},
            )
        )


class World:
    """Everything that exists in one simulation."""

    def __init__(self, seed: int, traces_per_minute: float) -> None:
        self.rng = random.Random(seed)
        self.clock = Clock()
        self.telemetry = Telemetry(self.clock)
        self.services: dict[str, Service] = {}
        self.certificates: dict[str, float] = {}
        """Per service: the simulated second after which its certificate is no longer valid."""
        self.providers: dict[str, Provider] = {}
        self._traces_per_minute = traces_per_minute
        self._next_trace = 0.0

    def add(self, name: str, sizing: Sizing, operations: dict[str, Operation]) -> None:
        self.services[name] = Service(self, name, sizing, operations)

    def hex(self, digits: int) -> str:
        return f"{self.rng.getrandbits(4 * digits):0{digits}x}"

    def new_trace_id(self) -> str:
        """A trace id for a sampled request, "" for all others; as many a minute are sampled under any load."""
        if self.clock.now < self._next_trace:
            return ""
        self._next_trace = self.clock.now + self.rng.expovariate(self._traces_per_minute / 60)
        return self.hex(32)

    def jitter(self, ms: float, spread: float) -> float:
        """A log-normal duration in milliseconds with median `ms`; latencies have a long right tail."""
        return ms * math.exp(self.rng.gauss(0.0, spread))

    def request(self, service: str, operation: str, parent: Visit | None = None) -> Signal:
        """Send a request; the signal fires with None or the `Failed` it ended with."""
        reply = Signal()
        self.clock.start(self._serve(Visit(self, self.services[service], operation, parent), reply))
        return reply

    def _serve(self, visit: Visit, reply: Signal) -> Process:
        service = visit.service
        failure: Failed | None = None
        if service.workers.waiting >= service.sizing.queue_limit:
            failure = Failed("request queue is full, rejecting", 503)
        else:
            yield service.workers.ask()
            try:
                yield from run_steps(visit, service.operations[visit.operation].steps)
            except Failed as failed:
                failure = failed
            service.workers.give_back()
        self._finish(visit, failure)
        reply.fire(failure)

    def _finish(self, visit: Visit, failure: Failed | None) -> None:
        operation = visit.service.operations[visit.operation]
        took = (self.clock.now - visit.arrived) * 1000
        visit.service.finished.append((took, failure is None))
        status = failure.status if failure else 200
        attributes = {**operation.attributes, **visit.attributes}
        if not visit.service.sizing.database:
            attributes["http.response.status_code"] = str(status)
        visit.span(visit.operation, "server", visit.arrived, failure.message if failure else "", attributes)
        if failure:
            visit.say("ERROR", f"{visit.operation} failed: {failure.message}")
        elif operation.access_line and self.rng.random() < operation.log_share:
            number = self.rng.randrange(10_000, 99_999)
            visit.say("INFO", operation.access_line.format(ms=round(took), status=status, id=number))


@dataclass
class Provider:
    """A third party: it answers after `ms`, and fails a share of the calls."""

    ms: float
    failing: float = 0.0
    message: str = ""


def run_steps(visit: Visit, steps: Sequence[Step]) -> Process:
    """Carry out steps one after the other."""
    for step in steps:
        yield from step.run(visit)
