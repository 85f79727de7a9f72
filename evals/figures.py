"""The figures of a suite: means over its cases, with intervals. Pure functions; rates are in 0..1.

AC@k, Avg@k and MRR are the usual ranking measures of the root-cause literature (Avg@k is the mean of AC@1..k); Brier
(1950) and the expected calibration error (Naeini et al. 2015, ten bins of equal width) judge the confidence of the
answer that was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from evals.cases import NO_CHANGE, CaseResult
from evals.scorers import (
    blamed_a_decoy,
    blast_radius_match,
    cause_and_kind_right,
    confidently_wrong,
    declined,
    false_alarm,
    first_listed_right,
    kind_right,
    metric_right,
    region_right,
)
from tools.evidence import Frozen

RESAMPLES = 2_000
"""Bootstrap resamples: the ends of a 95% interval then rest on 50 resamples each."""
_SEED = 20261123
BINS = 10
"""Bins of the calibration error and of the reliability diagram."""

Interval = tuple[float, float]
Figures = dict[str, float | int | None]

Value = Callable[[CaseResult], float | None]
"""A score of one case, None where the case has no such label."""


def _within(k: int) -> Value:
    return lambda r: float(r.hit_rank is not None and r.hit_rank <= k)


def _average_within_five(r: CaseResult) -> float:
    return max(0, 6 - r.hit_rank) / 5 if r.hit_rank else 0.0


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
    "first_listed_right": first_listed_right,
    "abstain_precision": lambda r: float(not _names_a_change(r)) if declined(r) else None,
    "abstain_recall": lambda r: None if _names_a_change(r) else float(declined(r)),
    "blast_radius_jaccard": blast_radius_match,
    "remediation_match": lambda r: None if r.truth.remediation is None else float(r.remediation in r.truth.remediation),
    "brier": lambda r: _answered(r, lambda confidence, right: (confidence - right) ** 2),
    "kind_right": kind_right,
    "cause_and_kind_right": cause_and_kind_right,
    "metric_right": metric_right,
    "region_right": region_right,
    "first_failing_service_match": lambda r: (
        None
        if r.truth.first_failing_service is None
        else float(r.first_failing_service == r.truth.first_failing_service)
    ),
    "confidently_wrong_rate": lambda r: float(confidently_wrong(r)),
}
"""Means over the cases that have the label (for the precision: over the cases where the answer named no change)."""

LOWER_IS_BETTER = frozenset({"brier", "ece", "confidently_wrong_rate", "false_alarm_rate"})
"""Rates that count what went wrong; every other rate counts what went right."""
OF_CONFIDENCE = frozenset({"brier", "ece", "confidently_wrong", "confidently_wrong_rate"})
"""Figures that mean nothing for a method whose scores are no probabilities."""


def metrics(results: Sequence[CaseResult]) -> Figures:
    """The figures of a suite; None where no case has such a label."""
    table = answers(results)
    seconds = [r.seconds for r in results]
    costs = [r.model_cost_usd for r in results if r.model_cost_usd is not None]
    return {
        "n": len(results),
        **{name: mean(results, name) for name in RATES},
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


def intervals(results: Sequence[CaseResult]) -> dict[str, Interval | None]:
    """The 95% interval of every rate over the cases, None where no case has the label."""
    values = {name: _values(results, name) for name in RATES}
    return {name: interval(each) if len(each) else None for name, each in values.items()}


def mean(results: Sequence[CaseResult], rate: str) -> float | None:
    """One rate over the cases that have its label."""
    values = _values(results, rate)
    return float(values.mean()) if len(values) else None


def answers(results: Sequence[CaseResult]) -> NDArray[np.float64]:
    """Confidence and right (0 or 1) of every answer that was given, one row each."""
    rows = [(r.leading.confidence, float(r.right)) for r in results if r.leading is not None]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


class Bin(Frozen):
    """The answers whose confidence lies in [since, until), the last bin's end included."""

    since: float
    until: float
    count: int
    confidence: float
    """Mean confidence; the middle of the bin when it is empty."""
    accuracy: float
    """Share that was right; 0 when it is empty."""
    interval: Interval
    """95% interval of the share (Wilson 1927); all of 0..1 when the bin is empty."""


def reliability(results: Sequence[CaseResult]) -> tuple[Bin, ...]:
    """How often answers of a confidence are right (a reliability diagram as in DeGroot and Fienberg 1983)."""
    table = answers(results)
    places = _bins(table[:, 0])
    found: list[Bin] = []
    for place in range(BINS):
        inside = table[places == place]
        since, until = place / BINS, (place + 1) / BINS
        confidence = float(inside[:, 0].mean()) if len(inside) else (since + until) / 2
        accuracy = float(inside[:, 1].mean()) if len(inside) else 0.0
        found.append(
            Bin(
                since=since,
                until=until,
                count=len(inside),
                confidence=confidence,
                accuracy=accuracy,
                interval=_wilson(inside[:, 1]),
            )
        )
    return tuple(found)


