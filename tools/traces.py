"""The read tool for traces."""

from __future__ import annotations

import pandas as pd

from tools.answer import Answer, frame_answer, rounded
from tools.backend import Traces
from tools.evidence import Query, Source, TimeWindow
from tools.masked_columns import masked_attribute_column, masked_text_column
from tools.redaction import MASK


def spans(traces: Traces, window: TimeWindow, service: str | None = None, operation: str | None = None) -> Answer:
    """Spans that start inside the window; `operation` is the name of a span, secrets masked.

    Columns: trace_id, span_id, parent_span_id, service, name, kind, start, duration_ms, status, attributes.
    Raises ToolError.
    """
    hidden = operation is not None and MASK in operation
    frame = traces.spans(window, service, None if hidden else operation)
    frame = frame.assign(
        name=masked_text_column(frame["name"]), attributes=masked_attribute_column(frame["attributes"])
    )
    if hidden:
        frame = frame[frame["name"] == operation].reset_index(drop=True)
    query = Query(tool="spans", arguments={"service": service, "operation": operation})
    return frame_answer(Source.TRACES, query, window, _summary(frame, service, operation), frame)


def _summary(frame: pd.DataFrame, service: str | None, operation: str | None) -> str:
    what = f"spans of {operation or 'all operations'} of {service or 'all services'}"
    if frame.empty:
        return f"{what}: none"
    errors, traces = int((frame["status"] == "ERROR").sum()), frame["trace_id"].nunique()
    median, p95 = (rounded(float(frame["duration_ms"].quantile(q))) for q in (0.5, 0.95))
    return f"{what}: {len(frame)} in {traces} traces, {errors} errors, median {median} ms, p95 {p95} ms"
