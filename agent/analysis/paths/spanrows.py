"""Spans as codes: who called whom, in which service and operation, from when to when."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agent.analysis.paths.stretches import Ints
from agent.analysis.traces.spanlinks import find_parents
from tools.moments import microseconds

Texts = NDArray[np.object_]

_VARIABLE = re.compile(r"(?<![A-Za-z0-9])(?:\d+|[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]+)*)(?![A-Za-z0-9])")
"""Numbers and ids that stand alone in an operation's name: `/orders/17` is `/orders/<*>`, `/v1/orders` stays."""


@dataclass(frozen=True)
class SpanRows:
    """Spans row by row, each once. Times in microseconds since 1970, UTC."""

    trace_id: Texts
    span_id: Texts
    service: Ints
    """Codes into `services`; `name` into `names`."""
    services: tuple[str, ...]
    name: Ints
    names: tuple[str, ...]
    """Operations with their variable parts masked."""
    start: Ints
    end: Ints
    parent: Ints
    """Row of the parent, -1 where there is none."""

    def __len__(self) -> int:
        return len(self.start)


def read_spans(frame: pd.DataFrame) -> SpanRows:
    """Read a spans frame (columns and types as in tools.backend; may be empty)."""
    service, services = pd.factorize(frame["service"].to_numpy(dtype=object), sort=True)
    raw_name, raw_names = pd.factorize(frame["name"].to_numpy(dtype=object), sort=True)
    masked = np.array([_VARIABLE.sub("<*>", str(name)) for name in raw_names], dtype=object)
    merged, names = pd.factorize(masked, sort=True)
    name = merged[raw_name]
    start = microseconds(frame["start"])
    took = np.rint(np.maximum(np.nan_to_num(frame["duration_ms"].to_numpy(dtype=np.float64)), 0.0) * 1000)
    trace, span = frame["trace_id"].to_numpy(dtype=object), frame["span_id"].to_numpy(dtype=object)
    facts = np.stack([service, raw_name, start, took.astype(np.int64)]).astype(np.int64)
    links = find_parents(trace, span, frame["parent_span_id"].to_numpy(dtype=object), facts)
    keep = links.keep
    return SpanRows(
        trace_id=trace[keep],
        span_id=span[keep],
        service=service.astype(np.int64)[keep],
        services=tuple(str(text) for text in services),
        name=name.astype(np.int64)[keep],
        names=tuple(str(text) for text in names),
        start=start[keep],
        end=(start + facts[3])[keep],
        parent=links.parent,
    )
