from __future__ import annotations

from evals.simulator.clock import Clock
from evals.simulator.steps import Compute, Refuse
from evals.simulator.system import Operation, Sizing, World
from evals.simulator.telemetry import LINES_PER_MINUTE, Telemetry, scrape


def test_a_service_keeps_its_share_of_lines_a_minute() -> None:
    clock = Clock()
    telemetry = Telemetry(clock)
    for _ in range(3 * LINES_PER_MINUTE):
        telemetry.log("a", "a-0", "ERROR", "again")
    telemetry.log("a", "a-0", "INFO", "something else")
    assert len(telemetry.logs) == LINES_PER_MINUTE + 1
    telemetry.note("a", "a-0", "ERROR", "started")
    assert len(telemetry.logs) == LINES_PER_MINUTE + 2
    clock.run(61.0)
    telemetry.log("a", "a-0", "ERROR", "again")
    assert len(telemetry.logs) == LINES_PER_MINUTE + 3


def test_a_scrape_counts_what_happened_since_the_last_one() -> None:
    world = World(1, 60.0)
    world.add(
        "a",
        Sizing(workers=4, cores=2, pools={"db": 3}),
        {"go": Operation((Compute(100.0, spread=0.0),)), "no": Operation((Refuse(1.1, "no"),))},
    )
    for operation in ("go", "go", "go", "no"):
        world.request("a", operation)
    world.clock.run(10.0)
    scrape(world, 10.0)
    values = {sample.metric: sample.value for sample in world.telemetry.samples}
    assert values["http_request_rate"] == 0.4
    assert values["http_request_error_ratio"] == 0.25
    assert round(values["http_request_duration_p95_ms"]) == 200
    assert 1.5 < values["cpu_utilization_pct"] < 5.0
    assert values["db_pool_in_use"] == 0.0
    scrape(world, 10.0)
    assert world.telemetry.samples[-1].at == 10.0
    rates = [sample.value for sample in world.telemetry.samples if sample.metric == "http_request_rate"]
    assert rates == [0.4, 0.0]


def test_a_database_counts_queries() -> None:
    world = World(1, 60.0)
    world.add("db", Sizing(workers=4, cores=2, database=True), {"select": Operation((Compute(5.0),))})
    world.request("db", "select")
    world.clock.run(10.0)
    scrape(world, 10.0)
    metrics = {sample.metric for sample in world.telemetry.samples}
    assert {"query_rate", "query_duration_p95_ms", "connections_active"} <= metrics
    assert "workers_busy" not in metrics
