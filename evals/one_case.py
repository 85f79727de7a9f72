"""Reads, investigates and scores one case, as it is and made worse. Runs in processes of its own."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter, process_time

from evals.analysts import Investigate, scored
from evals.baselines import trivial_results
from evals.cases import Case, CaseError, CaseResult, NamedBy
from evals.comparison import RowResult
from evals.perturb import PLAIN, Variant, perturbed
from evals.resources import peak_memory_mb, reset_peak_memory
from evals.rivals import RIVALS
from evals.scorers import score_ranking
from evals.suites import suite_named
from tools.evidence import Frozen

log = logging.getLogger(__name__)


class Skipped(Frozen):
    """A case that could not be used, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class Job:
    """What is asked of one case."""

    suite: str
    data: Path
    name: str
    investigate: Investigate
    variants: tuple[Variant, ...] = (PLAIN,)
    """The first is the one that is reported case by case."""
    compare: bool = True
    """Whether trivial rules and other methods are tried too."""


@dataclass(frozen=True)
class Attempt:
    """What came of one variant of a case."""

    result: CaseResult
    applies: bool = True
    """False where the variant changes nothing; the result is then that of the first variant."""
    rivals: Mapping[str, RowResult] = field(default_factory=dict[str, RowResult])


@dataclass(frozen=True)
class Outcome:
    """What came of one case: an attempt per variant in their order, or why it was left out."""

    attempts: tuple[Attempt, ...] = ()
    skipped: Skipped | None = None
    trivial: Mapping[str, RowResult] = field(default_factory=dict[str, RowResult])


def run_case(job: Job) -> Outcome:
    """Do the job. Never raises for what the case or the analysis does wrong."""
    reset_peak_memory()
    clock = perf_counter()
    try:
        case = suite_named(job.suite).load(job.data, job.name)
    except CaseError as error:
        return Outcome(skipped=Skipped(id=job.name, reason=str(error)))
    read_seconds = round(perf_counter() - clock, 4)
    first = _attempt(case, job, job.variants[0])
    first = replace(first, result=first.result.model_copy(update={"read_seconds": read_seconds}))
    others = [
        _attempt(case, job, variant)
        if variant.applies_to(case.recording)
        else Attempt(first.result, applies=False, rivals=first.rivals)
        for variant in job.variants[1:]
    ]
    return Outcome(attempts=(first, *others), trivial=trivial_results(case) if job.compare else {})


def run_dead_case(job: Job) -> Outcome:
    """The outcome of a case whose process died."""
    try:
        case = suite_named(job.suite).load(job.data, job.name)
    except CaseError as error:
        return Outcome(skipped=Skipped(id=job.name, reason=str(error)))
    dead = CaseResult(id=job.name, truth=case.truth, error="the process that investigated it died")
    return Outcome(
        attempts=tuple(Attempt(dead) for _ in job.variants), trivial=trivial_results(case) if job.compare else {}
    )


def _attempt(case: Case, job: Job, variant: Variant) -> Attempt:
    worse = replace(case, recording=perturbed(case.recording, variant))
    result = _measured(worse, job.investigate)
    return Attempt(result, rivals=_rivals(worse) if job.compare else {})


def _rivals(case: Case) -> dict[str, RowResult]:
    if case.named_by is not NamedBy.SERVICE:
        return {}
    return {name: RowResult.of(score_ranking(case, rank(case.recording))) for name, rank in RIVALS.items()}


def _measured(case: Case, investigate: Investigate) -> CaseResult:
    """The scored answer with what it took; the clock runs after imports and reading."""
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
    return scored(case, answer.result()).model_copy(update=took)


def _one_line(trouble: BaseException) -> str:
    lines = str(trouble).splitlines()
    return f"{type(trouble).__name__}: {lines[0] if lines else 'no message'}"
