"""The read tool for logs."""

from __future__ import annotations

import pandas as pd

from tools.answer import Answer, frame_answer
from tools.backend import Logs
from tools.evidence import Query, Source, TimeWindow, ToolError
from tools.masked_columns import masked_attribute_column, masked_text_column
from tools.moments import iso
from tools.redaction import longest_open


def log_lines(
    logs: Logs,
    window: TimeWindow,
    service: str | None = None,
    contains: str | None = None,
    limit: int | None = None,
) -> Answer:
    """Log lines over the window, oldest first; `contains` is a case-sensitive part of the text, secrets masked.

    Columns: timestamp, service, instance, severity, body, trace_id, span_id, attributes. Raises ToolError.
    """
    if limit is not None and limit < 1:
        raise ToolError(Source.LOGS, f"limit={limit} must be at least 1")
    # Whoever asks has only seen masked text, the backend holds the secret: search what is open, then match in full.
    wanted = longest_open(contains) if contains else contains
    hidden = wanted != contains
    frame = logs.log_lines(window, service, wanted or None, None if hidden else limit)
    frame = frame.assign(
        body=masked_text_column(frame["body"]), attributes=masked_attribute_column(frame["attributes"])
    )
    if hidden and contains:
        frame = frame[[contains in body for body in frame["body"]]].reset_index(drop=True)
        frame = frame if limit is None else frame.head(limit)
    query = Query(tool="log_lines", arguments={"service": service, "contains": contains, "limit": limit})
    return frame_answer(Source.LOGS, query, window, _summary(frame, service, contains), frame)


def _summary(frame: pd.DataFrame, service: str | None, contains: str | None) -> str:
    what = f"log lines of {service or 'all services'}" + (f" with {contains!r}" if contains else "")
    if frame.empty:
        return f"{what}: none"
    severities = ", ".join(f"{word} {count}" for word, count in frame["severity"].value_counts().sort_index().items())
    first, last = frame["timestamp"].iloc[0], frame["timestamp"].iloc[-1]
    return f"{what}: {len(frame)} ({severities}), first {iso(first)}, last {iso(last)}"
