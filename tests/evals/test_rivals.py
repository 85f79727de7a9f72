from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from evals.rivals import RIVALS, baro, baro_score, n_sigma, n_sigma_score
from tests.evals.service_recordings import risen, series

FLOATS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12).map(np.array)


def test_n_sigma_is_the_shift_of_the_mean_in_standard_deviations() -> None:
    assert n_sigma_score(np.array([1.0, 3.0]), np.array([6.0, 4.0])) == 3.0
    assert n_sigma_score(np.array([0.0, 0.0]), np.array([7.0])) == 7.0


def test_baro_is_the_farthest_value_in_quartile_ranges() -> None:
    assert baro_score(np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.array([2.0, 10.0])) == 4.0
    assert baro_score(np.array([0.0, 0.0]), np.array([7.0])) == 7.0


def test_a_column_that_hardly_ever_moves_does_not_outweigh_everything() -> None:
    megabytes = np.array([3e8, 3e8, 3e8])
    assert n_sigma_score(megabytes, megabytes + 3e6) == pytest.approx(1.0)
    assert baro_score(megabytes, megabytes + 3e6) == pytest.approx(1.0)


@given(FLOATS, FLOATS)
def test_scores_are_distances(before: np.ndarray, after: np.ndarray) -> None:
    assert n_sigma_score(before, after) >= 0
    assert baro_score(before, after) >= 0


@pytest.mark.parametrize("rank", RIVALS.values(), ids=list(RIVALS))
@pytest.mark.parametrize("guilty", ["cart", "stock"])
def test_the_service_that_moved_stands_first_with_its_metric(rank: object, guilty: str) -> None:
    assert callable(rank)
    rows = rank(risen(guilty))
    assert (rows[0].cause, rows[0].metric) == (guilty, "cpu")
    assert {row.cause for row in rows} == {"gate", "cart", "stock"}


def test_a_service_stands_where_its_best_metric_stands() -> None:
    flat, step = [1.0, 2.0] * 10, [1.0, 2.0] * 5 + [9.0] * 10
    rows = n_sigma(series({("a", "cpu"): flat, ("a", "memory"): step, ("b", "cpu"): flat}))
    assert [(row.cause, row.metric) for row in rows] == [("a", "memory"), ("b", "cpu")]


def test_equal_scores_are_a_tie() -> None:
    step = [1.0, 2.0] * 5 + [9.0] * 10
    first, second, third = n_sigma(series({("b", "cpu"): step, ("a", "cpu"): step, ("c", "cpu"): [1.0] * 20}))
    assert first.confidence == second.confidence > third.confidence


def test_without_samples_on_both_sides_of_the_alert_there_is_no_answer() -> None:
    assert baro(series({("a", "cpu"): [1.0] * 10})) == ()
    assert n_sigma(series({("a", "cpu"): [1.0] * 20}, {"fired_at": "2026-04-01T09:00:00Z"})) == ()
    assert n_sigma(replace(risen("cart"), metrics=None)) == ()
