"""What a variant of a suite came to, beside the plain suite: the same cases, made worse on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from evals.cases import CaseResult
from evals.comparison import RowResult
from evals.figures import Interval, difference_interval, interval
from evals.one_case import Attempt
from evals.perturb import Variant
from tools.evidence import Frozen


class VariantRow(Frozen):
    """One variant over all cases of a suite. A case that it leaves as it is keeps its plain answer."""

    name: str
    n: int
    touched: int
    """Cases that the variant changes."""
    accuracy: float
    """AC@1."""
    interval: Interval
    delta: float
    """AC@1 minus that of the first variant."""
    delta_interval: Interval
    """95% interval of the difference, case by case."""
    mean_confidence: float | None
    """Of the answers that were given; None when none was."""
    not_enough_evidence: int
    lost: tuple[str, ...] = ()
    """Cases that were right before and are not any more."""
    won: tuple[str, ...] = ()
    rivals: dict[str, float] = Field(default_factory=dict[str, float])
    """AC@1 of other methods on the same variant, by name."""


def variant_rows(variants: Sequence[Variant], attempts: Sequence[Sequence[Attempt]]) -> tuple[VariantRow, ...]:
    """A row per variant that changes any case, the first variant included; empty when it stands alone.

    `attempts` holds, case by case, one attempt per variant in their order.
    """
    if len(variants) < 2 or not attempts:
        return ()
    plain = [case[0].result for case in attempts]
    columns = [[case[place] for case in attempts] for place in range(len(variants))]
    return tuple(
        _row(variant.name, plain, column)
        for place, (variant, column) in enumerate(zip(variants, columns, strict=True))
        if place == 0 or any(attempt.applies for attempt in column)
    )


def _row(name: str, plain: Sequence[CaseResult], column: Sequence[Attempt]) -> VariantRow:
    results = [attempt.result for attempt in column]
    before = np.array([float(result.right) for result in plain])
    after = np.array([float(result.right) for result in results])
    sure = [result.leading.confidence for result in results if result.leading is not None]
    return VariantRow(
        name=name,
        n=len(results),
        touched=sum(attempt.applies for attempt in column),
        accuracy=float(after.mean()),
        interval=interval(after),
        delta=float((after - before).mean()),
        delta_interval=difference_interval(after - before),
        mean_confidence=float(np.mean(sure)) if sure else None,
        not_enough_evidence=sum(result.abstained for result in results),
        lost=tuple(one.id for one, two in zip(plain, results, strict=True) if one.right and not two.right),
        won=tuple(one.id for one, two in zip(plain, results, strict=True) if two.right and not one.right),
        rivals=_accuracies([attempt.rivals for attempt in column]),
    )


def _accuracies(rows: Sequence[Mapping[str, RowResult]]) -> dict[str, float]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: sum(row[name].hit_rank == 1 for row in rows if name in row) / len(rows) for name in names}
