"""The read tool for metrics."""

from __future__ import annotations

import pandas as pd

from tools.answer import Answer, frame_answer, rounded
from tools.backend import Metrics
from tools.evidence import Query, Source, TimeWindow


def metric_range(metrics: Metrics, window: TimeWindow, service: str | None = None, metric: str | None = None) -> Answer:
    """Samples of metrics over the window. Without a service or metric: of all of them.

    Columns: timestamp, service, instance, metric, value, unit. Raises ToolError.
    """
    frame = metrics.metric_range(window, service, metric)
    query = Query(tool="metric_range", arguments={"service": service, "metric": metric})
    return frame_answer(Source.METRICS, query, window, _summary(frame, service, metric), frame)


def _summary(frame: pd.DataFrame, service: str | None, metric: str | None) -> str:
    what = f"{metric or 'all metrics'} of {service or 'all services'}"
    if frame.empty:
        return f"{what}: no samples"
    if service is None or metric is None:
        series = len(frame[["service", "instance", "metric"]].drop_duplicates())
        return f"{what}: {len(frame)} samples in {series} series of {frame['service'].nunique()} services"
    values, unit = frame["value"], str(frame["unit"].iloc[-1])
    figures = f"{rounded(values.min())} .. {rounded(values.max())}, last {rounded(values.iloc[-1])}"
    instances = frame["instance"].nunique()
    spread = f" over {instances} instances" if instances > 1 else ""
    return f"{what}: {len(frame)} samples{spread}, {figures}{' ' + unit if unit else ''}"
