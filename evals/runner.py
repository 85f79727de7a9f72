"""Runs a suite: the graph of the product over every case, one after the other or in several processes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time

from agent.errors import CallerError
from agent.incident import Diagnosis
from agent.parse_alert import parse_alert
from agent.runner import Runner
from evals.baselines import TrivialResult, trivial_results
from evals.cases import Case, CaseError, CaseResult, Suite
from evals.checkout import commit_of_checkout
from evals.report import Report, Skipped
from evals.resources import peak_memory_mb, reset_peak_memory
from evals.scorers import score
from evals.suites import suite_named
from tools.recorded import Recording, recorded_backend

ANALYST = "statistics"
"""Who answers: the analysis alone, without a language model."""

Progress = Callable[[int, int], None]
"""Told after every case how many are done, and of how many."""

Investigate = Callable[[Recording], Diagnosis]
"""From a recording to a diagnosis. What is passed to other processes has to be a function of a module."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What came of one case: a result, or why it was left out."""

    result: CaseResult | None = None
    skipped: Skipped | None = None
    trivial: dict[str, TrivialResult] = field(default_factory=dict[str, TrivialResult])


def diagnose(recording: Recording) -> Diagnosis:
    """Investigate a recording exactly as the product does, and leave nothing behind."""
    with Runner.in_memory() as runner:
        incident = runner.open(parse_alert(recording.alert))
        diagnosis = runner.run(incident.id, recorded_backend(recording)).diagnosis
    if diagnosis is None:
        raise CaseError("the investigation ended without a diagnosis")
    return diagnosis


def run_suite(
    suite: str,
    data: Path,
    workers: int = 1,
    progress: Progress | None = None,
    investigate: Investigate = diagnose,
) -> Report:
    """Run every case of a suite and score them together.

    A case that cannot be read is skipped with its reason; one that crashes is a miss that keeps its error. Results
    stand in the order of the cases' names whatever `workers` is. Raises CallerError, in one line, for an unknown suite,
    a folder without cases, or when no case at all can be read.
    """
    if workers < 1:
        raise CallerError(f"--workers {workers}: at least one is needed")
    chosen = suite_named(suite)
    names = chosen.find(data)
    results: list[CaseResult] = []
    trivial: list[dict[str, TrivialResult]] = []
    skipped: list[Skipped] = []
    for done, outcome in enumerate(_outcomes(chosen, data, names, workers, investigate), start=1):
        if outcome.skipped:
            skipped.append(outcome.skipped)
        if outcome.result:
            results.append(outcome.result)
            trivial.append(outcome.trivial)
        if progress:
            progress(done, len(names))
    if not results:
        raise CallerError(f"--data {data}: none of {len(names)} cases can be read, the first: {skipped[0].reason}")
    return Report.of(suite, commit_of_checkout(), ANALYST, results, trivial, skipped)


def run_case(suite: str, data: Path, name: str, investigate: Investigate) -> Outcome:
    """Read, investigate and score one case. Never raises for what the case or the analysis does wrong."""
    try:
        case = suite_named(suite).load(data, name)
    except CaseError as error:
        return Outcome(skipped=Skipped(id=name, reason=str(error)))
    return Outcome(result=_measured(case, investigate), trivial=trivial_results(case))


def _measured(case: Case, investigate: Investigate) -> CaseResult:
    """The scored answer with what it took; the clock runs after imports and reading."""
    reset_peak_memory()
    clock, processor = perf_counter(), process_time()
    # A thread of its own keeps whatever goes wrong inside a future: a suite reports a crash, it does not end with it.
    with ThreadPoolExecutor(max_workers=1) as alone:
        answer = alone.submit(investigate, case.recording)
    took = {
        "seconds": round(perf_counter() - clock, 4),
        "cpu_seconds": round(process_time() - processor, 4),
        "peak_rss_mb": round(peak_memory_mb(), 1),
    }
    trouble = answer.exception()
    if trouble is not None:
        log.debug("case %s crashed", case.id, exc_info=trouble)
        return CaseResult(id=case.id, truth=case.truth, error=_one_line(trouble)).model_copy(update=took)
    return score(case, answer.result()).model_copy(update=took)


def _one_line(trouble: BaseException) -> str:
    lines = str(trouble).splitlines()
    return f"{type(trouble).__name__}: {lines[0] if lines else 'no message'}"


def _outcomes(
    suite: Suite, data: Path, names: Sequence[str], workers: int, investigate: Investigate
) -> Iterator[Outcome]:
    with _executor(min(workers, len(names))) as pool:
        futures = [pool.submit(run_case, suite.name, data, name, investigate) for name in names]
        for name, future in zip(names, futures, strict=True):
            try:
                yield future.result()
            except BrokenProcessPool:
                # A process died, and with it every case that was waiting: each gets a process of its own.
                yield _by_itself(suite, data, name, investigate)


def _executor(workers: int) -> Executor:
    if workers == 1:
        return ThreadPoolExecutor(max_workers=1)
    # Forking a process that holds threads and open databases is not safe.
    return ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn"))


def _by_itself(suite: Suite, data: Path, name: str, investigate: Investigate) -> Outcome:
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        future: Future[Outcome] = pool.submit(run_case, suite.name, data, name, investigate)
        try:
            return future.result()
        except BrokenProcessPool:
            case = suite.load(data, name)
            result = CaseResult(id=name, truth=case.truth, error="the process that investigated it died")
            return Outcome(result=result, trivial=trivial_results(case))
