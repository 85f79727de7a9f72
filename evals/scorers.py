"""Scores an answer against the truth, and a suite's answers together. Pure functions; rates are in 0..1.

A case without an answer is a miss, and ties count against us. AC@k, Avg@k and MRR are the usual ranking measures of the
root-cause literature (Avg@k is the mean of AC@1..k); Brier (1950) and the expected calibration error (Naeini et al.
2015, ten bins of equal width) judge the confidence of the answer that was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agent.incident import Diagnosis, Hypothesis, OperationKind, Verdict
from evals.cases import NO_CHANGE, Case, CaseResult, NamedBy, RankedCause, Truth
from tools.evidence import ChangeEvent

CONFIDENT = 0.7
"""A wrong answer at or above this confidence sends people the wrong way; it is counted apart."""
RESAMPLES = 2_000
"""Bootstrap resamples: the ends of a 95% interval then rest on 50 resamples each."""
_SEED = 20261123
_BINS = 10

REMEDIATION_WORDS: Mapping[OperationKind, str] = {
    OperationKind.ROLLBACK: "rollback",
    OperationKind.ROLL_FORWARD: "roll-forward",
    OperationKind.REVERT_CONFIG: "config-revert",
    OperationKind.FLAG_OFF: "config-revert",
    OperationKind.SCALE: "scale",
    OperationKind.RESTART: "restart",
    OperationKind.FAILOVER: "failover",
    OperationKind.ROTATE_CERTIFICATE: "rotate-cert",
    OperationKind.FIX_INFRASTRUCTURE: "fix-infra",
    OperationKind.THROTTLE: "throttle",
    OperationKind.ESCALATE: "escalate-upstream",
}
"""What our operations are called in truths. A flag is a setting; a word that is not here equals nothing."""


def ranked_causes(diagnosis: Diagnosis, named_by: NamedBy, changes: Iterable[ChangeEvent]) -> tuple[RankedCause, ...]:
    """The hypotheses as rows in the suite's words, in their order."""
    commits = {change.id: change.commit for change in changes}
    return tuple(
        RankedCause(
            cause=_cause_word(hypothesis, named_by, commits),
            service=hypothesis.cause.service,
            kind=hypothesis.cause.kind.value,
            change=hypothesis.cause.change,
            confidence=hypothesis.confidence,
        )
        for hypothesis in diagnosis.hypotheses
    )


def _cause_word(hypothesis: Hypothesis, named_by: NamedBy, commits: Mapping[str, str | None]) -> str:
    cause = hypothesis.cause
    if named_by is NamedBy.SERVICE:
        return cause.service
    if cause.change is None:
        return NO_CHANGE
    if named_by is NamedBy.COMMIT:
        # A flag has no commit: it is named by its own id, which is no commit of the benchmark's.
        return cause.commit or commits.get(cause.change) or cause.change
    return cause.change


def hit_rank(ranked: Sequence[RankedCause], truth: Truth, *, abstained: bool) -> int | None:
    """Place of the true cause among the different causes; others with the same confidence stand before it.

    Saying "not enough evidence" hits at place 1 when the recording cannot tell, and is a miss when it can.
    """
    if truth.cause is None:
        return 1 if abstained else None
    if abstained:
        return None
    first: dict[str, float] = {}
    for row in ranked:
        first.setdefault(row.cause, row.confidence)
    if truth.cause not in first:
        return None
    causes = list(first)
    place = causes.index(truth.cause)
    tied_behind = sum(first[cause] == first[truth.cause] for cause in causes[place + 1 :])
    return place + 1 + tied_behind


def score(case: Case, diagnosis: Diagnosis) -> CaseResult:
    """The result of one case; what it took to get there is filled in by the runner."""
    abstained = diagnosis.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    ranked = ranked_causes(diagnosis, case.named_by, case.recording.changes)
    first = diagnosis.mitigations[0].operation.kind if diagnosis.mitigations else None
    return CaseResult(
        id=case.id,
        truth=case.truth,
        ranked=ranked,
        hit_rank=hit_rank(ranked, case.truth, abstained=abstained),
        abstained=abstained,
        verdict=diagnosis.verdict.value,
        first_failing_service=diagnosis.first_failing_service,
        blast_radius=diagnosis.blast_radius.services,
        remediation=REMEDIATION_WORDS.get(first) if first else None,
    )


def declined(result: CaseResult) -> bool:
    """Named no change: "no change did this" or "not enough evidence"."""
    return result.abstained or (result.leading is not None and result.leading.cause == NO_CHANGE)


def jaccard(ours: Iterable[str], theirs: Iterable[str]) -> float:
    """Shared part of two sets; two empty sets are equal."""
    left, right = set(ours), set(theirs)
    return len(left & right) / len(left | right) if left | right else 1.0


Value = Callable[[CaseResult], float | None]
"""A score of one case, None where the case has no such label."""


def _within(k: int) -> Value:
    return lambda r: float(r.hit_rank is not None and r.hit_rank <= k)


