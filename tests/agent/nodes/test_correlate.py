"""Correlate: one picture, in the order in which things began."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import documents
from agent.analysis.observed import Observations
from agent.incident import TimelineKind
from agent.nodes import correlate as correlate_module
from agent.nodes.correlate import correlate
from tests.agent.investigations import Opened, gathered, small_backend


def test_it_merges_and_tells_in_order_of_onset(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        step = correlate(gathered(desk), desk)
        seen = desk.get(documents.OBSERVATIONS, Observations)
        assert {signal.kind.value for signal in seen.signals} == {"metric", "log", "span"}
        assert seen.changes
        assert seen.edges
        assert seen.runbooks
        told = step.entries[1:]
        assert [entry.at for entry in told] == sorted(entry.at for entry in told if entry.at)
        assert {entry.kind for entry in told} == {TimelineKind.SIGNAL, TimelineKind.CHANGE}
        assert all(entry.evidence[0] in desk.known_evidence() for entry in told)


def test_it_says_how_many_it_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlate_module, "SIGNALS_TOLD", 1)
    monkeypatch.setattr(correlate_module, "CHANGES_TOLD", 1)
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        step = correlate(gathered(desk), desk)
        more = len(desk.get(documents.OBSERVATIONS, Observations).signals) - 1
        assert f"of which 1 are told here and {more} more are in the observations" in step.entries[0].text
        assert "1 earlier ones not told here" in step.entries[0].text
        assert len(step.entries) == 3
