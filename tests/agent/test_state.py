"""A checkpoint brings back what went in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from langgraph.types import Send

from agent.checkpoints import serializer
from agent.incident import GoldenSignal, Severity, Source, Symptom, TimeWindow
from agent.runner import CHECKPOINTED
from agent.state import Branch, IncidentState, merge_seconds

AT = datetime(2026, 3, 2, 10, 30, 0, 123456, tzinfo=UTC)
WINDOW = TimeWindow(since=AT - timedelta(hours=1), until=AT)
STATE = IncidentState(
    incident="inc-1",
    window=WINDOW,
    split=AT,
    symptom=Symptom(signal=GoldenSignal.ERRORS, service="s", window=WINDOW, metric="m"),
    severity=Severity.SEV2,
    evidence=["E1"],
    approvals=["apr-1"],
    approved=["apr-1"],
    tool_calls=7,
    seconds={"triage": 0.25},
)
BRANCH = Branch(source=Source.LOGS, incident="inc-1", window=WINDOW, split=AT)


@pytest.mark.parametrize(
    "value", [*dict(STATE).values(), STATE, BRANCH, Send("gather", BRANCH)], ids=lambda value: type(value).__name__
)
def test_every_value_survives_the_strict_serializer(value: object, caplog: pytest.LogCaptureFixture) -> None:
    strict = serializer(CHECKPOINTED)
    back = strict.loads_typed(strict.dumps_typed(value))
    assert back == value
    assert type(back) is type(value)
    assert caplog.records == []


def test_a_moment_of_pandas_becomes_a_plain_one() -> None:
    window = TimeWindow(since=pd.Timestamp(AT) - pd.Timedelta(hours=1), until=pd.Timestamp(AT))
    assert type(window.until) is datetime
    assert window == WINDOW


def test_seconds_add_up_by_step() -> None:
    assert merge_seconds({"a": 1.0}, {"a": 0.5, "b": 2.0}) == {"a": 1.5, "b": 2.0}