def _average_within_five(r: CaseResult) -> float:
    return max(0, 6 - r.hit_rank) / 5 if r.hit_rank else 0.0


def _blast_radius(r: CaseResult) -> float | None:
    if r.truth.blast_radius is None:
        return None
    # The label names who was hit beside the service that failed first, so that one is left out on both sides.
    apart = {r.truth.first_failing_service}
    return jaccard(set(r.blast_radius) - apart, set(r.truth.blast_radius) - apart)


def _kind(r: CaseResult) -> float | None:
    if r.truth.kinds is None:
        return None
    return float(r.right and r.leading is not None and r.leading.kind in r.truth.kinds)


def _names_a_change(r: CaseResult) -> bool:
    return r.truth.cause not in (None, NO_CHANGE)


def _answered(r: CaseResult, value: Callable[[float, bool], float]) -> float | None:
    return None if r.leading is None else value(r.leading.confidence, r.right)


RATES: Mapping[str, Value] = {
    "ac@1": _within(1),
    "ac@3": _within(3),
    "ac@5": _within(5),
    "avg@5": _average_within_five,
    "mrr": lambda r: 1 / r.hit_rank if r.hit_rank else 0.0,
    "abstain_precision": lambda r: float(not _names_a_change(r)) if declined(r) else None,
    "abstain_recall": lambda r: None if _names_a_change(r) else float(declined(r)),
    "blast_radius_jaccard": _blast_radius,
    "remediation_match": lambda r: None if r.truth.remediation is None else float(r.remediation in r.truth.remediation),
    "brier": lambda r: _answered(r, lambda confidence, right: (confidence - right) ** 2),
    "kind_right": _kind,
    "first_failing_service_match": lambda r: (
        None
        if r.truth.first_failing_service is None
        else float(r.first_failing_service == r.truth.first_failing_service)
    ),
    "confidently_wrong_rate": lambda r: float(confidently_wrong(r)),
}
"""Means over the cases that have the label (for the precision: over the cases where the answer named no change)."""


def confidently_wrong(result: CaseResult) -> bool:
    """Gave a wrong answer with confidence."""
    return result.leading is not None and not result.right and result.leading.confidence >= CONFIDENT


def blamed_a_decoy(result: CaseResult) -> bool:
    return result.leading is not None and result.leading.cause in result.truth.decoys


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Expected calibration error: |accuracy − confidence| per bin, weighted by the bin's share of the answers."""
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def metrics(results: Sequence[CaseResult]) -> dict[str, float | int | None]:
    """The figures of a suite; None where no case has such a label."""
    answers = [(r.leading.confidence, float(r.right)) for r in results if r.leading is not None]
    table = np.array(answers, dtype=np.float64).reshape(-1, 2)
    seconds = [r.seconds for r in results]
    costs = [r.model_cost_usd for r in results if r.model_cost_usd is not None]
    labelled = {name: _values(results, value) for name, value in RATES.items()}
    return {
        "n": len(results),
        **{name: float(values.mean()) if len(values) else None for name, values in labelled.items()},
        "decoy_hits": sum(map(blamed_a_decoy, results)) if any(r.truth.decoys for r in results) else None,
        "ece": calibration_error(table[:, 0], table[:, 1]) if len(table) else None,
        "confidently_wrong": sum(map(confidently_wrong, results)),
        "not_enough_evidence": sum(r.abstained for r in results),
        "errors": sum(r.error is not None for r in results),
        "seconds_p50": float(np.percentile(seconds, 50)) if seconds else None,
        "seconds_p95": float(np.percentile(seconds, 95)) if seconds else None,
        "cpu_seconds_p50": float(np.median([r.cpu_seconds for r in results])) if results else None,
        "peak_rss_mb": max((r.peak_rss_mb for r in results), default=None),
        "model_cost_usd": sum(costs) if costs else None,
    }


def intervals(results: Sequence[CaseResult]) -> dict[str, tuple[float, float] | None]:
    """95% intervals of the rates over cases: percentile bootstrap (Efron 1979) with a fixed seed.

    Where every case agrees on 0 or on 1 a resample can only say the same; the exact binomial interval (Clopper and
    Pearson 1934) stands in there, so that eleven hits of eleven do not look like certainty.
    """
    values = {name: _values(results, value) for name, value in RATES.items()}
    return {name: _interval(each) if len(each) else None for name, each in values.items()}


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    if np.all(values == values[0]) and values[0] in (0.0, 1.0):
        margin = 1 - 0.025 ** (1 / len(values))
        return (1 - margin, 1.0) if values[0] else (0.0, margin)
    rng = np.random.default_rng(_SEED)
    means = values[rng.integers(0, len(values), size=(RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def _values(results: Sequence[CaseResult], value: Value) -> NDArray[np.float64]:
    scored = (value(result) for result in results)
    return np.array([each for each in scored if each is not None], dtype=np.float64)
