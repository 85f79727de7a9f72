"""Probe: what claims rest on is looked up, open questions are asked, and the answers join the observations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent import documents
from agent.analysis.observed import Observations
from agent.analysis.ranking import Probe, Ranking, rank
from agent.citations import cited_by
from agent.incident import Query, Source, TimeWindow
from agent.investigation import Investigation
from agent.nodes.gather import branches, gather
from agent.nodes.hypothesize import hypothesize, known_onset, known_symptom
from agent.nodes.probe import probe
from agent.state import IncidentState
from tests.agent.investigations import Opened, gathered, small_backend
from tools.backend import Backend
from tools.evidence import evidence_id


def ranked_with(desk: Investigation, state: IncidentState, *probes: Probe) -> None:
    """Store a ranking that asks these questions."""
    seen = desk.get(documents.OBSERVATIONS, Observations)
    ranking = rank(seen, known_symptom(state), known_onset(desk))
    desk.put(documents.RANKING, ranking.model_copy(update={"probes": probes}))


def without_inventory(desk: Investigation) -> None:
    """As if a live system had answered for the alert's service alone."""
    seen = desk.get(documents.OBSERVATIONS, Observations)
    levels = tuple(level for level in seen.levels if level.service != "inventory")
    signals = tuple(signal for signal in seen.signals if signal.service != "inventory")
    desk.put(documents.OBSERVATIONS, seen.model_copy(update={"levels": levels, "signals": signals}))


def test_afterwards_every_cited_id_resolves(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = gathered(desk)
        hypothesize(state, desk)
        probe(state, desk)
        assert cited_by(desk.get(documents.RANKING, Ranking).diagnosis) <= desk.known_evidence()


def test_an_answer_joins_the_observations_once(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = gathered(desk)
        assert state.window is not None
        without_inventory(desk)
        question = Probe(
            query=Query(tool="metric_range", arguments={"service": "inventory"}),
            window=state.window,
            asks="is inventory full?",
        )
        ranked_with(desk, state, question)

        step = probe(state, desk)
        assert step.entries[1].text.startswith("is inventory full?: all metrics of inventory")
        seen = desk.get(documents.OBSERVATIONS, Observations)
        (signal,) = (s for s in seen.signals if s.service == "inventory" and s.kind == "metric")
        opened.store.evidence(desk.incident, signal.evidence)
        assert step.changes["tool_calls"] >= 1

        probe(state, desk)
        assert desk.get(documents.OBSERVATIONS, Observations) == seen, "a second run after a crash adds nothing"


def test_a_question_without_an_answer_is_told_with_why(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = gathered(desk)
        assert state.window is not None
        query = Query(tool="metric_range", arguments={"service": "nobody"})
        ranked_with(desk, state, Probe(query=query, window=state.window, asks="and nobody?"))
        step = probe(state, desk)
        assert step.entries[1].text.startswith("and nobody?: no answer (")
        evidence, _ = opened.store.evidence(desk.incident, evidence_id(query, state.window))
        assert evidence.source is Source.METRICS


def test_near_the_end_of_the_budget_nothing_new_is_asked(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path), budget_tool_calls=10)
        state = gathered(desk).model_copy(update={"tool_calls": 8})
        assert state.window is not None
        query = Query(tool="metric_range", arguments={"service": "inventory"})
        ranked_with(desk, state, Probe(query=query, window=state.window, asks="is inventory full?"))
        step = probe(state, desk)
        assert "nothing new is asked any more" in step.entries[-1].text
        assert evidence_id(query, state.window) not in desk.known_evidence()


def test_a_question_about_another_time_is_kept_under_its_own_window(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = gathered(desk)
        assert state.window is not None
        early = TimeWindow(since=state.window.since, until=state.window.since + state.window.length / 4)
        query = Query(tool="changes")
        ranked_with(desk, state, Probe(query=query, window=early, asks="what changed early on?"))
        probe(state, desk)
        evidence, _ = opened.store.evidence(desk.incident, evidence_id(query, early))
        assert evidence.window == early


def test_gathered_again_after_a_crash_the_first_answers_stay(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = gathered(desk)
        before = opened.store.evidence_list(desk.incident)
        for branch in branches(state):
            gather(branch, desk)
        assert opened.store.evidence_list(desk.incident) == before


def test_what_nobody_stored_yet_is_looked_up_within_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.nodes.gather.SLICES_KEPT", 0)
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = gathered(desk)
        hypothesize(state, desk)
        cited = cited_by(desk.get(documents.RANKING, Ranking).diagnosis)
        missing = cited - desk.known_evidence()
        assert missing

        poor = replace(desk, settings=desk.settings.model_copy(update={"budget_tool_calls": 1}))
        step = probe(state, poor)
        assert step.entries[0].text.startswith("what the hypotheses rest on: at hand")
        assert "used up" in step.entries[-1].text
        assert missing & desk.known_evidence() == set()

        down = replace(desk, backend=Backend(name="down"))
        probe(state, down)
        assert missing & desk.known_evidence() == set(), "no answer is no evidence for a claim"

        step = probe(state, desk)
        assert set(step.entries[0].evidence) == missing
        assert step.changes["tool_calls"] == len(missing)
        assert cited <= desk.known_evidence()
