"""The whole flow on a small recording, by way of the runner."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from agent import documents
from agent.analysis.observed import Observations
from agent.approval import ApprovalStatus
from agent.checkpoints import open_checkpoints
from agent.citations import cited_by
from agent.errors import CallerError, ConflictError
from agent.incident import IncidentStatus, TimelineEntry, TimelineKind
from agent.runner import CHECKPOINTED, Runner
from tests.agent.investigations import (
    CountingOperations,
    Opened,
    manual_mitigation,
    one_mitigation,
    small_alert,
    small_backend,
    two_mitigations,
    with_operations,
)

PROPOSE = "agent.nodes.propose_mitigation.propose"


@pytest.fixture
def opened(tmp_path: Path):
    with Opened(tmp_path) as opened:
        yield opened


def test_an_alert_becomes_a_cited_diagnosis(opened: Opened, tmp_path: Path) -> None:
    seen: list[TimelineEntry] = []
    incident = opened.runner.open(small_alert(), "small")
    outcome = opened.runner.run(incident.id, small_backend(tmp_path), seen.append)

    assert outcome.diagnosis == opened.runner.diagnosis(incident.id)
    assert outcome.diagnosis is not None
    known = {evidence.id for evidence in opened.store.evidence_list(incident.id)}
    assert cited_by(outcome.diagnosis) <= known
    observations = Observations.model_validate_json(opened.store.document(incident.id, documents.OBSERVATIONS) or "")
    assert observations.signals
    assert {signal.evidence for signal in observations.signals} <= known
    for evidence in known:
        opened.store.evidence(incident.id, evidence)
    assert {"triage", "gather.logs", "diagnose", "total"} <= outcome.timings.keys()
    assert seen == opened.store.timeline(incident.id)[1:]
    assert opened.store.verify_timeline(incident.id) is None
    assert opened.store.incident(incident.id).severity is not None


def test_every_cited_evidence_can_be_run_again_with_the_same_digest(opened: Opened, tmp_path: Path) -> None:
    from tools.catalogue import run

    backend = small_backend(tmp_path)
    incident = opened.runner.open(small_alert())
    opened.runner.run(incident.id, backend)
    again = [e for e in opened.store.evidence_list(incident.id) if e.query.tool not in {"alert", "change"}]
    assert len(again) > 6
    for evidence in again:
        answer = run(backend, evidence.query, evidence.window)
        assert (answer.evidence.id, answer.evidence.digest) == (evidence.id, evidence.digest), evidence.query


def test_the_same_alert_is_the_same_incident(opened: Opened) -> None:
    assert opened.runner.open(small_alert()).id == opened.runner.open(small_alert()).id
    assert len(opened.store.timeline(opened.runner.open(small_alert()).id)) == 1


def test_nothing_to_approve_goes_straight_to_the_postmortem(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PROPOSE, manual_mitigation)
    incident = opened.runner.open(small_alert())
    outcome = opened.runner.run(incident.id, small_backend(tmp_path))
    assert outcome.status == "finished"
    assert opened.store.approvals(incident_id=incident.id) == []
    assert any("people have to do this" in text for text in opened.texts(incident.id))
    assert opened.store.document(incident.id, documents.POSTMORTEM) is not None
    assert opened.store.incident(incident.id).status is IncidentStatus.INVESTIGATING


def test_an_approved_mitigation_is_rehearsed_on_a_recording(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PROPOSE, one_mitigation)
    backend = small_backend(tmp_path)
    incident = opened.runner.open(small_alert())
    outcome = opened.runner.run(incident.id, backend)
    assert outcome.status == "awaiting_approval"
    assert outcome.diagnosis is not None
    assert len(outcome.diagnosis.mitigations) == 1
    assert opened.store.incident(incident.id).status is IncidentStatus.AWAITING_APPROVAL
    request = opened.store.approvals(incident_id=incident.id)[0].request
    assert request.dry_run.startswith("would rollback inventory")
    assert request.digest == request.mitigation.operation.digest

    before = opened.store.timeline(incident.id)
    assert opened.runner.run(incident.id, backend).status == "awaiting_approval"
    assert opened.store.timeline(incident.id) == before, "asking again while waiting changes nothing"

    approval = opened.decide(incident.id)
    assert opened.runner.run(incident.id, backend).status == "finished"
    action = opened.store.action(approval)
    assert action is not None
    assert action.result is not None
    assert action.result.outcome == "rehearsed"
    told = {e.kind: e for e in opened.store.timeline(incident.id)}
    assert told[TimelineKind.APPROVAL].by == "Ada"
    assert told[TimelineKind.RECOVERY].text == "skipped: a recording cannot change; the mitigation was only rehearsed"
    assert opened.store.incident(incident.id).status is IncidentStatus.INVESTIGATING
    assert opened.store.verify_timeline(incident.id) is None
    assert opened.runner.run(incident.id, backend).status == "finished", "a finished one stays as it is"


@pytest.mark.parametrize(("verdict", "status"), [("reject", "rejected"), ("escalate", "escalated")])
def test_a_word_against_it_means_nothing_is_done(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verdict: str, status: str
) -> None:
    monkeypatch.setattr(PROPOSE, one_mitigation)
    operations = CountingOperations(tmp_path / "ledger")
    backend = with_operations(small_backend(tmp_path), operations)
    incident = opened.runner.open(small_alert())
    opened.runner.run(incident.id, backend)
    opened.decide(incident.id, verdict)
    assert opened.runner.run(incident.id, backend).status == "finished"
    assert operations.performed == 0
    assert any(f"{status}: seen it before" in text for text in opened.texts(incident.id, "request_approval"))
    assert status in json.loads(opened.store.document(incident.id, documents.POSTMORTEM) or "")["markdown"]
    assert opened.store.incident(incident.id).status is IncidentStatus.INVESTIGATING


def test_nobody_answering_means_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROPOSE, one_mitigation)
    backend = with_operations(small_backend(tmp_path), CountingOperations(tmp_path / "ledger"))
    with Opened(tmp_path) as now:
        incident = now.runner.open(small_alert()).id
        assert now.runner.run(incident, backend).status == "awaiting_approval"
    with Opened(tmp_path, ahead=timedelta(hours=1)) as later:
        assert later.runner.run(incident, backend).status == "finished"
        assert any("nobody answered" in text for text in later.texts(incident, "request_approval"))
        assert not (tmp_path / "ledger").exists()


def test_approving_one_withdraws_the_others(opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROPOSE, two_mitigations)
    operations = CountingOperations(tmp_path / "ledger")
    backend = with_operations(small_backend(tmp_path), operations)
    incident = opened.runner.open(small_alert())
    opened.runner.run(incident.id, backend)
    approved = opened.decide(incident.id, position=1)
    opened.runner.run(incident.id, backend)
    assert operations.performed == 1
    statuses = {a.request.id: a.status for a in opened.store.approvals(incident_id=incident.id)}
    assert statuses.pop(approved) is ApprovalStatus.APPROVED
    assert list(statuses.values()) == [ApprovalStatus.REJECTED]
    assert any("another mitigation was approved" in text for text in opened.texts(incident.id))


def test_an_incident_that_people_closed_is_not_investigated(opened: Opened, tmp_path: Path) -> None:
    incident = opened.runner.open(small_alert())
    opened.store.set_status(incident.id, IncidentStatus.DISMISSED, None)
    with pytest.raises(ConflictError, match="dismissed"):
        opened.runner.run(incident.id, small_backend(tmp_path))


def test_an_unknown_incident_is_the_callers_mistake(opened: Opened, tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="inc-nobody"):
        opened.runner.run("inc-nobody", small_backend(tmp_path))


def test_the_budget_ends_in_an_answer(tmp_path: Path) -> None:
    with Opened(tmp_path, budget_tool_calls=1) as opened:
        incident = opened.runner.open(small_alert())
        outcome = opened.runner.run(incident.id, small_backend(tmp_path))
        assert outcome.diagnosis is not None
        assert any("used up; the answer is what is known so far" in text for text in opened.texts(incident.id, "probe"))


def test_a_checkpoint_stays_small_and_comes_back_as_what_it_was(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PROPOSE, one_mitigation)
    long = "x" * 5_000
    alert = small_alert(summary=long, labels={f"l{n}": long for n in range(60)}, annotations={"a": long})
    incident = opened.runner.open(alert)
    opened.runner.run(incident.id, small_backend(tmp_path))
    lease = opened.store.acquire(incident.id, "test", timedelta(seconds=30))
    assert lease is not None
    url = f"sqlite:///{tmp_path / 'whydown.db'}"
    with open_checkpoints(url, lease, CHECKPOINTED) as saver:
        kept = list(saver.list({"configurable": {"thread_id": incident.id}}))
        assert len(kept) > 8
        for checkpoint in kept:
            _, packed = saver.serde.dumps_typed(checkpoint.checkpoint)
            assert len(packed) < 50_000
        values = kept[0].checkpoint["channel_values"]
    for name in ("window", "split", "symptom", "severity"):
        assert not isinstance(values[name], dict | str) or type(values[name]).__name__ == "Severity", name


def test_evals_can_run_many_without_leaving_anything_behind(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    backend = small_backend(tmp_path)
    threads = threading.active_count()
    with Runner.in_memory() as runner:
        for number in range(4):
            incident = runner.open(small_alert(monitor=f"m{number}"), "small")
            outcome = runner.run(incident.id, backend)
            assert outcome.diagnosis is not None
    assert threading.active_count() == threads
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


def test_two_runs_tell_the_same_story(tmp_path: Path) -> None:
    backend = small_backend(tmp_path)
    stories: list[Counter[tuple[str, str]]] = []
    diagnoses: list[str] = []
    for _ in range(2):
        with Runner.in_memory() as runner:
            incident = runner.open(small_alert(), "small")
            runner.run(incident.id, backend)
            stories.append(Counter((e.node, e.text) for e in runner.store.timeline(incident.id)))
            found = runner.diagnosis(incident.id)
            assert found is not None
            diagnoses.append(found.model_dump_json())
    assert stories[0] == stories[1]
    assert diagnoses[0] == diagnoses[1]


def test_nothing_is_sent_to_a_tracing_service(opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that belong to another project in the same shell do not make an incident's data leave the machine."""
    from langsmith import utils

    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.setenv(name, "true")
    utils.get_env_var.cache_clear()
    seen: list[bool | str] = []
    incident = opened.runner.open(small_alert())
    try:
        assert utils.tracing_is_enabled()
        opened.runner.run(incident.id, small_backend(tmp_path), lambda _: seen.append(utils.tracing_is_enabled()))
    finally:
        monkeypatch.undo()
        utils.get_env_var.cache_clear()
    assert seen
    assert not any(seen)
