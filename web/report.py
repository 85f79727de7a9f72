"""One investigation as a person or a program is shown it: page, terminal and `--json` are made of it."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from agent.approval import Action, Approval
from agent.incident import (
    Alert,
    BlastRadius,
    Claim,
    DataGap,
    Diagnosis,
    Evidence,
    Hypothesis,
    Incident,
    IncidentStatus,
    Mitigation,
    Recovery,
    RuledOut,
    Severity,
    Symptom,
    Verdict,
)
from tools.evidence import Frozen, UtcDatetime
from web.series import ShownSignal


class Report(Frozen):
    """The fields in the order in which they are read."""

    incident: str
    status: IncidentStatus
    severity: Severity | None
    alert: Alert
    symptom: Symptom
    verdict: Verdict
    answer: Claim
    onset: UtcDatetime
    onset_uncertainty: timedelta
    first_failing_service: str | None
    mitigations: tuple[Mitigation, ...]
    approvals: tuple[Approval, ...] = ()
    """What people were asked, and what they said."""
    actions: tuple[Action, ...] = ()
    """What was carried out, or may have been."""
    recovery: Recovery | None = None
    """Whether the alert's own signal came back; None while nothing was carried out."""
    hypotheses: tuple[Hypothesis, ...]
    evidence: tuple[Evidence, ...] = ()
    ruled_out: tuple[RuledOut, ...]
    data_gaps: tuple[DataGap, ...]
    blast_radius: BlastRadius
    next_steps: tuple[str, ...]
    timings: dict[str, float] = Field(default_factory=dict)
    """Seconds by node of the graph, and their `total`."""
    leading_signals: dict[str, ShownSignal] = Field(default_factory=dict, exclude=True)
    """Hypothesis id -> the first deviation that its evidence shows, for its sparkline."""

    @classmethod
    def of(
        cls,
        incident: Incident,
        alert: Alert,
        diagnosis: Diagnosis,
        *,
        evidence: tuple[Evidence, ...] = (),
        approvals: tuple[Approval, ...] = (),
        actions: tuple[Action, ...] = (),
        recovery: Recovery | None = None,
        timings: dict[str, float] | None = None,
        leading_signals: dict[str, ShownSignal] | None = None,
    ) -> Report:
        """Put an incident and its answer together."""
        told = {name: getattr(diagnosis, name) for name in Diagnosis.model_fields}
        return cls(
            incident=incident.id,
            status=incident.status,
            severity=incident.severity,
            alert=alert,
            evidence=evidence,
            approvals=approvals,
            actions=actions,
            recovery=recovery,
            timings=timings or {},
            leading_signals=leading_signals or {},
            **told,
        )

    @property
    def leading(self) -> Hypothesis | None:
        return self.hypotheses[0] if self.hypotheses else None
