"""Frames as `tools.backend` lists them, from the series of Prometheus' answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.backend import METRIC_COLUMNS
from tools.evidence import JsonObject, TimeWindow

Key = tuple[str, str, str, str]
"""Service, instance, metric, unit."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Samples of one series: microseconds since 1970 and finite values, in order."""

    key: Key
    times: NDArray[np.int64]
    values: NDArray[np.float64]


def piece(key: Key, row: JsonObject, window: TimeWindow) -> Piece:
    """The samples of one series inside the window; values that are no finite number are no samples.

    Raises KeyError, TypeError or ValueError for what is no series.
    """
    samples: list[list[float | str]] = row.get("values") or ([row["value"]] if "value" in row else [])
    times = np.array([round(float(moment) * 1_000) for moment, _ in samples], dtype=np.int64) * 1_000
    values = np.array([float(value) for _, value in samples], dtype=np.float64)
    since, until = (round(edge.timestamp() * 1_000_000) for edge in (window.since, window.until))
    inside = np.isfinite(values) & (times >= since) & (times < until)
    return Piece(key, times[inside], values[inside])


def joined(pieces: Iterable[Piece], largest: bool) -> list[Piece]:
    """One piece for each key; where several meet at one moment, their sum or the largest of them."""
    by_key: dict[Key, list[Piece]] = defaultdict(list)
    for one in pieces:
        by_key[one.key].append(one)
    return [group[0] if len(group) == 1 else _one(group, largest) for group in by_key.values()]


def _one(group: Sequence[Piece], largest: bool) -> Piece:
    times, place = np.unique(np.concatenate([one.times for one in group]), return_inverse=True)
    together = np.full(len(times), -np.inf if largest else 0.0)
    combine = np.maximum if largest else np.add
    combine.at(together, place, np.concatenate([one.values for one in group]))
    return Piece(group[0].key, times, together)


def frame_of(pieces: Sequence[Piece]) -> pd.DataFrame:
    """All samples, sorted by time, then service, metric and instance."""
    ordered = sorted((one for one in pieces if len(one.times)), key=lambda one: (one.key[0], one.key[2], one.key[1]))
    lengths = [len(one.times) for one in ordered]
    times = np.concatenate([one.times for one in ordered]) if ordered else np.zeros(0, dtype=np.int64)
    values = np.concatenate([one.values for one in ordered]) if ordered else np.zeros(0)
    order = np.argsort(times, kind="stable")
    series = np.repeat(np.arange(len(ordered)), lengths)[order]
    frame: dict[str, object] = {
        "timestamp": pd.to_datetime(times[order], unit="us", utc=True).as_unit("us"),
        "value": values[order],
    }
    for place, name in enumerate(("service", "instance", "metric", "unit")):
        texts = np.array([one.key[place] for one in ordered], dtype=object)
        frame[name] = pd.Series(texts[series] if ordered else [], dtype="str")
    return pd.DataFrame(frame)[list(METRIC_COLUMNS)]
