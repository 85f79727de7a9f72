from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from tests.tools.recording_files import START
from tools.evidence import Source, TimeWindow, ToolError
from tools.frame_index import FrameIndex


def frame_of(rows: list[tuple[int, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "timestamp": pd.to_datetime([START + timedelta(seconds=row[0]) for row in rows], utc=True).as_unit("us"),
            "service": pd.array([row[1] for row in rows], dtype="str"),
            "metric": pd.array([row[2] for row in rows], dtype="str"),
            "value": np.arange(float(len(rows))),
        }
    )


def seconds(since: float, until: float) -> TimeWindow:
    return TimeWindow(since=START + timedelta(seconds=since), until=START + timedelta(seconds=until))


rows = st.lists(st.tuples(st.integers(0, 9), st.sampled_from("ab"), st.sampled_from("xyz")), min_size=1, max_size=40)


@given(rows, st.integers(0, 9), st.integers(1, 10), st.sampled_from(["a", None]), st.sampled_from(["x", None]))
def test_it_selects_what_a_scan_selects(
    given_rows: list[tuple[int, str, str]], since: int, length: int, service: str | None, metric: str | None
) -> None:
    frame = frame_of(sorted(given_rows, key=lambda row: row[0]))
    window = seconds(since, since + length)
    wanted = frame[(frame["timestamp"] >= window.since) & (frame["timestamp"] < window.until)]
    wanted = wanted[wanted["service"] == service] if service else wanted
    wanted = wanted[wanted["metric"] == metric] if metric else wanted
    index = FrameIndex(frame, Source.METRICS, name="metric")
    known = frame if service is None else frame[frame["service"] == service]
    if known.empty or (metric and not (known["metric"] == metric).any()):
        with pytest.raises(ToolError):
            index.select(window, service, metric)
    else:
        pd.testing.assert_frame_equal(index.select(window, service, metric), wanted.reset_index(drop=True))


def test_an_unsorted_frame_is_sorted_on_the_way_in() -> None:
    index = FrameIndex(frame_of([(5, "a", "x"), (1, "a", "x")]), Source.METRICS, name="metric")
    assert index.select(seconds(0, 9), "a", "x")["value"].tolist() == [1.0, 0.0]


def test_the_window_is_half_open() -> None:
    index = FrameIndex(frame_of([(0, "a", "x"), (5, "a", "x")]), Source.METRICS, name="metric")
    assert len(index.select(seconds(0, 5))) == 1
    assert len(index.select(seconds(0, 5.000001))) == 2


def test_unknown_names_say_what_there_is() -> None:
    index = FrameIndex(frame_of([(0, "inventory", "pool"), (1, "cart", "cpu")]), Source.METRICS, name="metric")
    with pytest.raises(ToolError, match=r"no metrics of service 'invetory' are recorded; did you mean 'inventory'\?"):
        index.select(seconds(0, 9), "invetory")
    with pytest.raises(ToolError, match="no metrics of inventory metric 'cpu' are recorded; there are pool"):
        index.select(seconds(0, 9), "inventory", "cpu")
    with pytest.raises(ToolError, match="no metrics of metric 'disk' are recorded; there are cpu, pool"):
        index.select(seconds(0, 9), None, "disk")


def test_what_comes_out_cannot_change_the_recording() -> None:
    index = FrameIndex(frame_of([(0, "a", "x"), (1, "a", "x")]), Source.METRICS, name="metric")
    for taken in (index.select(seconds(0, 9)), index.select(seconds(0, 9), "a")):
        taken.loc[0, "value"] = 99.0
    assert index.select(seconds(0, 9))["value"].tolist() == [0.0, 1.0]


def test_an_index_without_a_second_column_knows_no_names() -> None:
    index = FrameIndex(frame_of([(0, "a", "x")]), Source.LOGS)
    with pytest.raises(ToolError, match="no logs of a name 'x' are recorded"):
        index.select(seconds(0, 9), "a", "x")
