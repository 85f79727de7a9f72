"""A series drawn in one line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

BLOCKS = "▁▂▃▄▅▆▇█"
MARK = "│"
"""Drawn where the series moved; a line between two blocks needs no colour to be seen."""


def sparkline(series: Sequence[float | None], width: int, mark: int | None = None) -> str:
    """Draw `series` with at most `width` characters; `mark` is the index in front of which the onset line stands.

    Where there are more values than columns, a column shows the value of its stretch that is farthest from the series'
    median, so a short spike is not averaged away. None and what is not finite leave a gap.
    """
    values = [math.nan if value is None else value for value in series]
    if not values or width < 2:
        return ""
    if mark is None or not 0 < mark < len(values) or width < 3:
        return _blocks(_fitted(values, width), values)
    left = max(1, min(width - 2, round((width - 1) * mark / len(values)), mark))
    before = _fitted(values[:mark], left)
    after = _fitted(values[mark:], width - 1 - left)
    return _blocks(before, values) + MARK + _blocks(after, values)


def _fitted(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    middle = _median(values)
    edges = [round(i * len(values) / width) for i in range(width + 1)]
    return [_farthest(values[a:b], middle) for a, b in pairwise(edges)]


def _farthest(values: Sequence[float], middle: float) -> float:
    finite = [v for v in values if math.isfinite(v)]
    return max(finite, key=lambda v: abs(v - middle)) if finite else math.nan


def _median(values: Sequence[float]) -> float:
    finite = sorted(v for v in values if math.isfinite(v))
    return finite[len(finite) // 2] if finite else 0.0


def _blocks(shown: Sequence[float], scale: Sequence[float]) -> str:
    finite = [v for v in scale if math.isfinite(v)]
    if not finite:
        return " " * len(shown)
    low, high = min(finite), max(finite)
    span = high / 2 - low / 2  # halved, because the distance of two large numbers overflows
    if span == 0:
        return "".join(BLOCKS[3] if math.isfinite(v) else " " for v in shown)
    steps = len(BLOCKS) - 1
    return "".join(BLOCKS[round((v / 2 - low / 2) / span * steps)] if math.isfinite(v) else " " for v in shown)
