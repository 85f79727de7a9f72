"""What is read back of an investigation."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from agent.errors import CallerError
from agent.incident import Signal, SignalKind
from agent.store import Store
from tests.web import told
from tests.web.kept import CALLS_EVIDENCE, keep
from web.investigated import leading_signal, read_report, timings_of
from web.series import ShownSignal


@pytest.fixture
def store(tmp_path: Path) -> Generator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/whydown.db") as opened:
        yield opened


def test_a_report_is_complete_without_any_backend(store: Store) -> None:
    incident = keep(store)
    report = read_report(store, incident.id)
    assert report.status == "awaiting_approval"
    assert report.hypotheses == told.DIAGNOSIS.hypotheses
    assert report.evidence == (CALLS_EVIDENCE,)
    assert [approval.request.mitigation for approval in report.approvals] == [told.ROLLBACK]
    assert report.leading_signals[told.LEADING.id] == ShownSignal(signal=told.SIGNAL, series=told.CALLS_SERIES)


def test_a_cited_signal_whose_result_was_not_stored_is_not_drawn(store: Store) -> None:
    shown = read_report(store, keep(store).id).leading_signals
    assert shown[told.POOL.id] == ShownSignal(signal=told.LOG_SIGNAL, series=None)
    assert told.DATABASE.id not in shown


def test_working_time_is_added_up_by_node(store: Store) -> None:
    report = read_report(store, keep(store).id)
    assert report.timings == {"triage": 0.03, "gather": 0.4, "total": 0.43}
    assert timings_of([]) == {"total": 0.0}


def test_without_an_answer_it_says_how_to_go_on(store: Store) -> None:
    incident, _ = store.create_incident(told.ALERT, None)
    with pytest.raises(CallerError, match=f"whydown resume {incident.id}"):
        read_report(store, incident.id)


def of_operation(aspect: str, size: float) -> Signal:
    changes = {"kind": SignalKind.SPAN, "evidence": told.E_SPAN, "attributes": {"aspect": aspect}, "size": size}
    return told.SIGNAL.model_copy(update=changes)


def test_of_several_signals_in_one_result_it_is_the_one_that_the_claim_names() -> None:
    failing, calling = of_operation("errors", 9.0), of_operation("calls_per_parent", 2.0)
    signals = {told.E_SPAN: [failing, calling]}
    named = told.hypothesis(
        7, "", 0.5, evidence_for=(told.claim("SELECT price calls per parent 1 to 12", told.E_SPAN),)
    )
    unnamed = told.hypothesis(7, "", 0.5, evidence_for=(told.claim("something about SELECT price", told.E_SPAN),))
    assert leading_signal(named, signals) is calling
    assert leading_signal(unnamed, signals) is failing
    assert leading_signal(told.POOL, signals) is None
