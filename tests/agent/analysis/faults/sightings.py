"""What faults look like in each kind of telemetry, as values: for tests of where it is broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.analysis.faults.fault import Fault
from agent.analysis.observed import CallGap, Excess, Level, Observations, PathBreak
from agent.analysis.scene import Scene
from agent.incident import GoldenSignal, Resource
from tests.agent.analysis.scenes import at, incident, level
from tools.evidence import Query

CPU, MEMORY = "cpu_utilization", "memory_utilization"


def used(
    service: str,
    usual: float,
    high: float | None,
    resource: Resource | None = Resource.CPU,
    metric: str = CPU,
    *,
    unit: str = "%",
    spread: float = 0.0,
    recent: float | None = None,
) -> Level:
    """A resource that was ordinarily used like `usual` and, around the alert, like `high`."""
    seen = level(service, metric, usual, usual if high is None else high, resource=resource, unit=unit)
    return seen.model_copy(update={"high": high, "usual": usual, "usual_spread": spread, "recent": recent})


def call(
    caller: str, callee: str, before: float, after: float, *, server: float = 10.0, spread: float = 0.1
) -> CallGap:
    """Calls that took so many milliseconds longer for the caller than for the callee."""
    return CallGap(
        caller=caller,
        callee=callee,
        query=Query(tool="spans", arguments={"service": callee, "operation": f"serve {caller}"}),
        before=before,
        after=after,
        spread=spread,
        count_before=100,
        count_after=100,
        server_before=server,
        server_after=server,
        since=at(0),
    )


def broken(
    service: str,
    strength: float,
    *,
    first: float = 1.0,
    raised: bool = False,
    step: str = "order read",
    instead: str = "order refused",
    minutes: float = 0,
) -> PathBreak:
    """Requests to a service that leave their usual path after `step`."""
    return PathBreak(
        service=service,
        operation="buy",
        step=step,
        usual="order stored",
        instead=instead,
        usual_before=1.0,
        usual_after=0.2,
        instead_before=0.0,
        instead_after=0.8,
        count_before=100,
        count_after=50,
        strength=strength,
        first=first,
        failing=raised,
        raised=raised,
        since=at(minutes),
        query=Query(tool="log_lines", arguments={"service": service, "contains": step}),
    )


def waited(
    service: str,
    amount: float,
    *,
    usual: float = 1000.0,
    noise: float = 10.0,
    new: bool = False,
    golden: GoldenSignal = GoldenSignal.LATENCY,
) -> Excess:
    """So many seconds of waiting more than usual, by all requests to a service together."""
    metric = "latency_average" if golden is GoldenSignal.LATENCY else "availability"
    return Excess(
        service=service,
        golden=golden,
        amount=amount,
        noise=noise,
        usual=usual,
        new=new,
        since=at(0),
        query=Query(tool="metric_range", arguments={"service": service, "metric": metric}),
    )


def failed(service: str, amount: float, *, usual: float = 1000.0, noise: float = 1.0, new: bool = False) -> Excess:
    """So many failed requests more than usual."""
    return waited(service, amount, usual=usual, noise=noise, new=new, golden=GoldenSignal.ERRORS)


def scene(
    *,
    levels: Sequence[Level] = (),
    gaps: Sequence[CallGap] = (),
    breaks: Sequence[PathBreak] = (),
    excesses: Sequence[Excess] = (),
    **others: object,
) -> Scene:
    """The scene of an incident at `web` with these sightings."""
    observations, symptom, onset = incident(levels=tuple(levels), **others)  # type: ignore[arg-type]
    return Scene(with_faults(observations, gaps=gaps, breaks=breaks, excesses=excesses), symptom, onset)


def with_faults(
    observations: Observations,
    *,
    gaps: Iterable[CallGap] = (),
    breaks: Iterable[PathBreak] = (),
    excesses: Iterable[Excess] = (),
) -> Observations:
    """The same observations and these sightings."""
    return observations.model_copy(update={"calls": tuple(gaps), "breaks": tuple(breaks), "excesses": tuple(excesses)})


def by_score(faults: Iterable[Fault]) -> list[str]:
    """Services, the clearest fault first."""
    return [fault.service for fault in sorted(faults, key=lambda f: (-f.score, f.service))]
