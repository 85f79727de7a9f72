"""Hypothesize: a preliminary ranking, told in three lines at most."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import documents
from agent.analysis.ranking import Ranking
from agent.nodes.hypothesize import TOLD, hypothesize, known_onset, known_symptom
from agent.state import IncidentState
from tests.agent.investigations import Opened, gathered, small_backend


def test_it_ranks_and_tells_the_first(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = gathered(desk)
        step = hypothesize(state, desk)
        hypotheses = desk.get(documents.RANKING, Ranking).diagnosis.hypotheses
        assert hypotheses
        assert len(step.entries) == 1 + min(TOLD, len(hypotheses))
        assert hypotheses[0].title in step.entries[1].text
        assert step.entries[1].evidence
        assert known_symptom(state) == state.symptom
        onset = known_onset(desk)
        assert onset is not None
        assert onset.at == state.split


def test_it_needs_triage() -> None:
    with pytest.raises(ValueError, match="not been triaged"):
        known_symptom(IncidentState(incident="inc-1"))
