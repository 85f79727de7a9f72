from __future__ import annotations

from evals.cases import RankedCause, Truth
from evals.comparison import RowResult, comparison_rows
from tests.evals.incident_folders import result


def test_rows_add_up_over_the_cases_they_were_tried_on() -> None:
    rows = comparison_rows(
        [
            {"a": RowResult(hit_rank=1, metric_right=True), "b": RowResult(hit_rank=None, blamed_a_decoy=True)},
            {"a": RowResult(hit_rank=3, metric_right=False)},
            {"a": RowResult(hit_rank=None)},
        ]
    )
    first, second = rows
    assert (first.name, first.hits, first.accuracy_at_3, first.decoy_hits) == ("a", 1, 2 / 3, 0)
    assert (round(first.average_at_5, 3), round(first.mrr, 3), first.metric_right) == (0.533, 0.444, 0.5)
    assert (second.name, second.hits, second.decoy_hits, second.metric_right) == ("b", 0, 1, None)
    assert comparison_rows([]) == ()


def test_a_result_knows_whether_its_metric_is_right() -> None:
    row = RankedCause(cause="x", metric="cpu", confidence=1)
    labelled = Truth(cause="x", metric="cpu")
    assert RowResult.of(result(truth=labelled, ranked=(row,), hit_rank=1)).metric_right is True
    assert RowResult.of(result(truth=labelled, ranked=(row,), hit_rank=None)).metric_right is False
    assert RowResult.of(result(ranked=(row,), hit_rank=1)).metric_right is None
