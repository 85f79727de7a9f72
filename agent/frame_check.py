"""Refuses frames that are not what a backend promised, before an analysis stumbles over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tools.backend import LOG_COLUMNS, METRIC_COLUMNS, SPAN_COLUMNS
from tools.evidence import Source, ToolError


@dataclass(frozen=True)
class Promise:
    """What `tools.backend` says of one kind of frame."""

    columns: tuple[str, ...]
    time: str
    number: str | None = None


PROMISES = {
    Source.METRICS: Promise(METRIC_COLUMNS, "timestamp", "value"),
    Source.LOGS: Promise(LOG_COLUMNS, "timestamp"),
    Source.TRACES: Promise(SPAN_COLUMNS, "start", "duration_ms"),
}


def check_frame(source: Source, frame: pd.DataFrame) -> None:
    """Raise ToolError when columns are missing, times are no aware UTC times, or figures are no finite numbers."""
    promise = PROMISES[source]
    missing = [name for name in promise.columns if name not in frame.columns]
    if missing:
        raise ToolError(source, f"the answer lacks the column {missing[0]!r}")
    times = frame[promise.time]
    if str(times.dtype) != "datetime64[us, UTC]" or bool(times.isna().any()):
        raise ToolError(source, f"the answer's {promise.time} is {times.dtype}, or has gaps; aware UTC times are due")
    if promise.number is None:
        return
    figures = frame[promise.number]
    if figures.dtype != np.float64 or not bool(np.isfinite(figures.to_numpy()).all()):
        raise ToolError(
            source, f"the answer's {promise.number} is {figures.dtype}, or not finite; finite figures are due"
        )
