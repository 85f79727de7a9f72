"""Verify recovery: verified, failed, or skipped with why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest

from agent import documents
from agent.incident import IncidentStatus, Recovery
from agent.investigation import Investigation
from agent.nodes import propose_mitigation as proposing
from agent.nodes.diagnose import diagnose
from agent.nodes.mitigate import mitigate
from agent.nodes.propose_mitigation import propose_mitigation
from agent.nodes.verify_recovery import verify_recovery
from agent.state import IncidentState
from agent.step import Step
from agent.time_limit import Stopped
from tests.agent.investigations import (
    CountingOperations,
    Opened,
    after,
    gathered,
    one_mitigation,
    small_alert,
    small_backend,
    with_operations,
)
from tools.backend import Metrics
from tools.evidence import Source, TimeWindow, ToolError

ACTED = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


class Clock:
    """Each look at it is half a minute later."""

    def __init__(self) -> None:
        self.at = ACTED

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=30)
        return self.at


class Live:
    """The recorded past, and after the mitigation one sample every half minute of what `after` says."""

    def __init__(self, past: Metrics, after: Callable[[int], float]) -> None:
        self.past = past
        self.after = after

    def metric_range(self, window: TimeWindow, service: str | None = None, metric: str | None = None) -> pd.DataFrame:
        frame = self.past.metric_range(window, service, metric)
        times = pd.date_range(ACTED, window.until, freq="30s", unit="us", inclusive="left")
        times = times[times >= window.since]
        if not len(times):
            return frame
        new = pd.DataFrame(
            {
                "timestamp": times,
                "service": pd.array(["checkout"] * len(times), dtype="str"),
                "instance": pd.array([""] * len(times), dtype="str"),
                "metric": pd.array(["http_error_ratio"] * len(times), dtype="str"),
                "value": [float(self.after(k)) for k in range(len(times))],
                "unit": pd.array([""] * len(times), dtype="str"),
            }
        )
        return pd.concat([frame, new], ignore_index=True)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    monkeypatch.setattr(proposing, "propose", one_mitigation)
    with Opened(tmp_path, now=Clock()) as opened:
        yield opened


def acted(
    opened: Opened, folder: Path, outcome: Literal["done", "rehearsed", "failed"] = "done"
) -> tuple[IncidentState, Investigation]:
    """The state after a mitigation was performed."""
    operations = CountingOperations(folder / "ledger", outcome)
    incident = opened.runner.open(small_alert()).id
    desk = opened.desk(
        with_operations(small_backend(folder), operations), incident, recovery_minutes=3, recovery_poll_seconds=0.01
    )
    state = after(after(gathered(desk), diagnose, desk), propose_mitigation, desk)
    opened.decide(desk.incident)
    state = state.model_copy(update={"approved": state.approvals})
    return after(state, mitigate, desk), desk


def alive(desk: Investigation, after: Callable[[int], float]) -> Investigation:
    assert desk.backend.metrics is not None
    return replace(desk, backend=replace(desk.backend, metrics=Live(desk.backend.metrics, after)))


def recovery(step: Step, desk: Investigation) -> Recovery:
    found = desk.get(documents.RECOVERY, Recovery)
    assert step.entries[0].text == f"{found.outcome}: {found.claim.text}"
    for evidence in found.claim.evidence:
        desk.store.evidence(desk.incident, evidence)
    return found


def test_a_signal_that_comes_back_is_verified(opened: Opened, tmp_path: Path) -> None:
    state, desk = acted(opened, tmp_path)
    desk = alive(desk, lambda k: 0.4 if k < 2 else 0.01)
    found = recovery(verify_recovery(state, desk), desk)
    assert found.outcome == "verified"
    assert "http_error_ratio of checkout is at 1 %, the edge of its usual band is" in found.claim.text
    incident = opened.store.incident(desk.incident)
    assert incident.status is IncidentStatus.STABLE
    assert incident.mitigated_at is not None


@pytest.mark.parametrize("levels", [[0.4], [0.4, 0.01, 0.4], [0.2]], ids=["stays", "flaps", "half"])
def test_a_signal_that_does_not_stay_back_has_failed(opened: Opened, tmp_path: Path, levels: Sequence[float]) -> None:
    state, desk = acted(opened, tmp_path)
    desk = alive(desk, lambda k: levels[min(k, len(levels) - 1)])
    step = verify_recovery(state, desk)
    assert recovery(step, desk).outcome == "failed"
    assert step.entries[1].text.endswith("did not help; to undo it: deploy v7 again")
    assert opened.store.incident(desk.incident).status is IncidentStatus.INVESTIGATING


def test_silence_after_the_mitigation_is_no_recovery(opened: Opened, tmp_path: Path) -> None:
    state, desk = acted(opened, tmp_path)
    found = recovery(verify_recovery(state, desk), desk)
    assert (found.outcome, found.claim.text) == (
        "failed",
        "http_error_ratio of checkout has no sample since the mitigation",
    )


@pytest.mark.parametrize(
    ("outcome", "why"), [("rehearsed", "a recording cannot change"), ("failed", "failed rollback inventory")]
)
def test_what_changed_nothing_is_not_verified(
    opened: Opened, tmp_path: Path, outcome: Literal["rehearsed", "failed"], why: str
) -> None:
    state, desk = acted(opened, tmp_path, outcome)
    found = recovery(verify_recovery(state, desk), desk)
    assert found.outcome == "skipped"
    assert why in found.claim.text
    assert opened.store.incident(desk.incident).status is IncidentStatus.INVESTIGATING


def test_a_metric_that_cannot_be_read_is_said(opened: Opened, tmp_path: Path) -> None:
    state, desk = acted(opened, tmp_path)

    class Down:
        def metric_range(self, *_: object) -> pd.DataFrame:
            raise ToolError(Source.METRICS, "503")

    desk = replace(desk, backend=replace(desk.backend, metrics=Down()))
    found = recovery(verify_recovery(state, desk), desk)
    assert (found.outcome, found.claim.text) == ("skipped", "the alert's own metric cannot be read: 503")


def test_a_signal_nobody_saw_go_wrong_cannot_be_seen_to_recover(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, desk = acted(opened, tmp_path)
    monkeypatch.setattr(documents, "ONSET", "no such document")
    found = recovery(verify_recovery(state, desk), desk)
    assert found.outcome == "skipped"
    assert "never seen" in found.claim.text


def test_the_alerts_own_figures_stand_in_for_an_onset(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, desk = acted(opened, tmp_path)
    monkeypatch.setattr(documents, "ONSET", "no such document")
    told = desk.alert.model_copy(update={"threshold": 0.05, "observed": 0.4})
    desk = replace(alive(desk, lambda _: 0.01), alert=told)
    assert recovery(verify_recovery(state, desk), desk).outcome == "verified"


def test_a_stop_while_watching_goes_on_later(opened: Opened, tmp_path: Path) -> None:
    state, desk = acted(opened, tmp_path)
    desk.stop.set()
    with pytest.raises(Stopped):
        verify_recovery(state, alive(desk, lambda _: 0.4))
    desk.stop.clear()
    desk = alive(desk, lambda _: 0.01)
    assert recovery(verify_recovery(state, desk), desk).outcome == "verified"
