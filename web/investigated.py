"""Reads an investigation back from the store, as one report: the page, the terminal and `--json` show nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue

from agent import documents
from agent.analysis.observed import Observations
from agent.errors import CallerError
from agent.incident import Diagnosis, Evidence, Hypothesis, Recovery, Signal, TimelineEntry
from agent.store import Store
from tools.evidence import Frozen
from web.report import Report
from web.series import ShownSignal, aspect_of, series_of


class Answered(Frozen):
    """A piece of evidence with the result that its digest is of."""

    evidence: Evidence
    result: JsonValue


def read_diagnosis(store: Store, incident_id: str) -> Diagnosis | None:
    """Return the answer; None as long as there is none. Raises CallerError for an unknown incident."""
    store.incident(incident_id)
    text = store.document(incident_id, documents.DIAGNOSIS)
    return None if text is None else Diagnosis.model_validate_json(text)


def read_report(store: Store, incident_id: str, timings: dict[str, float] | None = None) -> Report:
    """Return everything that is shown of an investigation; raises CallerError when it has no answer yet.

    Without `timings` (of the run that just ended) they are added up from the timeline.
    """
    incident, diagnosis = store.incident(incident_id), read_diagnosis(store, incident_id)
    if diagnosis is None:
        raise CallerError(f"incident {incident_id!r} has no answer yet; `whydown resume {incident_id}` goes on with it")
    approvals = tuple(store.approvals(incident_id=incident_id))
    actions = (store.action(approval.request.id) for approval in approvals)
    recovery = store.document(incident_id, documents.RECOVERY)
    return Report.of(
        incident,
        store.alert_of(incident_id),
        diagnosis,
        evidence=tuple(store.evidence_list(incident_id)),
        approvals=approvals,
        actions=tuple(action for action in actions if action is not None),
        recovery=Recovery.model_validate_json(recovery) if recovery else None,
        timings=timings or timings_of(store.timeline(incident_id)),
        leading_signals=_leading_signals(store, incident_id, diagnosis.hypotheses),
    )


def timings_of(entries: Iterable[TimelineEntry]) -> dict[str, float]:
    """Return seconds of work by node of the graph, and their sum as `total`; waiting for people is not counted."""
    seconds: dict[str, float] = {}
    for entry in entries:
        if entry.node and entry.took is not None:
            seconds[entry.node] = round(seconds.get(entry.node, 0.0) + entry.took.total_seconds(), 6)
    return seconds | {"total": round(sum(seconds.values()), 6)}


def leading_signal(hypothesis: Hypothesis, signals: Mapping[str, Sequence[Signal]]) -> Signal | None:
    """Return the deviation that its first telling claim is about.

    `signals` is by evidence id. Of several in one result (an operation that fails and slows down) it is the one whose
    aspect the claim names, else the clearest.
    """
    for claim in (*hypothesis.evidence_for, *hypothesis.causal_chain):
        seen = [signal for i in claim.evidence for signal in signals.get(i, ())]
        if seen:
            named = [s for s in seen if aspect_of(s) and aspect_of(s).replace("_", " ") in claim.text]
            return max(named or seen, key=lambda signal: signal.size)
    return None


def _leading_signals(store: Store, incident_id: str, hypotheses: Iterable[Hypothesis]) -> dict[str, ShownSignal]:
    """Return the leading signal of each hypothesis, by its id, drawn where the result behind it is stored."""
    text = store.document(incident_id, documents.OBSERVATIONS)
    signals: dict[str, list[Signal]] = defaultdict(list)
    for signal in Observations.model_validate_json(text).signals if text else ():
        signals[signal.evidence].append(signal)
    stored = {evidence.id for evidence in store.evidence_list(incident_id)}
    shown: dict[str, ShownSignal] = {}
    for hypothesis in hypotheses:
        signal = leading_signal(hypothesis, signals)
        if signal is not None:
            kept = store.evidence(incident_id, signal.evidence) if signal.evidence in stored else None
            series = series_of(*kept, aspect_of(signal)) if kept else None
            shown[hypothesis.id] = ShownSignal(signal=signal, series=series)
    return shown
