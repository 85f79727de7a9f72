"""Runs a suite: the graph of the product over every case, one after the other or in several processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path

from agent.errors import CallerError
from evals.analysts import STATISTICS, Investigate, analyst_named, diagnose as diagnose
from evals.checkout import commit_of_checkout
from evals.one_case import Job, Outcome, run_case, run_dead_case
from evals.perturb import PLAIN, Variant, variants_of
from evals.report import Report
from evals.suites import suite_named

MOST_WORKERS = 4
"""Processes that run at once unless more are asked for: a case may take 400 MB."""

Progress = Callable[[int, int], None]
"""Told after every case how many are done, and of how many."""


CASES_PER_PROCESS = 10
"""Cases that a process works through: after more its heap is in pieces, and its peak is no longer that of one case."""


@dataclass(frozen=True)
class Plan:
    """How a suite is run."""

    variant: Variant = PLAIN
    """What is done to every case; its answers are the report's cases."""
    full: bool = False
    """Also the alert late and early, and without each kind of data."""
    quiet: bool = True
    """Also the suite's stretches without a fault."""
    analyst: str = STATISTICS
    investigate: Investigate | None = None
    """Stands in for the analyst's own function."""
    label: str | None = None
    """What the report calls itself where a suite has several sets of data; the suite's name by default."""


def default_workers() -> int:
    """One process for each processor, `MOST_WORKERS` at most."""
    return min(MOST_WORKERS, os.cpu_count() or 1)


def run_suite(
    suite: str,
    data: Path,
    workers: int | None = 1,
    progress: Progress | None = None,
    investigate: Investigate | None = None,
    plan: Plan | None = None,
) -> Report:
    """Run every case of a suite, and its quiet stretches, and score them together.

    A case that cannot be read is skipped with its reason; one that crashes is a miss that keeps its error. Results
    stand in the order of the cases' names whatever `workers` is; None takes `default_workers`. Raises CallerError, in
    one line, for an unknown suite or analyst, a folder without cases, or when no case at all can be read.
    """
    workers = default_workers() if workers is None else workers
    if workers < 1:
        raise CallerError(f"--workers {workers}: at least one is needed")
    plan = plan or Plan()
    chosen = suite_named(suite)
    answering = investigate or plan.investigate or analyst_named(plan.analyst, chosen)
    variants = (plan.variant, *(each for each in variants_of(chosen) if plan.full and each != plan.variant))
    names = chosen.find(data)
    # Other methods name a cause whatever happens: on a quiet stretch they have nothing to show.
    stretches = chosen.find_quiet(data) if plan.quiet and plan.analyst == STATISTICS else ()
    jobs = [Job(suite, data, name, answering, variants) for name in names]
    jobs += [Job(suite, data, name, answering, (plan.variant,), compare=False) for name in stretches]
    outcomes: list[Outcome] = []
    for outcome in _outcomes(jobs, workers):
        outcomes.append(outcome)
        if progress:
            progress(len(outcomes), len(jobs))
    return Report.of(
        suite=suite,
        label=plan.label or suite,
        commit=commit_of_checkout(),
        analyst=plan.analyst,
        variants=variants,
        outcomes=_readable(data, outcomes[: len(names)]),
        stretches=outcomes[len(names) :],
    )


def _readable(data: Path, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    if not any(outcome.attempts for outcome in outcomes):
        first = next(outcome.skipped.reason for outcome in outcomes if outcome.skipped)
        raise CallerError(f"--data {data}: none of {len(outcomes)} cases can be read, the first: {first}")
    return outcomes


def _outcomes(jobs: Sequence[Job], workers: int) -> Iterator[Outcome]:
    at_once = workers * CASES_PER_PROCESS
    for start in range(0, len(jobs), at_once):
        batch = jobs[start : start + at_once]
        with _executor(min(workers, len(batch))) as pool:
            futures = [pool.submit(run_case, job) for job in batch]
            for job, future in zip(batch, futures, strict=True):
                try:
                    yield future.result()
                except BrokenProcessPool:
                    # A process died, and with it every case that was waiting: each gets a process of its own.
                    yield _by_itself(job)


@contextmanager
def _executor(workers: int) -> Generator[Executor]:
    """Threads or processes for the block; when it is left early (Ctrl-C) what waits is dropped."""
    if workers == 1:
        pool: Executor = ThreadPoolExecutor(max_workers=1)
    else:
        # Forking a process that holds threads and open databases is not safe.
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_leave_signals_to_the_parent)
    others = set(active_children())
    try:
        yield pool
    except (KeyboardInterrupt, GeneratorExit):
        # Nobody waits for the cases at work: they have nothing that must be finished.
        for child in set(active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_signals_to_the_parent() -> None:
    """Ctrl-C reaches every process of a terminal; one of them is enough to end the run, without six tracebacks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _by_itself(job: Job) -> Outcome:
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        future: Future[Outcome] = pool.submit(run_case, job)
        try:
            return future.result()
        except BrokenProcessPool:
            return run_dead_case(job)
