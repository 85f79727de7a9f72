from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agent.analysis.history import a_day_before, as_usual, past_of
from agent.analysis.observed import Past
from tests.agent.analysis.scenes import WINDOW, incident, moved

YESTERDAY = a_day_before(WINDOW)


def frame(values: list[float]) -> pd.DataFrame:
    times = pd.date_range(YESTERDAY.since, periods=len(values), freq="60s").astype("datetime64[us, UTC]")
    return pd.DataFrame(
        {"timestamp": times, "service": "web", "instance": "", "metric": "queue_depth", "value": values, "unit": ""}
    )


def test_the_range_of_a_day_before() -> None:
    (past,) = past_of(frame(list(np.linspace(10, 110, 101))), YESTERDAY)
    assert (past.service, past.metric) == ("web", "queue_depth")
    assert past.low == pytest.approx(15)
    assert past.high == pytest.approx(105)


@pytest.mark.parametrize(
    ("before", "after", "low", "high", "usual"),
    [(5, 100, 4, 98, True), (5, 100, 4, 60, False), (50, 2, 1.5, 60, True), (50, 2, 20, 60, False)],
)
def test_a_level_that_was_reached_before_is_usual(
    before: float, after: float, low: float, high: float, usual: bool
) -> None:
    past = Past(service="web", metric="queue_depth", low=low, high=high, window=YESTERDAY, evidence="E1")
    observations, _, _ = incident()
    known = observations.model_copy(update={"history": (past,)})
    assert (as_usual(moved("web", "queue_depth", before, after), known) is past) is usual


def test_another_series_says_nothing() -> None:
    past = Past(service="web", metric="other", low=0, high=1e9, window=YESTERDAY, evidence="E1")
    observations, _, _ = incident()
    known = observations.model_copy(update={"history": (past,)})
    assert as_usual(moved("web", "queue_depth", 1, 100), known) is None
