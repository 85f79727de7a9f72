"""Whatever was observed can be asked for again by its evidence id."""

from __future__ import annotations

from pathlib import Path

from agent import documents
from agent.analysis.faults.locate import locate
from agent.analysis.observed import Observations
from agent.analysis.ranking import claims_of, rank
from agent.analysis.scene import Scene
from agent.incident import Source
from agent.slices import cut_slices, queries_of
from tests.agent.analysis.faults.sightings import broken, call, failed, used, waited, with_faults
from tests.agent.analysis.scenes import incident
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
        ids |= {evidence_id(x.query, seen.window) for x in (*seen.calls, *seen.breaks, *seen.excesses)}
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


def test_what_located_faults_cite_can_be_asked_for() -> None:
    observations, symptom, onset = incident(levels=(used("cart", 10, 100),), calls=(("web", "shop"), ("shop", "db")))
    seen = with_faults(
        observations,
        gaps=[call("web", "shop", 1, 500)],
        breaks=[broken("db", 50)],
        excesses=[waited("user", 5000), failed("user", 500)],
    )
    cited = {e for fault in locate(Scene(seen, symptom, onset)) for claim in fault.claims for e in claim.evidence}
    by_id = queries_of(seen)
    assert len(cited) == 5
    assert cited <= by_id.keys()
    assert {by_id[evidence].tool for evidence in cited} == {"metric_range", "spans", "log_lines"}
    assert {e for claim in claims_of(rank(seen, symptom, onset).diagnosis) for e in claim.evidence} <= by_id.keys()
