"""Rows to compare with: what a trivial rule or another method makes of the same cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from evals.cases import CaseResult
from evals.scorers import metric_right
from tools.evidence import Frozen


class RowResult(Frozen):
    """What one rule made of one case."""

    hit_rank: int | None
    blamed_a_decoy: bool = False
    metric_right: bool | None = None
    """None where the rule names no metric or the case has no such label."""

    @classmethod
    def of(cls, result: CaseResult) -> RowResult:
        named = metric_right(result)
        return cls(hit_rank=result.hit_rank, metric_right=None if named is None else named == 1.0)


class ComparisonRow(Frozen):
    """A rule over a whole suite."""

    name: str
    hits: int
    """Cases whose first place is right."""
    accuracy_at_3: float
    average_at_5: float
    mrr: float
    decoy_hits: int
    metric_right: float | None = None
    """Share of the labelled cases with the right first place and the exact metric."""


Rows = Mapping[str, RowResult]
"""Results of one case, by the rule's name."""


def comparison_rows(results: Sequence[Rows]) -> tuple[ComparisonRow, ...]:
    """Every rule over the cases that it was tried on, in the order in which the rules first appear."""
    names = dict.fromkeys(name for result in results for name in result)
    return tuple(_row(name, [result[name] for result in results if name in result]) for name in names)


def _row(name: str, each: Sequence[RowResult]) -> ComparisonRow:
    ranks = [result.hit_rank for result in each]
    labelled = [result.metric_right for result in each if result.metric_right is not None]
    return ComparisonRow(
        name=name,
        hits=sum(rank == 1 for rank in ranks),
        accuracy_at_3=_mean(rank is not None and rank <= 3 for rank in ranks),
        average_at_5=_mean(max(0, 6 - rank) / 5 if rank else 0.0 for rank in ranks),
        mrr=_mean(1 / rank if rank else 0.0 for rank in ranks),
        decoy_hits=sum(result.blamed_a_decoy for result in each),
        metric_right=_mean(labelled) if labelled else None,
    )


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)
