"""What a tracing backend that holds `trace_data` has to answer, asked of a cassette and of a real server alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

import pandas as pd

from tests.tools.live.trace_data import ODD, SINCE, WINDOW, spans
from tools.backend import Traces
from tools.evidence import TimeWindow
from tools.live.sighting import Visible


class Tracing(Traces, Visible, Protocol):
    """A backend of traces that can be looked at."""


def everything_comes_back_as_it_was_sent(traces: Tracing) -> None:
    pd.testing.assert_frame_equal(traces.spans(WINDOW), spans())


def a_service_or_an_operation_gives_the_same_rows_again(traces: Tracing) -> None:
    frame = traces.spans(WINDOW)
    payment = frame[frame["service"] == "payment"].reset_index(drop=True)
    assert len(payment) == 48
    assert traces.spans(WINDOW, "payment").equals(payment)
    assert traces.spans(WINDOW, "payment", "charge").equals(payment)
    assert traces.spans(WINDOW, operation="charge").equals(payment)
    assert traces.spans(WINDOW, "payment", "pay").empty


def the_window_is_half_open(traces: Tracing) -> None:
    moment = SINCE + timedelta(microseconds=7)
    first = traces.spans(TimeWindow(since=moment, until=moment + timedelta(microseconds=1)))
    assert first["service"].tolist() == ["web"]
    assert traces.spans(TimeWindow(since=SINCE - timedelta(minutes=5), until=moment)).empty


def names_are_values_and_no_queries(traces: Tracing) -> None:
    assert len(traces.spans(WINDOW, ODD)) == 1
    for hostile in ('web" || true', "}", "*", "web&limit=1"):
        assert traces.spans(WINDOW, hostile).empty


def a_look_tells_what_there_is(traces: Tracing) -> None:
    seen = traces.look(WINDOW)
    assert set(seen.services) == {"web", "shop", "payment", ODD}
    assert seen.newest is not None
    assert seen.newest > SINCE
    assert seen.clock is not None


CHECKS = (
    everything_comes_back_as_it_was_sent,
    a_service_or_an_operation_gives_the_same_rows_again,
    the_window_is_half_open,
    names_are_values_and_no_queries,
    a_look_tells_what_there_is,
)
