"""Whatever was observed can be asked for again by its evidence id."""

from __future__ import annotations

from pathlib import Path

from agent import documents
from agent.analysis.observed import Observations
from agent.incident import Source
from agent.slices import cut_slices, queries_of
from tests.agent.investigations import Opened, gathered, small_backend
from tools.catalogue import run
from tools.evidence import Query, evidence_id


def observed(opened: Opened, folder: Path) -> Observations:
    desk = opened.desk(small_backend(folder))
    gathered(desk)
    return desk.get(documents.OBSERVATIONS, Observations)


def test_every_evidence_id_has_its_query(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        seen = observed(opened, tmp_path)
        ids = {x.evidence for x in (*seen.signals, *seen.levels, *seen.templates, *seen.operations)}
        by_id = queries_of(seen)
        assert len(ids) > 5
        assert ids <= by_id.keys()
        for evidence, query in by_id.items():
            assert evidence == evidence_id(query, seen.window)


def test_a_slice_is_what_the_backend_would_have_answered(tmp_path: Path) -> None:
    backend = small_backend(tmp_path)
    assert backend.window is not None
    whole = run(backend, Query(tool="log_lines"), backend.window)
    assert whole.frame is not None
    query = Query(tool="log_lines", arguments={"service": "inventory", "contains": "pool exhausted"})
    unknown = Query(tool="log_lines", arguments={"service": "nobody", "contains": "x"})
    (found,) = cut_slices(Source.LOGS, whole.frame, [unknown, query], backend.window)
    assert found.evidence == run(backend, query, backend.window).evidence
