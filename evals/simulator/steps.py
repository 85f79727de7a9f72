"""What an operation can do: use a core, wait, call, borrow a connection, look into a cache, reach a third party."""

from __future__ import annotations

from dataclasses import dataclass

from evals.simulator.clock import Answering, Process
from evals.simulator.system import Failed, Step, Visit, run_steps

TIMED_OUT = "deadline exceeded"
"""What a reply fires with when the caller gave up; the callee goes on working, as it does in life."""


@dataclass(frozen=True)
class Compute:
    """Use one core for about `ms` milliseconds."""

    ms: float
    spread: float = 0.3

    def run(self, visit: Visit) -> Process:
        yield visit.service.cores.ask()
        yield visit.world.jitter(self.ms, self.spread) / 1000
        visit.service.cores.give_back()


@dataclass(frozen=True)
class Pause:
    """Wait for something that needs no core, such as a disk."""

    ms: float
    spread: float = 0.3

    def run(self, visit: Visit) -> Process:
        yield visit.world.jitter(self.ms, self.spread) / 1000


@dataclass(frozen=True)
class Call:
    """Call another service, one call after the other, `times` times."""

    service: str
    operation: str
    timeout_ms: float = 2000.0
    retries: int = 0
    times: int = 1
    share: float = 1.0
    """Share of the visits that make the call at all."""
    optional: bool = False
    """True when the visit goes on without the answer."""

    def run(self, visit: Visit) -> Process:
        if self.share < 1.0 and visit.world.rng.random() >= self.share:
            return
        for _ in range(self.times):
            yield from self._once(visit)

    def _once(self, visit: Visit) -> Process:
        failure: object = None
        for attempt in range(1 + self.retries):
            reply = visit.world.request(self.service, self.operation, visit)
            visit.world.clock.after(self.timeout_ms / 1000, reply.fire, TIMED_OUT)
            failure = yield reply
            if failure is None:
                return
            if attempt < self.retries:
                visit.say("WARN", f"{self.service} {self.operation} failed, retry {attempt + 1} of {self.retries}")
        if failure == TIMED_OUT:
            message = f"{self.service} {self.operation}: {TIMED_OUT} after {self.timeout_ms:.0f}ms"
            status = 504
        else:
            assert isinstance(failure, Failed)
            message, status = f"{self.service} answered {failure.status} to {self.operation}", 502
        if not self.optional:
            raise Failed(message, status)
        visit.say("WARN", f"{message}; going on without it")


@dataclass(frozen=True)
class Borrow:
    """Take a connection out of a pool of the service, do something with it and put it back."""

    pool: str
    steps: tuple[Step, ...]
    patience_ms: float = 3000.0

    def run(self, visit: Visit) -> Process:
        pool = visit.service.pools[self.pool]
        if not (yield pool.ask(self.patience_ms / 1000)):
            raise Failed(
                f"no connection from pool {self.pool} within {self.patience_ms:.0f}ms "
                f"(in use {pool.in_use} of {pool.size}, waiting {pool.waiting})",
                503,
            )
        try:
            yield from run_steps(visit, self.steps)
        finally:
            pool.give_back()


@dataclass(frozen=True)
class Keep:
    """Take a connection out of a pool and, in a share of the visits, never put it back."""

    pool: str
    share: float

    def run(self, visit: Visit) -> Process:
        if visit.world.rng.random() < self.share:
            pool = visit.service.pools[self.pool]
            if not (yield pool.ask(3.0)):
                raise Failed(f"no connection from pool {self.pool} within 3000ms (in use {pool.in_use} of {pool.size})")


@dataclass(frozen=True)
class Lookup:
    """Look into a cache; on a miss do `on_miss` and keep the answer for `ttl_s` seconds."""

    cache: str
    keys: int
    ttl_s: float
    on_miss: tuple[Step, ...]
    skew: float = 2.5
    """How uneven the keys are: 1 is uniform, higher makes few keys popular."""

    def run(self, visit: Visit) -> Process:
        now, rng = visit.world.clock.now, visit.world.rng
        entries = visit.service.caches.setdefault(self.cache, {})
        counts = visit.service.hits.setdefault(self.cache, [0, 0])
        key = int(self.keys * rng.random() ** self.skew)
        counts[1] += 1
        if entries.get(key, -1.0) > now:
            counts[0] += 1
            return
        yield from run_steps(visit, self.on_miss)
        # Real expiry times are spread out, or every entry would run out in the same second.
        entries[key] = visit.world.clock.now + self.ttl_s * (0.8 + 0.4 * rng.random())


@dataclass(frozen=True)
class Secure:
    """Use a kept-alive TLS connection to a peer; one that is too old is opened again, which checks the certificate."""

    peer: str
    connections: int = 16
    lifetime_s: float = 420.0

    def run(self, visit: Visit) -> Process:
        world = visit.world
        kept = visit.service.connections.setdefault(
            self.peer, [world.rng.random() * self.lifetime_s for _ in range(self.connections)]
        )
        chosen = world.rng.randrange(self.connections)
        if kept[chosen] > world.clock.now:
            return
        yield world.jitter(6.0, 0.3) / 1000
        if world.clock.now > world.certificates[self.peer]:
            raise Failed(f"tls handshake with {self.peer}: certificate has expired", 502)
        kept[chosen] = world.clock.now + self.lifetime_s * (0.7 + 0.6 * world.rng.random())


@dataclass(frozen=True)
class Reach:
    """Call a third party. It has no spans of its own: what is seen is the client's side."""

    provider: str
    operation: str
    timeout_ms: float = 4000.0
    retries: int = 1
    optional: bool = False

    def run(self, visit: Visit) -> Process:
        failure = ""
        for attempt in range(1 + self.retries):
            failure = yield from self._once(visit)
            if not failure:
                return
            if attempt < self.retries:
                visit.say("WARN", f"{self.operation} via {self.provider} failed ({failure}), retrying")
        if not self.optional:
            raise Failed(f"{self.operation} via {self.provider}: {failure}", 502)

    def _once(self, visit: Visit) -> Answering:
        world = visit.world
        provider, start = world.providers[self.provider], world.clock.now
        took = world.jitter(provider.ms, 0.4)
        yield min(took, self.timeout_ms) / 1000
        failure = TIMED_OUT if took > self.timeout_ms else ""
        if world.rng.random() < provider.failing:
            failure = provider.message
        visit.span(self.operation, "client", start, failure, {"peer.service": self.provider})
        return failure


@dataclass(frozen=True)
class Say:
    """Log a line in a share of the visits."""

    severity: str
    body: str
    share: float

    def run(self, visit: Visit) -> Process:
        if visit.world.rng.random() < self.share:
            visit.say(self.severity, self.body)
        yield from ()


@dataclass(frozen=True)
class Refuse:
    """Fail a share of the visits, the way every service does now and then."""

    share: float
    message: str
    status: int = 500

    def run(self, visit: Visit) -> Process:
        if visit.world.rng.random() < self.share:
            raise Failed(self.message, self.status)
        yield from ()


@dataclass(frozen=True)
class Grow:
    """Keep some memory for good, or until the service starts again."""

    mb: float

    def run(self, visit: Visit) -> Process:
        visit.service.memory_extra_mb += self.mb
        yield from ()
