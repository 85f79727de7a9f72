from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from evals.simulator.clock import Clock, Pool, Process, Signal


def worker(clock: Clock, pool: Pool, seconds: float, done: list[tuple[str, float]], name: str) -> Process:
    if not (yield pool.ask()):
        return
    yield seconds
    pool.give_back()
    done.append((name, clock.now))


def test_a_process_sleeps_in_simulated_time() -> None:
    clock, done = Clock(), []
    clock.start(worker(clock, Pool(clock, 1), 3.0, done, "a"))
    clock.run(2.0)
    assert done == []
    clock.run(10.0)
    assert done == [("a", 3.0)]
    assert clock.now == 10.0


def test_a_pool_serves_in_the_order_of_asking() -> None:
    clock, done = Clock(), []
    pool = Pool(clock, 1)
    for name in "abc":
        clock.start(worker(clock, pool, 2.0, done, name))
    assert pool.waiting == 2
    clock.run(10.0)
    assert done == [("a", 2.0), ("b", 4.0), ("c", 6.0)]
    assert (pool.in_use, pool.waiting) == (0, 0)


def test_whoever_lost_patience_is_passed_over() -> None:
    clock = Clock()
    pool = Pool(clock, 1)
    pool.ask()
    impatient, patient = pool.ask(1.0), pool.ask()
    clock.run(5.0)
    assert (impatient.fired, impatient.value) == (True, False)
    assert not patient.fired
    pool.give_back()
    assert (patient.fired, patient.value) == (True, True)
    assert pool.in_use == 1


def test_a_pool_that_grows_serves_those_who_wait() -> None:
    clock = Clock()
    pool = Pool(clock, 1)
    pool.ask()
    waiting = [pool.ask() for _ in range(3)]
    pool.grow(2)
    assert [signal.fired for signal in waiting] == [True, True, False]
    assert pool.in_use == 3


def test_busy_seconds_are_counted_once() -> None:
    clock, done = Clock(), []
    pool = Pool(clock, 4)
    for _ in range(3):
        clock.start(worker(clock, pool, 2.0, done, "a"))
    clock.run(10.0)
    assert pool.busy_seconds() == pytest.approx(6.0)
    assert pool.busy_seconds() == 0.0


def test_a_signal_keeps_its_first_value() -> None:
    signal = Signal()
    assert signal.fire("reply")
    assert not signal.fire("deadline")
    assert signal.value == "reply"


def test_a_process_goes_on_with_what_it_waited_for() -> None:
    clock, heard = Clock(), []
    late, early = Signal(), Signal()
    early.fire("at once")

    def process() -> Process:
        heard.append((yield early))
        heard.append((yield late))

    clock.start(process())
    clock.after(4.0, late.fire, "later")
    assert heard == ["at once"]
    clock.run(5.0)
    assert heard == ["at once", "later"]


@given(st.lists(st.floats(0.01, 5.0), min_size=1, max_size=30), st.integers(1, 5))
def test_a_pool_never_hands_out_more_than_it_has_and_gets_all_back(jobs: list[float], size: int) -> None:
    clock, done = Clock(), []
    pool = Pool(clock, size)
    for seconds in jobs:
        clock.start(worker(clock, pool, seconds, done, "job"))
    for second in range(160):
        clock.run(float(second))
        assert 0 <= pool.in_use <= size
    assert len(done) == len(jobs)
    assert pool.in_use == 0
    assert pool.busy_seconds() == pytest.approx(sum(jobs))
