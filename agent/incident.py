"""The vocabulary of an incident: frozen values that every node, page, message and report shares.

One word, one meaning. This module knows no framework and does no I/O. Time is aware UTC; windows are half-open.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field

from tools.evidence import (
    ChangeEvent as ChangeEvent,
    ChangeKind as ChangeKind,
    Edge as Edge,
    Evidence as Evidence,
    Frozen,
    Operation as Operation,
    OperationKind as OperationKind,
    OperationResult as OperationResult,
    Query as Query,
    Runbook as Runbook,
    Source as Source,
    StatusEvent as StatusEvent,
    TimeWindow as TimeWindow,
    UtcDatetime,
)


class GoldenSignal(StrEnum):
    """The four golden signals (Google, Site Reliability Engineering, chapter 6)."""

    LATENCY = "latency"
    TRAFFIC = "traffic"
    ERRORS = "errors"
    SATURATION = "saturation"


class Resource(StrEnum):
    """What can run out (Gregg's USE method counts utilisation, saturation and errors per resource)."""

    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    NETWORK = "network"
    CONNECTIONS = "connections"
    THREADS = "threads"
    QUEUE = "queue"
    CACHE = "cache"
    REPLICAS = "replicas"
    CERTIFICATE = "certificate"
    DATABASE = "database"


class FaultKind(StrEnum):
    """What kind of fault a cause is; the closed list that hypotheses and evals use."""

    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    NETWORK_DELAY = "network_delay"
    NETWORK_LOSS = "network_loss"
    SOCKET = "socket"
    CODE_EXCEPTION = "code_exception"
    WRONG_RETURN = "wrong_return"
    CONFIGURATION = "configuration"
    DEPENDENCY = "dependency"
    CAPACITY = "capacity"
    CERTIFICATE = "certificate"
    DATA = "data"
    TRAFFIC = "traffic"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """Impact, never order of work."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"


class IncidentStatus(StrEnum):
    INVESTIGATING = "investigating"
    AWAITING_APPROVAL = "awaiting_approval"
    MITIGATING = "mitigating"
    STABLE = "stable"
    CLOSED = "closed"
    DISMISSED = "dismissed"


Direction = Literal["up", "down"]
Shape = Literal["step", "ramp", "spike", "new", "gone"]


class Alert(Frozen):
    """One signal from a monitor, normalised at the border."""

    service: str = Field(min_length=1)
    metric: str = ""
    fired_at: UtcDatetime
    summary: str = ""
    monitor: str = ""
    severity: str = ""
    """The monitor's own word; whydown's `Severity` is decided by triage."""
    threshold: float | None = None
    observed: float | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Symptom(Frozen):
    """What users feel: which golden signal of which service, over which window."""

    signal: GoldenSignal
    service: str
    window: TimeWindow
    metric: str = ""


class SignalKind(StrEnum):
    METRIC = "metric"
    LOG = "log"
    SPAN = "span"


class Signal(Frozen):
    """One detected deviation of one series, one log template or one operation."""

    kind: SignalKind
    service: str
    name: str
    """Metric name, log template or operation."""
    onset: UtcDatetime
    onset_uncertainty: timedelta
    direction: Direction
    before: float
    """Level before the onset: median of a series, lines per minute of a template, median milliseconds of an operation."""
    after: float
    size: float
    """Robust z of the shift against the series' own noise, at least 0, capped at 1000."""
    confidence: float = Field(ge=0, le=1)
    evidence: str
    golden: GoldenSignal | None = None
    resource: Resource | None = None
    harmful: bool = True
    """False for a move that hurts nobody (fewer errors, lower latency, a level that only describes)."""
    unit: str = ""
    shape: Shape = "step"
    peer: str | None = None
    """The other service, where the signal is about a call between two."""
    example: str = ""
    """A log line or status message as it was, masked and cut."""
    attributes: dict[str, str] = Field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """After / before; infinity for something out of nothing."""
        if self.before == 0:
            return float("inf") if self.after else 1.0
        return self.after / self.before


class Claim(Frozen):
    """A sentence that cites. A claim without evidence cannot be built."""

    text: str = Field(min_length=1)
    evidence: tuple[str, ...] = Field(min_length=1)
    weight: float = 0.0
    """Weight of evidence in nats (log-likelihood ratio); positive speaks for."""


class Cause(Frozen):
    """Where and what. `change` is None when no change did it."""

    service: str
    kind: FaultKind
    change: str | None = None
    """ChangeEvent id."""
    commit: str | None = None
    metric: str | None = None
    region: str | None = None
    """File and function, or the setting, where the data carry it."""


class Hypothesis(Frozen):
    """A claim that can lose."""

    id: str
    title: str
    cause: Cause
    mechanism: str
    """Id of a mechanism of the catalogue."""
    causal_chain: tuple[Claim, ...] = ()
    predicts: tuple[str, ...] = ()
    evidence_for: tuple[Claim, ...] = ()
    evidence_against: tuple[Claim, ...] = ()
    confidence: float = Field(ge=0, le=1)
    status: Literal["leading", "possible", "unlikely"] = "possible"


class RuledOut(Frozen):
    """A candidate that was cleared, and why."""

    candidate: str
    """ChangeEvent id or service."""
    title: str
    reason: Claim


class DataGap(Frozen):
    """What could not be seen, and how that limits the answer. The claim cites the query that came back empty-handed."""

    source: Source
    claim: Claim


class BlastRadius(Frozen):
    services: tuple[str, ...] = ()
    users: str = ""
    """In words, with the figure it rests on; empty when no telemetry tells."""


class Verdict(StrEnum):
    """What kind of answer this is."""

    CHANGE = "change"
    NO_CHANGE = "no change did this"
    LOCATED = "located, cause not recorded"
    """Where it is broken and how is known; what broke it is not among what was recorded."""
    NOT_ENOUGH_EVIDENCE = "not enough evidence"


class Mitigation(Frozen):
    """Stops the pain: a typed operation with risk, reversibility, expected effect and check."""

    id: str
    operation: Operation
    title: str
    reason: Claim
    risk: Literal["low", "medium", "high"]
    reversible: bool
    undo: str
    expected_effect: str
    check: str
    """The signal that must return, in words."""
    touches: tuple[str, ...] = ()
    manual: bool = False
    """True when a person or another team has to do it; whydown then only says so."""


class Diagnosis(Frozen):
    """The answer. Every sentence in it is a claim."""

    verdict: Verdict
    answer: Claim
    symptom: Symptom
    onset: UtcDatetime
    onset_uncertainty: timedelta
    first_failing_service: str | None
    hypotheses: tuple[Hypothesis, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    data_gaps: tuple[DataGap, ...] = ()
    blast_radius: BlastRadius = BlastRadius()
    mitigations: tuple[Mitigation, ...] = ()
    next_steps: tuple[str, ...] = ()
    """Where to look when the evidence is not enough."""

    @property
    def leading(self) -> Hypothesis | None:
        return self.hypotheses[0] if self.hypotheses else None


class Triage(Frozen):
    severity: Severity
    reasons: tuple[Claim, ...]
    symptom: Symptom


class ApprovalRequest(Frozen):
    """A mitigation that waits for a person's word, bound to the digest of the exact operation."""

    id: str
    incident: str
    mitigation: Mitigation
    digest: str
    requested_at: UtcDatetime
    expires_at: UtcDatetime
    approvers_needed: int = 1
    dry_run: str = ""


class ApprovalDecision(Frozen):
    """A person's word."""

    verdict: Literal["approve", "modify", "reject", "escalate"]
    by: str = Field(min_length=1)
    reason: str = ""
    at: UtcDatetime
    digest: str
    """Digest of the operation that the person saw."""


class Recovery(Frozen):
    """Whether the alert's own signal came back after a mitigation."""

    outcome: Literal["verified", "failed", "skipped"]
    claim: Claim


class ActionItem(Frozen):
    """Prevents the next one."""

    title: str
    kind: Literal["prevent", "detect", "mitigate", "process"]
    owner: str | None = None
    done: bool = False


class Postmortem(Frozen):
    """A blameless draft."""

    title: str
    markdown: str
    action_items: tuple[ActionItem, ...] = ()


class Incident(Frozen):
    """What people own."""

    id: str
    title: str
    service: str
    status: IncidentStatus
    detected_at: UtcDatetime
    severity: Severity | None = None
    acknowledged_at: UtcDatetime | None = None
    mitigated_at: UtcDatetime | None = None
    resolved_at: UtcDatetime | None = None


class TimelineKind(StrEnum):
    """What a timeline entry is about."""

    ALERT = "alert"
    TRIAGE = "triage"
    EVIDENCE = "evidence"
    SIGNAL = "signal"
    CHANGE = "change"
    DATA_GAP = "data_gap"
    HYPOTHESIS = "hypothesis"
    PROBE = "probe"
    DIAGNOSIS = "diagnosis"
    MITIGATION = "mitigation"
    APPROVAL = "approval"
    ACTION = "action"
    RECOVERY = "recovery"
    POSTMORTEM = "postmortem"
    STATUS = "status"
    ERROR = "error"


class TimelineEntry(Frozen):
    """One append-only, hash-chained fact about the incident.

    `hash` is the SHA-256 of the previous entry's hash and this entry's canonical JSON without `hash`, so that a changed
    or missing entry shows.
    """

    seq: int
    at: UtcDatetime
    kind: TimelineKind
    text: str
    by: str = "whydown"
    node: str = ""
    evidence: tuple[str, ...] = ()
    took: timedelta | None = None
    previous: str = ""
    hash: str = ""
