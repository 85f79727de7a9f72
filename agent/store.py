"""The store: everything whydown must not forget. A write is one transaction, and on disk when the method returns.

Times are aware UTC. Every method raises OperatorError, in one line, when the database is locked, read-only, full or
corrupt, and CallerError for an id that does not exist. A write that takes a lease raises ConflictError when the lease
was lost; None in its place says that a person or the server writes, who work beside the one investigating process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from pydantic import JsonValue
from sqlalchemy import Connection, Engine

from agent import approval_rows, change_rows, database, evidence_rows, incident_rows, leases, timeline_rows, work_rows
from agent.approval import Action, Approval, ApprovalStatus
from agent.errors import CallerError, ConflictError
from agent.incident import (
    Alert,
    ApprovalDecision,
    ApprovalRequest,
    Incident,
    IncidentStatus,
    Severity,
    TimelineEntry,
)
from agent.incident_rows import Round
from agent.leases import Lease
from agent.timeline import TimelineDraft
from tools.evidence import ChangeEvent, Evidence, OperationResult, TimeWindow, as_utc, canonical_json

__all__ = ["Lease", "Store", "TimelineDraft"]

MOST_INCIDENTS = 10_000  # one page of a list; a larger answer helps nobody and holds everything in memory
HIGHEST_SEQ = 2**31 - 1  # what an INTEGER column holds on every database


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _aware(name: str, moment: datetime) -> datetime:
    try:
        return as_utc(moment)
    except ValueError as error:
        raise CallerError(f"{name}: {error}") from error


def _within(name: str, value: int, lowest: int, highest: int) -> int:
    if not lowest <= value <= highest:
        raise CallerError(f"{name} {value} is not between {lowest} and {highest}")
    return value


def _hold(connection: Connection, incident_id: str, lease: Lease | None) -> None:
    """Lock the incident for this transaction and check the lease, if there is one."""
    incident_rows.lock(connection, incident_id)
    if lease is None:
        return
    if lease.incident != incident_id:
        raise ConflictError(f"the lease of {lease.incident} does not cover {incident_id}")
    leases.check(connection, lease)


class Store:
    """One database. Safe to share between threads; every process opens its own."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    @classmethod
    def open(cls, url: str, now: Callable[[], datetime] = _utc_now) -> Self:
        """Open (and create or migrate) the database at a URL such as `sqlite:///whydown.db`."""
        return cls(database.open_database(url), now)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def now(self) -> datetime:
        """The moment by the store's clock, aware UTC."""
        return self._now()

    def transaction(self) -> AbstractContextManager[Connection]:
        """A transaction that writes, for what is kept beside the incidents (`agent.intake`, `agent.worker`)."""
        return database.writing(self._engine)

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that only reads."""
        return database.reading(self._engine)

    @contextmanager
    def _writing(self, incident_id: str, lease: Lease | None) -> Generator[Connection]:
        """One transaction that is the incident's only writer and, with a lease, still allowed to be."""
        with database.writing(self._engine) as connection:
            _hold(connection, incident_id, lease)
            yield connection

    # Incidents

    def create_incident(self, alert: Alert, recording: str | None = None) -> tuple[Incident, bool]:
        """The incident of this alert and whether it is new; the same delivery twice is the same incident.

        `recording` names the frozen telemetry to investigate, None means the live backends.
        """
        with database.writing(self._engine) as connection:
            return incident_rows.create(connection, alert, recording, self._now())

    def incident(self, incident_id: str) -> Incident:
        """The incident as it stands."""
        with self.reading() as connection:
            return incident_rows.get(connection, incident_id)

    def incidents(self, limit: int = 100, statuses: Collection[IncidentStatus] | None = None) -> list[Incident]:
        """Incidents, newest first; with `statuses`, only those."""
        with self.reading() as connection:
            return incident_rows.newest(connection, _within("limit", limit, 1, MOST_INCIDENTS), statuses)

    def alert_of(self, incident_id: str) -> Alert:
        """The alert that started it."""
        with self.reading() as connection:
            return incident_rows.alert_of(connection, incident_id)

    def recording_of(self, incident_id: str) -> str | None:
        """The recording it is investigated from; None for a live one."""
        with self.reading() as connection:
            return incident_rows.recording_of(connection, incident_id)

    def round_of(self, incident_id: str) -> Round:
        """The round of investigation that it is in; a new one begins when it comes back after it was over."""
        with self.reading() as connection:
            return incident_rows.round_of(connection, incident_id)

    def set_status(self, incident_id: str, status: IncidentStatus, lease: Lease | None) -> Incident:
        """Move the incident (see `incident_rows.TRANSITIONS`); the status it already has is no error.

        Sets mitigated_at at `stable` and resolved_at at `closed` or `dismissed`, and takes them back on a relapse.
        Raises ConflictError for a step that is not allowed.
        """
        with self._writing(incident_id, lease) as connection:
            return incident_rows.move(connection, incident_id, status, self._now())

    def set_severity(self, incident_id: str, severity: Severity, lease: Lease | None) -> Incident:
        """Write what triage or a person decided."""
        with self._writing(incident_id, lease) as connection:
            return incident_rows.change(connection, incident_id, {"severity": severity.value})

    def set_times(
        self,
        incident_id: str,
        *,
        acknowledged_at: datetime | None = None,
        mitigated_at: datetime | None = None,
        resolved_at: datetime | None = None,
        lease: Lease | None = None,
    ) -> Incident:
        """Write the times that are given, for instance as a person corrects them; None leaves a time as it is."""
        times = {"acknowledged_at": acknowledged_at, "mitigated_at": mitigated_at, "resolved_at": resolved_at}
        given = {name: _aware(name, at) for name, at in times.items() if at is not None}
        with self._writing(incident_id, lease) as connection:
            return incident_rows.change(connection, incident_id, given)

    # Timeline

    def append(self, incident_id: str, entries: Sequence[TimelineDraft], lease: Lease | None) -> list[TimelineEntry]:
        """Append to the timeline, all or nothing; returns an entry for each draft.

        A draft whose `key` is already on the timeline is not written again; its entry is returned as it stands.
        """
        with self._writing(incident_id, lease) as connection:
            return timeline_rows.append(connection, incident_id, entries, self._now())

    def timeline(self, incident_id: str, after_seq: int = 0) -> list[TimelineEntry]:
        """The entries with a higher sequence number, in order; the first is 1."""
        with self.reading() as connection:
            incident_rows.get(connection, incident_id)
            return timeline_rows.read(connection, incident_id, _within("after_seq", after_seq, 0, HIGHEST_SEQ))

    def verify_timeline(self, incident_id: str) -> int | None:
        """The first sequence number that is missing, cut off or changed; None when all stands as written."""
        with self.reading() as connection:
            incident_rows.get(connection, incident_id)
            return timeline_rows.first_broken(connection, incident_id)

    # Evidence and documents

    def put_evidence(self, incident_id: str, evidence: Evidence, result: JsonValue, lease: Lease | None = None) -> None:
        """Keep an answer. The first answer to a question stays; a different later one is noted (`reruns`)."""
        self.put_answers(incident_id, [(evidence, canonical_json(result))], lease)

    def put_answers(
        self, incident_id: str, answers: Iterable[tuple[Evidence, str]], lease: Lease | None = None
    ) -> None:
        """Keep many answers in one transaction, each result given as its canonical JSON; all or none."""
        with self._writing(incident_id, lease) as connection:
            for evidence, canonical in answers:
                evidence_rows.put(connection, incident_id, evidence, canonical, self._now())

    def evidence(self, incident_id: str, evidence_id: str) -> tuple[Evidence, JsonValue]:
        """The evidence and its result, checked against its digest; raises OperatorError when either was changed."""
        with self.reading() as connection:
            return evidence_rows.get(connection, incident_id, evidence_id)

    def evidence_list(self, incident_id: str) -> list[Evidence]:
        """All evidence of an incident without results, in the order it came in."""
        with self.reading() as connection:
            return evidence_rows.everything(connection, incident_id)

    def reruns(self, incident_id: str, evidence_id: str) -> list[str]:
        """Digests of later answers that differed from the stored one, oldest first."""
        with self.reading() as connection:
            return evidence_rows.other_digests(connection, incident_id, evidence_id)

    def put_document(self, incident_id: str, name: str, value: str, lease: Lease | None = None) -> None:
        """Keep the latest text (JSON) that one node hands to the next under a name."""
        with self._writing(incident_id, lease) as connection:
            evidence_rows.put_document(connection, incident_id, name, value, self._now())

    def document(self, incident_id: str, name: str) -> str | None:
        """The text under a name; None when there is none."""
        with self.reading() as connection:
            return evidence_rows.document(connection, incident_id, name)

    # Reported changes

    def report_change(self, change: ChangeEvent) -> bool:
        """Keep a change that somebody reported; False when it was there already.

        Raises ConflictError when another change has its id.
        """
        with database.writing(self._engine) as connection:
            return change_rows.put(connection, change, self._now())

    def changes(self, window: TimeWindow, limit: int = 1_000) -> list[ChangeEvent]:
        """The latest reported changes that took effect inside the window, at most `limit`, oldest first."""
        with self.reading() as connection:
            return change_rows.latest(connection, window, _within("limit", limit, 1, MOST_INCIDENTS))

    def reported_changes(self) -> tuple[int, datetime | None]:
        """How many changes were reported, and when the newest of them took effect."""
        with self.reading() as connection:
            return change_rows.count_and_newest(connection)

    # Approvals and actions

    def request_approval(self, request: ApprovalRequest, lease: Lease | None = None) -> Approval:
        """Ask once for an operation; the same operation asked again is the same approval, unless it expired."""
        with self._writing(request.incident, lease) as connection:
            since = incident_rows.round_of(connection, request.incident).began_at
            return approval_rows.request(connection, request, self._now(), since)

    def approval(self, approval_id: str) -> Approval:
        """The approval as it stands now."""
        with self.reading() as connection:
            return approval_rows.get(connection, approval_id, self._now())

    def approvals(self, status: ApprovalStatus | None = None, incident_id: str | None = None) -> list[Approval]:
        """Approvals, oldest first; with `status` or `incident_id`, only those."""
        with self.reading() as connection:
            return approval_rows.everything(connection, status, incident_id, self._now())

    def decide(self, approval_id: str, decision: ApprovalDecision) -> Approval:
        """Add one person's word and return the approval as it then stands.

        Raises ConflictError when it expired, was decided by somebody else or is about another operation.
        """
        with database.writing(self._engine) as connection:
            incident_id = approval_rows.incident_of(connection, approval_id)
            _hold(connection, incident_id, None)
            before = approval_rows.get(connection, approval_id, self._now())
            after = approval_rows.decide(connection, approval_id, decision, self._now())
            if after != before and incident_rows.recording_of(connection, incident_id) is None:
                work_rows.want(connection, incident_id, self._now())
            return after

    def approved(self, approval_id: str) -> tuple[ApprovalDecision, ...]:
        """Who approved it and when; empty unless it is approved."""
        approval = self.approval(approval_id)
        return approval.decisions if approval.status is ApprovalStatus.APPROVED else ()

    def claim_action(self, incident_id: str, approval_id: str, digest: str, lease: Lease | None) -> str | None:
        """The idempotency key of the one performance an approval allows, written down before it is performed.

        None: it was claimed before. If `action` then has no result, nobody knows whether it was done, and it must not
        be repeated. Raises ConflictError when the operation of this digest is not approved.
        """
        with self._writing(incident_id, lease) as connection:
            return approval_rows.claim(connection, incident_id, approval_id, digest, self._now())

    def finish_action(self, key: str, result: OperationResult, lease: Lease | None) -> Action:
        """Write down what came of it; raises ConflictError when something else already did."""
        with database.writing(self._engine) as connection:
            _hold(connection, approval_rows.incident_of_action(connection, key), lease)
            return approval_rows.finish(connection, key, result, self._now())

    def action(self, approval_id: str) -> Action | None:
        """What was performed under an approval; None when nothing was claimed."""
        with self.reading() as connection:
            return approval_rows.action_of(connection, approval_id)

    # Leases

    def acquire(self, incident_id: str, holder: str, ttl: timedelta) -> Lease | None:
        """The right to work on the incident for `ttl`, or None while somebody else has it."""
        with self._writing(incident_id, None) as connection:
            return leases.acquire(connection, incident_id, holder, ttl, self._now())

    def renew(self, lease: Lease, ttl: timedelta) -> Lease:
        """The lease with `ttl` from now; raises ConflictError when it was lost."""
        with self._writing(lease.incident, None) as connection:
            return leases.renew(connection, lease, ttl, self._now())

    def release(self, lease: Lease) -> None:
        """Give the lease back."""
        with self._writing(lease.incident, None) as connection:
            leases.release(connection, lease)
