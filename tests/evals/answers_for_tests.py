"""Investigations made up for tests of the runner; other processes find them by their module."""

from __future__ import annotations

import os
from datetime import timedelta

from agent.incident import (
    BlastRadius,
    Cause,
    Claim,
    Diagnosis,
    FaultKind,
    GoldenSignal,
    Hypothesis,
    Mitigation,
    Operation,
    OperationKind,
    Symptom,
    Verdict,
)
from tools.recorded import Recording

CLAIM = Claim(text="because the test says so", evidence=("Etest",))


def hypothesis(number: int, confidence: float, change: str | None, service: str = "ledger") -> Hypothesis:
    return Hypothesis(
        id=f"H{number}",
        title="a title",
        cause=Cause(service=service, kind=FaultKind.CODE_EXCEPTION, change=change),
        mechanism="guard_removed",
        confidence=confidence,
    )


def diagnosis(recording: Recording, verdict: Verdict, *hypotheses: Hypothesis) -> Diagnosis:
    mitigation = Mitigation(
        id="M1",
        operation=Operation(kind=OperationKind.ROLLBACK, target="ledger"),
        title="Roll back",
        reason=CLAIM,
        risk="low",
        reversible=True,
        undo="deploy again",
        expected_effect="it works again",
        check="error_ratio",
    )
    return Diagnosis(
        verdict=verdict,
        answer=CLAIM,
        symptom=Symptom(signal=GoldenSignal.ERRORS, service="ledger", window=recording.window),
        onset=recording.window.since,
        onset_uncertainty=timedelta(seconds=30),
        first_failing_service="ledger",
        hypotheses=hypotheses,
        blast_radius=BlastRadius(services=("ledger", "gate")),
        mitigations=(mitigation,),
    )


def blame_the_first_change(recording: Recording) -> Diagnosis:
    first = next(change for change in recording.changes if change.in_effect)
    return diagnosis(recording, Verdict.CHANGE, hypothesis(1, 0.9, first.id), hypothesis(2, 0.1, None))


def say_none(recording: Recording) -> Diagnosis:
    return diagnosis(recording, Verdict.NO_CHANGE, hypothesis(1, 0.6, None))


def give_up(recording: Recording) -> Diagnosis:
    return diagnosis(recording, Verdict.NOT_ENOUGH_EVIDENCE, hypothesis(1, 0.2, recording.changes[0].id))


def crash_without_flags(recording: Recording) -> Diagnosis:
    if not any(change.id.startswith("flag-") for change in recording.changes):
        raise ZeroDivisionError("no flag to divide by\nand a second line")
    return blame_the_first_change(recording)


def die_without_flags(recording: Recording) -> Diagnosis:
    if not any(change.id.startswith("flag-") for change in recording.changes):
        os._exit(9)
    return blame_the_first_change(recording)


def blame_the_loudest(recording: Recording) -> Diagnosis:
    """The service with the highest value, named with its metric; not sure where nothing is loud."""
    assert recording.metrics is not None
    loudest = recording.metrics.loc[recording.metrics["value"].idxmax()]
    cause = Cause(service=str(loudest["service"]), kind=FaultKind.CPU, metric=str(loudest["metric"]))
    guess = hypothesis(1, 0.9 if loudest["value"] > 50 else 0.2, None).model_copy(update={"cause": cause})
    return diagnosis(recording, Verdict.NO_CHANGE, guess)


def blame_the_loudest_with_a_graph(recording: Recording) -> Diagnosis:
    """The same, and nobody without dependencies."""
    return blame_the_loudest(recording) if recording.edges else diagnosis(recording, Verdict.NOT_ENOUGH_EVIDENCE)
