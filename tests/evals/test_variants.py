from __future__ import annotations

from datetime import timedelta

from evals.cases import Truth
from evals.comparison import RowResult
from evals.one_case import Attempt
from evals.perturb import PLAIN, Part, Variant
from evals.variants import variant_rows
from tests.evals.incident_folders import answered, result

X = Truth(cause="x")
LATE = Variant(shift=timedelta(seconds=60))
NO_LOGS = Variant(without=(Part.LOGS,))


def test_a_variant_stands_beside_the_plain_cases() -> None:
    right = Attempt(answered("x", 0.8, X, id="a"), rivals={"baro": RowResult(hit_rank=1)})
    wrong = Attempt(answered("y", 0.6, X, id="a"), rivals={"baro": RowResult(hit_rank=2)})
    unsure = Attempt(result("b", X, abstained=True), rivals={"baro": RowResult(hit_rank=None)})
    found = Attempt(answered("x", 0.4, X, id="b"), rivals={"baro": RowResult(hit_rank=1)})
    plain, late = variant_rows((PLAIN, LATE), [(right, wrong), (unsure, found), (right, right)])
    assert (plain.name, plain.n, plain.delta, plain.lost, plain.won) == ("plain", 3, 0.0, (), ())
    assert (plain.accuracy, plain.not_enough_evidence, plain.mean_confidence) == (2 / 3, 1, 0.8)
    assert (late.name, late.lost, late.won, late.not_enough_evidence) == ("alert 60 s late", ("a",), ("b",), 0)
    assert late.accuracy == 2 / 3
    assert late.delta_interval[0] < 0 < late.delta_interval[1]
    assert late.mean_confidence is not None
    assert round(late.mean_confidence, 3) == 0.6
    assert (plain.rivals["baro"], late.rivals["baro"]) == (2 / 3, 2 / 3)


def test_a_variant_that_changes_no_case_has_no_row() -> None:
    plain = Attempt(answered("x", 0.8, X))
    same = Attempt(plain.result, applies=False)
    assert [row.name for row in variant_rows((PLAIN, NO_LOGS), [(plain, same)])] == ["plain"]
    partly = variant_rows((PLAIN, NO_LOGS), [(plain, same), (plain, plain)])
    assert [(row.name, row.touched) for row in partly] == [("plain", 2), ("without logs", 1)]


def test_the_plain_suite_alone_needs_no_table() -> None:
    assert variant_rows((PLAIN,), [(Attempt(answered("x", 0.8, X)),)]) == ()
    assert variant_rows((PLAIN, LATE), []) == ()


def test_nobody_is_sure_where_nobody_answers() -> None:
    unsure = Attempt(result("b", X, abstained=True))
    assert variant_rows((PLAIN, LATE), [(unsure, unsure)])[0].mean_confidence is None