def _wilson(right: NDArray[np.float64]) -> Interval:
    if not len(right):
        return (0.0, 1.0)
    found = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Expected calibration error: |accuracy − confidence| per bin, weighted by the bin's share of the answers."""
    gaps = np.bincount(_bins(confidence), weights=right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def _bins(confidence: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)


def interval(values: NDArray[np.float64]) -> Interval:
    """95% interval of the mean: percentile bootstrap (Efron 1979) with a fixed seed.

    Where every case agrees on 0 or on 1 a resample can only say the same; the exact binomial interval (Clopper and
    Pearson 1934) stands in there, so that eleven hits of eleven do not look like certainty.
    """
    if np.all(values == values[0]) and values[0] in (0.0, 1.0):
        margin = _margin(len(values))
        return (1 - margin, 1.0) if values[0] else (0.0, margin)
    return _bootstrap(values)


def difference_interval(values: NDArray[np.float64]) -> Interval:
    """The same for the mean of differences in -1..1, where no difference in any case is no proof that there is none."""
    if np.all(values == values[0]):
        margin = _margin(len(values))
        return max(-1.0, float(values[0]) - margin), min(1.0, float(values[0]) + margin)
    return _bootstrap(values)


def _margin(count: int) -> float:
    return 1 - 0.025 ** (1 / count)


def _bootstrap(values: NDArray[np.float64]) -> Interval:
    rng = np.random.default_rng(_SEED)
    means = values[rng.integers(0, len(values), size=(RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def _values(results: Sequence[CaseResult], rate: str) -> NDArray[np.float64]:
    if rate == "abstain_precision" and all(map(_names_a_change, results)):
        return np.array([])  # a suite that has nothing to decline has no label for declining
    scored = (RATES[rate](result) for result in results)
    return np.array([each for each in scored if each is not None], dtype=np.float64)


class GroupRow(Frozen):
    """The figures of one type of fault."""

    group: str
    n: int
    figures: dict[str, float]
    """Rates by name; only those that some case of the group has a label for."""
    interval: Interval
    """95% interval of AC@1."""


MOST_PARTS = 6
"""More folders than this are cases of their own rather than parts of the data."""
OF_GROUPS = ("ac@1", "ac@3", "mrr", "kind_right", "cause_and_kind_right", "metric_right", "region_right")


def groups(results: Sequence[CaseResult]) -> tuple[GroupRow, ...]:
    """The cases by their `Truth.group`, in order of its name; empty for a suite that knows no types of fault."""
    return group_rows(results, lambda result: result.truth.group)


def parts(results: Sequence[CaseResult]) -> tuple[GroupRow, ...]:
    """The cases by the first folder of their id (a day, a traffic pattern); empty unless there are a few of those."""
    rows = group_rows(results, lambda result: result.id.rpartition("/")[0].partition("/")[0])
    return rows if 2 <= len(rows) <= MOST_PARTS else ()


def group_rows(results: Sequence[CaseResult], named: Callable[[CaseResult], str]) -> tuple[GroupRow, ...]:
    """A row per name, in order of the names; cases without a name are in no row."""
    rows: list[GroupRow] = []
    for name in sorted({named(r) for r in results} - {""}):
        inside = [r for r in results if named(r) == name]
        figures = {rate: mean(inside, rate) for rate in OF_GROUPS}
        rows.append(
            GroupRow(
                group=name,
                n=len(inside),
                figures={rate: value for rate, value in figures.items() if value is not None},
                interval=interval(_values(inside, "ac@1")),
            )
        )
    return tuple(rows)


class Quiet(Frozen):
    """The same engine on stretches without a fault, where every cause that it names is a false alarm."""

    n: int
    false_alarms: int
    """Stretches where a cause was named with a confidence of at least `evals.scorers.ALARMED`."""
    false_alarm_rate: float
    interval: Interval
    errors: int = 0
    cases: tuple[CaseResult, ...] = ()


def quiet(results: Sequence[CaseResult]) -> Quiet | None:
    """How often a cause was named on quiet stretches; None without a stretch."""
    if not results:
        return None
    alarms = np.array([float(false_alarm(r)) for r in results], dtype=np.float64)
    return Quiet(
        n=len(results),
        false_alarms=int(alarms.sum()),
        false_alarm_rate=float(alarms.mean()),
        interval=interval(alarms),
        errors=sum(r.error is not None for r in results),
        cases=tuple(results),
    )
