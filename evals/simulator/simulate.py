"""Run a scenario until some minutes after its monitor has paged somebody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from evals.simulator.clock import Process
from evals.simulator.scenario import Scenario, Traffic
from evals.simulator.system import World
from evals.simulator.telemetry import Sample, Telemetry, scrape

WARM_UP_S = 300.0
"""Simulated before the recording starts, so that caches are warm and pools are in their usual state."""


class NoAlert(Exception):
    """The scenario never paged: it shows no incident."""


@dataclass(frozen=True)
class Simulated:
    """What came out. Times are simulated seconds, with the recording starting at 0 (`WARM_UP_S` is taken off)."""

    telemetry: Telemetry
    fired_at: float
    observed: float


def simulate(scenario: Scenario) -> Simulated:
    """Run it. Raises NoAlert when the monitor stays quiet for `longest_minutes`."""
    world = build(scenario)
    breaches = 0
    fired: Sample | None = None
    scrapes = int(scenario.longest_minutes * 60 / scenario.interval_s)
    for number in range(1, scrapes + 1):
        world.clock.run(WARM_UP_S + number * scenario.interval_s)
        seen = len(world.telemetry.samples)
        scrape(world, scenario.interval_s)
        if fired is None:
            watched = _watched(scenario, world.telemetry.samples[seen:])
            breaches = breaches + 1 if watched and scenario.monitor.breached(watched.value) else 0
            fired = watched if breaches >= scenario.monitor.samples else None
        elif world.clock.now - fired.at >= scenario.minutes_after_alert * 60:
            return Simulated(world.telemetry, fired.at - WARM_UP_S, fired.value)
    raise NoAlert(f"{scenario.name}: {scenario.monitor.metric} did not page within {scenario.longest_minutes} minutes")


def build(scenario: Scenario) -> World:
    """The world at the end of its warm-up, with everything that will happen to it on the calendar."""
    world = World(scenario.seed, scenario.traces_per_minute)
    for name, part in scenario.parts.items():
        world.add(name, part.sizing, part.operations)
    if scenario.prepare:
        scenario.prepare(world)
    for change in scenario.changes:
        if change.in_effect and change.minute >= 0:
            world.clock.after(WARM_UP_S + change.minute * 60, _take_effect(world, change.service, change.version))
            if change.effect:
                world.clock.after(WARM_UP_S + change.minute * 60, change.effect, world)
    for happening in scenario.happenings:
        world.clock.after(WARM_UP_S + happening.minute * 60, happening.effect, world)
    for traffic in scenario.traffic:
        world.clock.start(_arrivals(world, traffic))
    world.clock.run(WARM_UP_S)
    scrape(world, WARM_UP_S)
    world.telemetry = world.telemetry.__class__(world.clock)
    return world


def _arrivals(world: World, traffic: Traffic) -> Process:
    while True:
        rate = traffic.rate((world.clock.now - WARM_UP_S) / 60)
        yield world.rng.expovariate(rate)
        world.request(traffic.service, traffic.operation)


def _take_effect(world: World, service: str | None, version: str | None) -> Callable[[], None]:
    """Every deploy restarts what it deploys, which is seen in its log; a flag restarts nothing."""

    def start() -> None:
        if service is None or version is None or service not in world.services:
            return
        for replica in range(world.services[service].replicas):
            world.telemetry.note(service, f"{service}-{replica}", "INFO", f"{service} {version} started")

    return start


def _watched(scenario: Scenario, samples: list[Sample]) -> Sample | None:
    monitor = scenario.monitor
    found = (s for s in samples if s.service == monitor.service and s.metric == monitor.metric)
    return next(found, None)
