"""What a tool brings back, and how anybody can ask for it again.

Evidence is a query with the digest of its answer, never a sentence somebody remembered. This module is a leaf:
it knows telemetry and changes, not incidents.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator


class Frozen(BaseModel):
    """A value: immutable, and an unknown field is an error rather than silently dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def as_utc(moment: datetime) -> datetime:
    """Return an aware moment in UTC; a naive one is refused, because guessing a zone moves an incident by hours."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; write 2026-01-31T12:00:00Z")
    utc = moment.astimezone(UTC)
    # A subclass (pandas hands out its Timestamp) would travel into checkpoints, which build plain values only.
    return utc if type(utc) is datetime else datetime.combine(utc.date(), utc.time(), UTC)


UtcDatetime = Annotated[datetime, AfterValidator(as_utc)]


class TimeWindow(Frozen):
    """A half-open stretch of time, [since, until), aware UTC."""

    since: UtcDatetime
    until: UtcDatetime

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.until <= self.since:
            raise ValueError(f"until ({self.until.isoformat()}) must be after since ({self.since.isoformat()})")
        return self

    @property
    def length(self) -> timedelta:
        return self.until - self.since

    def contains(self, moment: datetime) -> bool:
        return self.since <= moment < self.until

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%dT%H:%M:%SZ}..{self.until:%Y-%m-%dT%H:%M:%SZ}"


class Source(StrEnum):
    """Where evidence comes from; one word per kind of telemetry."""

    ALERT = "alert"
    METRICS = "metrics"
    LOGS = "logs"
    TRACES = "traces"
    CHANGES = "changes"
    STATUS = "status"
    TOPOLOGY = "topology"
    RUNBOOKS = "runbooks"


class Query(Frozen):
    """A call of a read tool, written so that it can be run again: the tool's name and its arguments."""

    tool: str
    arguments: dict[str, str | int | float | bool | None] = Field(default_factory=dict)

    def __str__(self) -> str:
        shown = ", ".join(f"{k}={json.dumps(v)}" for k, v in sorted(self.arguments.items()) if v is not None)
        return f"{self.tool}({shown})"


def evidence_id(query: Query, window: TimeWindow | str) -> str:
    """The id of the answer to `query` over `window`; for many queries, the window's text saves writing it each time.

    Made from the question itself, so a node that runs again after a crash names the same evidence by the same id.
    """
    return "E" + hashlib.sha256(f"{query}|{window}".encode()).hexdigest()[:8]


def canonical_json(result: JsonValue) -> str:
    """The one JSON text of a result: sorted keys, no spaces."""
    return json.dumps(result, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def digest_of(result: JsonValue) -> str:
    """SHA-256 over the canonical JSON of a result, as hex."""
    return digest_of_text(canonical_json(result))


def digest_of_text(canonical: str) -> str:
    """The digest of a result whose canonical JSON is at hand: a large one takes longer to write than to digest."""
    return hashlib.sha256(canonical.encode(errors="replace")).hexdigest()


class Evidence(Frozen):
    """What was observed, reproducibly: query, window, a one-line summary and the digest of the stored result."""

    id: str
    source: Source
    query: Query
    window: TimeWindow
    summary: str
    digest: str

    @classmethod
    def of(cls, source: Source, query: Query, window: TimeWindow, summary: str, result: JsonValue) -> Self:
        return cls.of_text(source, query, window, summary, canonical_json(result))

    @classmethod
    def of_text(cls, source: Source, query: Query, window: TimeWindow, summary: str, canonical: str) -> Self:
        """Evidence of a result that is at hand as its canonical JSON."""
        return cls(
            id=evidence_id(query, window),
            source=source,
            query=query,
            window=window,
            summary=summary,
            digest=digest_of_text(canonical),
        )


class ChangeKind(StrEnum):
    """What somebody or something changed."""

    DEPLOY = "deploy"
    CONFIG = "config"
    FLAG = "flag"
    MIGRATION = "migration"
    SCALE = "scale"
    INFRA = "infra"
    CERTIFICATE = "certificate"
    PROVIDER = "provider"


class ChangeEvent(Frozen):
    """One change of the system. A version that carries two commits is two changes with one `version`."""

    id: str
    """Unique within a recording; what `why-not` questions and approvals name."""
    kind: ChangeKind
    at: UtcDatetime
    """When it took effect; for a change that is not `in_effect`, when it was merged."""
    service: str | None = None
    """What was deployed or switched; None for a change that no deploy carried."""
    title: str = ""
    author: str | None = None
    commit: str | None = None
    merged_at: UtcDatetime | None = None
    version: str | None = None
    files: tuple[str, ...] = ()
    diff: str | None = None
    before: str | None = None
    """For a flag or a setting: its old value."""
    after: str | None = None
    in_effect: bool = True
    """False for a merged commit that no deploy is known to have carried."""


class StatusEvent(Frozen):
    """One entry of a provider's public status feed."""

    id: str
    provider: str
    service: str
    status: str
    title: str
    started_at: UtcDatetime
    region: str | None = None
    resolved_at: UtcDatetime | None = None
    detail: str = ""


class Edge(Frozen):
    """`caller` depends on `callee`: it calls it, reads its data or shares its disk."""

    caller: str
    callee: str
    kind: Literal["call", "data", "host"] = "call"


class Runbook(Frozen):
    """A page of instructions written by the team that owns `service`."""

    id: str
    title: str
    body: str
    service: str | None = None


class OperationKind(StrEnum):
    """The closed catalogue of writes. Nothing else can be done to a system by whydown."""

    ROLLBACK = "rollback"
    ROLL_FORWARD = "roll_forward"
    REVERT_CONFIG = "revert_config"
    FLAG_OFF = "flag_off"
    SCALE = "scale"
    RESTART = "restart"
    FAILOVER = "failover"
    ROTATE_CERTIFICATE = "rotate_certificate"
    FIX_INFRASTRUCTURE = "fix_infrastructure"
    THROTTLE = "throttle"
    ESCALATE = "escalate"


class Operation(Frozen):
    """The exact write: what is done to which target, with which arguments. An approval is bound to its digest."""

    kind: OperationKind
    target: str
    arguments: dict[str, str] = Field(default_factory=dict)

    @property
    def digest(self) -> str:
        return digest_of(self.model_dump(mode="json"))

    def __str__(self) -> str:
        shown = "".join(f" {k}={v}" for k, v in sorted(self.arguments.items()))
        return f"{self.kind.value.replace('_', ' ')} {self.target}{shown}"


class OperationResult(Frozen):
    """What came of a write."""

    outcome: Literal["done", "rehearsed", "failed"]
    """`rehearsed`: the backend cannot act (a recording is frozen); nothing was changed."""
    detail: str


class ToolError(Exception):
    """A tool could not answer. It is missing data, never evidence; the node turns it into a data gap."""

    def __init__(self, source: Source, message: str) -> None:
        super().__init__(message)
        self.source = source
        self.message = message


JsonObject = dict[str, Any]
