"""Who broke first: within each trace, the service whose broken transition was over before any other's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.analysis.paths.stretches import Ints

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Broken:
    """Broken transitions of one table after the split, event by event."""

    row: Ints
    """Row of the counts."""
    service: Ints
    """A code that all tables share."""
    trace: Ints
    done: Ints


def first_shares(tables: Sequence[Broken], rows: Sequence[int]) -> tuple[NDArray[np.float64], ...]:
    """For each table and row: the share of its traces in which no other service broke earlier; 0 without any event."""
    service = np.concatenate([table.service for table in tables])
    trace = np.concatenate([table.trace for table in tables])
    done = np.concatenate([table.done for table in tables])
    order = np.lexsort((service, done, trace))
    ranked = trace[order]
    begins = np.flatnonzero(np.diff(ranked, prepend=-1))
    earliest = np.full(int(trace.max(initial=-1)) + 1, NEVER)
    earliest[ranked[begins]] = done[order][begins]
    # A service is first when it has an event at the earliest moment; two may be, where clocks are coarse.
    width = int(service.max(initial=0)) + 1
    leading = np.unique((trace * width + service)[done == earliest[trace]])
    return tuple(_share(table, leading, width, count) for table, count in zip(tables, rows, strict=True))


def _share(table: Broken, leading: Ints, width: int, rows: int) -> NDArray[np.float64]:
    if not len(table.row):
        return np.zeros(rows)
    traces = int(table.trace.max()) + 1
    pairs, sample = np.unique(table.row * traces + table.trace, return_index=True)
    row = pairs // traces
    led = np.isin(table.trace[sample] * width + table.service[sample], leading)
    count = np.bincount(row, minlength=rows)
    return np.bincount(row, weights=led, minlength=rows) / np.maximum(count, 1)
