"""Was it so before? The range of a series a day earlier tells a daily pattern from a deviation."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from agent.analysis.metrics.series import clean_series
from agent.analysis.observed import Observations, Past
from agent.incident import Signal, SignalKind
from tools.evidence import Query, TimeWindow, evidence_id

A_DAY = timedelta(days=1)
"""Load follows the day more than anything else; the same hours of yesterday are the nearest comparable ones."""
ALIKE = 0.9
"""A level counts as reached before when yesterday came within a tenth of it."""


def a_day_before(window: TimeWindow) -> TimeWindow:
    return TimeWindow(since=window.since - A_DAY, until=window.until - A_DAY)


def past_of(frame: pd.DataFrame, window: TimeWindow) -> tuple[Past, ...]:
    """The 5th to 95th percentile of every series of a metrics frame (columns of `tools.backend`) over an earlier window."""
    return tuple(
        Past(
            service=one.service,
            metric=one.metric,
            low=float(np.percentile(one.values, 5)),
            high=float(np.percentile(one.values, 95)),
            window=window,
            evidence=evidence_id(
                Query(tool="metric_range", arguments={"service": one.service, "metric": one.metric}), window
            ),
        )
        for one in clean_series(frame)
        if len(one.values)
    )


def as_usual(signal: Signal, observations: Observations) -> Past | None:
    """The earlier stretch in which the series was as high (or as low) as the signal has it now; None without any."""
    if signal.kind is not SignalKind.METRIC:
        return None
    for past in observations.history:
        if (past.service, past.metric) != (signal.service, signal.name):
            continue
        if signal.direction == "up" and past.high >= ALIKE * signal.after > 0:
            return past
        if signal.direction == "down" and 0 <= ALIKE * past.low <= signal.after:
            return past
    return None
