"""A series in one line of text."""

from __future__ import annotations

import math

from hypothesis import given, strategies as st

from web.terminal.sparkline import BLOCKS, MARK, sparkline

SERIES = st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True), max_size=400)


@given(SERIES, st.integers(min_value=2, max_value=80), st.integers(min_value=-5, max_value=405))
def test_it_never_exceeds_its_width_and_draws_nothing_else(values: list[float | None], width: int, mark: int) -> None:
    drawn = sparkline(values, width, mark)
    assert len(drawn) <= width
    assert set(drawn) <= {*BLOCKS, MARK, " "}


def test_a_step_is_low_before_the_mark_and_high_after_it() -> None:
    assert sparkline([1, 1, 1, 1, 9, 9], 20, mark=4) == "▁▁▁▁│██"


def test_a_single_spike_survives_being_squeezed() -> None:
    values: list[float | None] = [1.0] * 500
    values[250] = 90
    assert "█" in sparkline(values, 20)


def test_a_flat_series_is_a_line_and_a_missing_value_a_gap() -> None:
    assert sparkline([5, 5, None, 5, math.nan, 5], 10) == "▄▄ ▄ ▄"


def test_nothing_is_drawn_of_nothing() -> None:
    assert sparkline([], 20) == ""
    assert sparkline([1, 2], 1) == ""


def test_a_mark_outside_the_series_is_not_drawn() -> None:
    assert MARK not in sparkline([1, 2, 3], 10, mark=0) + sparkline([1, 2, 3], 10, mark=3)
