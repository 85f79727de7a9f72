"""Gather: every signal's evidence can be opened, and what is not there is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent import documents
from agent.analysis.observed import Observations
from agent.incident import Source, TimelineKind
from agent.investigation import Investigation
from agent.nodes import gather as gather_module
from agent.nodes.gather import BRANCHES, SAYS_NOTHING, branches, gather
from agent.state import Branch, IncidentState
from tests.agent.investigations import Opened, small_backend, triaged
from tools.catalogue import run
from tools.evidence import Query


def branch_of(desk: Investigation, source: Source) -> Branch:
    return next(branch for branch in branches(triaged(desk)) if branch.source is source)


@pytest.mark.parametrize("source", [Source.METRICS, Source.LOGS, Source.TRACES])
def test_each_signal_has_its_own_slice(tmp_path: Path, source: Source) -> None:
    backend = small_backend(tmp_path)
    with Opened(tmp_path) as opened:
        desk = opened.desk(backend)
        branch = branch_of(desk, source)
        step = gather(branch, desk)
        seen = desk.get(documents.observed_by(source), Observations)
        assert seen.signals
        for signal in seen.signals:
            evidence, result = opened.store.evidence(desk.incident, signal.evidence)
            assert evidence.query.arguments["service"] == signal.service
            assert run(backend, evidence.query, evidence.window).result == result
        assert step.entries[0].kind is TimelineKind.EVIDENCE
        assert step.changes["tool_calls"] == 1


def test_only_the_strongest_slices_are_stored_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather_module, "SLICES_KEPT", 1)
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        branch = branch_of(desk, Source.METRICS)
        before = desk.known_evidence()
        step = gather(branch, desk)
        seen = desk.get(documents.observed_by(Source.METRICS), Observations)
        assert len(desk.known_evidence() - before) <= 2
        left = len({signal.evidence for signal in seen.signals}) - 1
        assert f"the {left} weakest are stored when they are cited" in step.entries[0].text


def test_changes_and_the_status_feed_come_together(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        branch = branch_of(desk, Source.CHANGES)
        gather(branch, desk)
        seen = desk.get(documents.observed_by(Source.CHANGES), Observations)
        assert [change.id for change in seen.changes] == ["d1", "d2"]
        known = {str(e.query): e for e in opened.store.evidence_list(desk.incident)}
        assert known['change(id="d2")'].window == branch.window
        assert known["status_events()"].source is Source.STATUS
        assert seen.gaps == ()


def test_edges_and_runbooks(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        gather(branch_of(desk, Source.TOPOLOGY), desk)
        gather(branch_of(desk, Source.RUNBOOKS), desk)
        edges = desk.get(documents.observed_by(Source.TOPOLOGY), Observations).edges
        pages = desk.get(documents.observed_by(Source.RUNBOOKS), Observations).runbooks
        assert [(edge.caller, edge.callee) for edge in edges] == [("checkout", "inventory")]
        assert [page.service for page in pages] == ["inventory"]


def test_an_empty_answer_is_a_gap_that_cites_the_empty_query(tmp_path: Path) -> None:
    backend = small_backend(tmp_path)
    assert backend.logs is not None
    logs = backend.logs

    class Silent:
        def log_lines(self, *arguments: object) -> object:
            return logs.log_lines(*arguments).iloc[:0]  # type: ignore[arg-type]

    with Opened(tmp_path) as opened:
        desk = opened.desk(replace(backend, logs=Silent()))  # type: ignore[arg-type]
        step = gather(branch_of(desk, Source.LOGS), desk)
        (gap,) = desk.get(documents.observed_by(Source.LOGS), Observations).gaps
        assert gap.claim.text == f"logs came back empty; {SAYS_NOTHING[Source.LOGS]}"
        evidence, _ = opened.store.evidence(desk.incident, gap.claim.evidence[0])
        assert evidence.query == Query(tool="log_lines")
        assert [entry.kind for entry in step.entries] == [TimelineKind.EVIDENCE, TimelineKind.DATA_GAP]


def test_what_was_repaired_while_reading_is_a_gap_too(tmp_path: Path) -> None:
    backend = replace(small_backend(tmp_path), notes=((Source.METRICS, "metrics.csv: 3 rows were left out"),))
    with Opened(tmp_path) as opened:
        desk = opened.desk(backend)
        gather(branch_of(desk, Source.METRICS), desk)
        seen = desk.get(documents.observed_by(Source.METRICS), Observations)
        assert seen.signals
        (gap,) = seen.gaps
        assert gap.claim.text == "metrics.csv: 3 rows were left out; part of the metrics is not in this answer"


def test_there_is_a_branch_and_a_limit_for_every_source(tmp_path: Path) -> None:
    assert {*BRANCHES, Source.STATUS} == set(Source) - {Source.ALERT} == SAYS_NOTHING.keys()
    with pytest.raises(ValueError, match="not been triaged"):
        branches(IncidentState(incident="inc-1"))
