from __future__ import annotations

from evals.simulator.steps import Borrow, Call, Compute, Grow, Keep, Lookup, Pause, Reach, Refuse, Say, Secure
from evals.simulator.system import Operation, Provider, Sizing, Step, World

SMALL = Sizing(workers=4, cores=1, pools={"db": 2})


def world(**operations: tuple[Step, ...]) -> World:
    """A service `a` with these operations, and a service `b` whose `work` takes 100 ms and whose `fail` fails."""
    made = World(1, traces_per_minute=6000.0)
    made.add("a", SMALL, {name: Operation(steps) for name, steps in operations.items()})
    made.add("b", SMALL, {"work": Operation((Pause(100.0, spread=0.0),)), "fail": Operation((Refuse(1.1, "no"),))})
    return made


def outcome(made: World, operation: str, seconds: float = 60.0) -> str:
    """What a visit of `a` ends with: "" or the message of its failure."""
    reply = made.request("a", operation)
    made.clock.run(made.clock.now + seconds)
    assert reply.fired
    return reply.value.message if reply.value else ""


def bodies(made: World, severity: str) -> list[str]:
    return [line.body for line in made.telemetry.logs if line.severity == severity]


def test_a_call_that_takes_too_long_fails_the_caller_while_the_callee_goes_on() -> None:
    made = world(go=(Call("b", "work", timeout_ms=50),))
    assert outcome(made, "go") == "b work: deadline exceeded after 50ms"
    took = {span.service: span.duration_ms for span in made.telemetry.spans}
    assert round(took["a"]) == 50
    assert round(took["b"]) == 100


def test_a_failing_callee_is_tried_again_and_then_fails_the_caller() -> None:
    made = world(go=(Call("b", "fail", retries=2),))
    assert outcome(made, "go") == "b answered 500 to fail"
    assert len([span for span in made.telemetry.spans if span.service == "b"]) == 3
    assert bodies(made, "WARN") == ["b fail failed, retry 1 of 2", "b fail failed, retry 2 of 2"]


def test_an_optional_call_may_fail() -> None:
    made = world(go=(Call("b", "fail", optional=True),))
    assert outcome(made, "go") == ""
    assert bodies(made, "WARN") == ["b answered 500 to fail; going on without it"]


def test_spans_know_their_parent_and_their_trace() -> None:
    made = world(go=(Call("b", "work", times=3),))
    assert outcome(made, "go") == ""
    (root,) = [span for span in made.telemetry.spans if not span.parent_span_id]
    children = [span for span in made.telemetry.spans if span.parent_span_id == root.span_id]
    assert len(children) == 3
    assert {span.trace_id for span in made.telemetry.spans} == {root.trace_id}
    assert root.duration_ms >= sum(child.duration_ms for child in children) - 1e-6


def test_a_connection_that_is_kept_is_gone_and_one_that_is_borrowed_comes_back() -> None:
    made = world(borrow=(Borrow("db", (Pause(5.0),)),), keep=(Keep("db", 1.1),))
    pool = made.services["a"].pools["db"]
    assert outcome(made, "borrow") == ""
    assert pool.in_use == 0
    assert [outcome(made, "keep"), outcome(made, "keep")] == ["", ""]
    assert pool.in_use == 2
    assert outcome(made, "borrow").startswith("no connection from pool db within 3000ms (in use 2 of 2")
    assert outcome(made, "keep").startswith("no connection from pool db")


def test_a_failure_gives_the_connection_back() -> None:
    made = world(go=(Borrow("db", (Refuse(1.1, "broken"),)),))
    assert outcome(made, "go") == "broken"
    assert made.services["a"].pools["db"].in_use == 0


def test_a_cache_asks_once_until_its_entry_runs_out() -> None:
    made = world(go=(Lookup("c", keys=1, ttl_s=300.0, on_miss=(Call("b", "work"),)),))
    for _ in range(3):
        outcome(made, "go")
    assert len([span for span in made.telemetry.spans if span.service == "b"]) == 1
    made.clock.run(made.clock.now + 400)
    outcome(made, "go")
    assert len([span for span in made.telemetry.spans if span.service == "b"]) == 2
    assert made.services["a"].hits["c"] == [2, 4]


def test_an_expired_certificate_shows_when_a_connection_is_opened_again() -> None:
    made = world(go=(Secure("b", connections=1, lifetime_s=100.0),))
    made.certificates["b"] = 50.0
    assert outcome(made, "go", seconds=1.0) == ""
    made.clock.run(200.0)
    assert outcome(made, "go") == "tls handshake with b: certificate has expired"


def test_a_certificate_that_is_valid_lets_the_connection_be_opened_again() -> None:
    made = world(go=(Secure("b", connections=1, lifetime_s=10.0),))
    made.certificates["b"] = 1e9
    made.clock.run(500.0)
    assert outcome(made, "go") == ""


def test_a_provider_in_trouble_is_seen_from_the_client_side() -> None:
    made = world(go=(Reach("post", "send", retries=1),))
    made.providers["post"] = Provider(ms=10.0, failing=1.1, message="451 later")
    assert outcome(made, "go") == "send via post: 451 later"
    clients = [span for span in made.telemetry.spans if span.kind == "client"]
    assert len(clients) == 2
    assert {(span.service, span.attributes["peer.service"]) for span in clients} == {("a", "post")}


def test_a_slow_provider_runs_into_the_deadline_and_may_be_optional() -> None:
    made = world(go=(Reach("post", "send", timeout_ms=50, retries=0),), soft=(Reach("post", "send", 50, 0, True),))
    made.providers["post"] = Provider(ms=10_000.0)
    assert outcome(made, "go") == "send via post: deadline exceeded"
    assert outcome(made, "soft") == ""


def test_one_core_does_one_thing_at_a_time() -> None:
    made = world(go=(Compute(100.0, spread=0.0),))
    replies = [made.request("a", "go") for _ in range(3)]
    made.clock.run(0.25)
    assert [reply.fired for reply in replies] == [True, True, False]


def test_a_full_queue_turns_requests_away() -> None:
    made = World(1, 60.0)
    made.add("a", Sizing(workers=1, cores=1, queue_limit=1), {"go": Operation((Pause(1000.0),))})
    replies = [made.request("a", "go") for _ in range(3)]
    made.clock.run(0.1)
    assert replies[2].value.status == 503


def test_lines_and_memory() -> None:
    made = world(go=(Say("WARN", "mind the gap", 1.1), Say("WARN", "never", 0.0), Grow(3.0)))
    outcome(made, "go")
    assert bodies(made, "WARN") == ["mind the gap"]
    assert made.services["a"].memory_extra_mb == 3.0
