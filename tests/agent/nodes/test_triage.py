"""Triage: symptom, split and severity from the alert and its own series."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent import documents
from agent.incident import GoldenSignal, Severity, Triage
from agent.nodes.triage import SYMPTOM_BEFORE_ALERT, split_of, triage, window_of
from agent.state import IncidentState
from tests.agent.investigations import Opened, small_alert, small_backend, triaged
from tests.tools.recording_files import START
from tools.backend import Backend

FIRED = small_alert().fired_at


def test_it_finds_what_users_feel_and_since_when(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = triaged(desk)
        assert state.symptom is not None
        assert (state.symptom.signal, state.symptom.service) == (GoldenSignal.ERRORS, "checkout")
        assert state.split is not None
        assert abs(state.split - (START + timedelta(minutes=31))) <= timedelta(minutes=2)
        assert state.window == desk.backend.window
        assert opened.store.incident(desk.incident).severity is state.severity is Severity.SEV2
        told = desk.get(documents.TRIAGE, Triage)
        for reason in told.reasons:
            for evidence in reason.evidence:
                opened.store.evidence(desk.incident, evidence)


def test_without_metrics_the_alert_itself_is_what_is_known(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(replace(small_backend(tmp_path), metrics=None))
        step = triage(IncidentState(incident=desk.incident), desk)
        assert "cannot be read" in step.entries[0].text
        assert step.changes["split"] == FIRED - SYMPTOM_BEFORE_ALERT
        assert step.changes["severity"] is Severity.SEV3


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (timedelta(minutes=4), timedelta(minutes=4)),
        (timedelta(days=1), timedelta(minutes=15)),
        (-timedelta(minutes=1), timedelta(seconds=1)),
    ],
    ids=["as far as time has come", "not for ever", "with a clock that runs behind"],
)
def test_a_live_window_lies_around_the_alert(tmp_path: Path, now: timedelta, until: timedelta) -> None:
    with Opened(tmp_path, now=lambda: FIRED + now, lookahead_minutes=15, lookback_minutes=60) as opened:
        desk = opened.desk(Backend(name="live"))
        window = window_of(desk.alert, desk)
        assert (window.since, window.until) == (FIRED - timedelta(hours=1), FIRED + until)


def test_the_split_has_something_on_both_sides(tmp_path: Path) -> None:
    window = small_backend(tmp_path).window
    assert window is not None
    late = small_alert(fired_at="2026-03-02T23:00:00Z")
    assert split_of(late, None, window) == window.since + window.length / 2
    assert split_of(small_alert(), None, window) == FIRED - SYMPTOM_BEFORE_ALERT
