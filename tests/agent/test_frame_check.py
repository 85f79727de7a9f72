"""A frame is what `tools.backend` promises, or it is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agent.frame_check import check_frame
from tests.agent.investigations import small_backend
from tools.evidence import Source, ToolError

Lie = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture
def frames(tmp_path: Path) -> dict[Source, pd.DataFrame]:
    backend = small_backend(tmp_path)
    assert backend.window
    assert backend.metrics
    assert backend.logs
    assert backend.traces
    return {
        Source.METRICS: backend.metrics.metric_range(backend.window),
        Source.LOGS: backend.logs.log_lines(backend.window),
        Source.TRACES: backend.traces.spans(backend.window),
    }


@pytest.mark.parametrize("source", [Source.METRICS, Source.LOGS, Source.TRACES])
def test_what_a_recording_answers_is_accepted_also_without_rows(
    source: Source, frames: dict[Source, pd.DataFrame]
) -> None:
    check_frame(source, frames[source])
    check_frame(source, frames[source].iloc[:0])


@pytest.mark.parametrize(
    ("source", "lie", "word"),
    [
        (Source.METRICS, lambda f: f.drop(columns=["unit"]), "unit"),
        (Source.LOGS, lambda f: f.drop(columns=["attributes"]), "attributes"),
        (Source.TRACES, lambda f: f.drop(columns=["status"]), "status"),
        (Source.METRICS, lambda f: f.assign(timestamp=f["timestamp"].dt.tz_localize(None)), "aware UTC"),
        (Source.LOGS, lambda f: f.assign(timestamp=f["timestamp"].astype(str)), "aware UTC"),
        (Source.TRACES, lambda f: f.assign(start=pd.NaT), "aware UTC"),
        (Source.METRICS, lambda f: f.assign(value=np.inf), "finite"),
        (Source.METRICS, lambda f: f.assign(value="7"), "finite"),
        (Source.TRACES, lambda f: f.assign(duration_ms=np.nan), "finite"),
    ],
)
def test_what_is_not_as_promised_is_named(
    source: Source, lie: Lie, word: str, frames: dict[Source, pd.DataFrame]
) -> None:
    with pytest.raises(ToolError, match=word):
        check_frame(source, lie(frames[source]))
