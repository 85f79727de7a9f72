"""Takes in what a monitor said, inside one transaction: the alert, its incident, the timeline, and the work to do.

When the transaction is on disk, nothing of it can be lost any more; a delivery that is repeated finds itself done.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from agent import incident_rows, timeline_rows, work_rows
from agent.incident import Alert, IncidentStatus, TimelineKind
from agent.intake import alert_rows, group_rows, silence_rows
from agent.intake.alert_rows import Episode
from agent.intake.gate import Cost, decide
from agent.intake.grouping import OVER, Placement, place
from agent.intake.noise import History
from agent.intake.notice import Notice, Receipt
from agent.intake.silence import covering
from agent.timeline import TimelineDraft

MOST_NAMED = 50
"""Alerts of one incident that get a line of their own on its timeline; beyond them only names never seen before do.
All are stored and can be listed."""


def receive(connection: Connection, notice: Notice, now: datetime, most_per_hour: int) -> Receipt:
    """Take in one notice. The caller commits."""
    known = alert_rows.find(connection, notice.episode)
    match notice.says:
        case "fire":
            return _firing(connection, notice, known, now, most_per_hour)
        case "acknowledge":
            return _acknowledged(connection, notice, known, now)
        case "resolve":
            return _resolved(connection, notice, known, now)


def _firing(
    connection: Connection, notice: Notice, known: Episode | None, now: datetime, most_per_hour: int
) -> Receipt:
    if known is None:
        return _fires(connection, notice, now, most_per_hour)
    if known.deliveries == 0 and known.resolved_at is None:
        return _fires_at_last(connection, notice, known, now, most_per_hour)
    return _fires_again(connection, notice, known, now, most_per_hour)


def _fires(connection: Connection, notice: Notice, now: datetime, most_per_hour: int) -> Receipt:
    silence = covering(silence_rows.at(connection, now), notice.alert, now)
    if silence is not None:
        alert_rows.put(connection, notice, now, None, "silenced", silence.words)
        return Receipt(episode=notice.episode, incident=None, placed="silenced", because=silence.words)
    history = alert_rows.history(connection, notice, now)
    placement = _place(connection, notice, now)
    incident = _put(connection, notice.alert, placement, now)
    alert_rows.put(connection, notice, now, incident, placement.how, placement.because)
    _tell(connection, incident, notice.alert, placement, history, now)
    if placement.how != "joined":
        _gate(connection, incident, notice.alert, history, now, most_per_hour)
    return Receipt(episode=notice.episode, incident=incident, placed=placement.how, because=placement.because)


def _place(connection: Connection, notice: Notice, now: datetime) -> Placement:
    return place(
        notice.alert,
        now,
        group_rows.candidates(connection, now),
        group_rows.neighbours(connection, notice.alert.service),
        alert_rows.last_incident(connection, notice.source, notice.key),
    )


def _put(connection: Connection, alert: Alert, placement: Placement, now: datetime) -> str:
    """Put the alert into its incident, which is created or brought back where needed; returns its id."""
    if placement.incident is None:
        incident, created = incident_rows.create(connection, alert, None, now)
        put = group_rows.open_group if created else group_rows.join_group
        put(connection, incident.id, alert, now)
        return incident.id
    incident_rows.lock(connection, placement.incident)
    if placement.how == "reopened":
        incident_rows.reopen(connection, placement.incident, alert, now)
    group_rows.join_group(connection, placement.incident, alert, now)
    return placement.incident


def _tell(
    connection: Connection, incident: str, alert: Alert, placement: Placement, history: History, now: datetime
) -> None:
    """One line for each alert of another name or service; of the thousands of a storm only the first few."""
    first = placement.how != "joined"
    if not first and history.seen and not group_rows.name_one(connection, incident, MOST_NAMED):
        text = f"more alerts than {MOST_NAMED} names; all of them are listed with the incident"
        _append(connection, incident, TimelineDraft(kind=TimelineKind.ALERT, text=text, key="alerts:many"), now)
        return
    again = placement.because if placement.how == "reopened" else ""
    joined = "" if first else f"joined, because {placement.because}"
    unseen = "" if history.seen or first else "the first alert of this name"
    notes = "; ".join(note for note in (again, joined, unseen) if note)
    key = "alert" if placement.how == "opened" else f"alert:{alert.monitor}:{alert.service}:{again and now.isoformat()}"
    text = f"{said(alert)} ({notes})" if notes else said(alert)
    draft = TimelineDraft(kind=TimelineKind.ALERT, at=alert.fired_at, text=text, key=key[:200])
    _append(connection, incident, draft, now)


def said(alert: Alert) -> str:
    """An alert in one line, as the first entry of a timeline has it."""
    named = f"{alert.monitor}: " if alert.monitor else ""
    return f"{named}{alert.summary or ' of '.join(part for part in (alert.metric, alert.service) if part)}"


def _gate(
    connection: Connection, incident: str, alert: Alert, history: History, now: datetime, most_per_hour: int
) -> None:
    lately = work_rows.began_since(connection, now - timedelta(hours=1))
    cost = work_rows.typical_cost(connection)
    spent = Cost() if cost is None else Cost(seconds=cost[0], tool_calls=cost[1])
    word = decide(alert.severity, history, lately, most_per_hour, spent)
    if word.investigate:
        work_rows.want(connection, incident, now)
        return
    text = f"not investigated unasked: {word.because}"
    _append(connection, incident, TimelineDraft(kind=TimelineKind.STATUS, text=text), now)


def _fires_at_last(
    connection: Connection, notice: Notice, known: Episode, now: datetime, most_per_hour: int
) -> Receipt:
    """The word that it fires comes after the word that somebody took it: deliveries overtake each other."""
    alert_rows.forget(connection, known.id)
    receipt = _fires(connection, notice, now, most_per_hour)
    if known.acknowledged_at is not None:
        taken = {"says": "acknowledge", "at": known.acknowledged_at, "by": known.acknowledged_by}
        _acknowledged(connection, notice.model_copy(update=taken), alert_rows.find(connection, notice.episode), now)
    return receipt


def _fires_again(connection: Connection, notice: Notice, known: Episode, now: datetime, most_per_hour: int) -> Receipt:
    """The same delivery again, a monitor that repeats itself, or one that takes its `resolved` back."""
    if known.resolved_at is None or notice.at <= known.resolved_at:
        alert_rows.delivered_again(connection, known.id)
        because = "delivered before" if known.resolved_at is None else "it is older than the word that it is over"
        return Receipt(episode=known.id, incident=known.incident, placed="repeated", because=because)
    alert_rows.fires_again(connection, known.id)
    if known.incident is None:
        return Receipt(episode=known.id, incident=None, placed="silenced", because=known.because)
    incident_rows.lock(connection, known.incident)
    because = "its monitor fires again for the same alert"
    over = incident_rows.get(connection, known.incident).status in OVER
    if over:
        incident_rows.reopen(connection, known.incident, notice.alert, now)
        history = alert_rows.history(connection, notice, now)
        _gate(connection, known.incident, notice.alert, history, now, most_per_hour)
    text = f"{said(notice.alert)} ({because})"
    _append(connection, known.incident, TimelineDraft(kind=TimelineKind.ALERT, at=notice.at, text=text), now)
    placed = "reopened" if over else "repeated"
    return Receipt(episode=known.id, incident=known.incident, placed=placed, because=because)


def _acknowledged(connection: Connection, notice: Notice, known: Episode | None, now: datetime) -> Receipt:
    """Somebody took it. That may be the first we hear of it: the delivery that said so first may still be under way."""
    if known is None:
        because = "whydown had not heard that it fires"
        alert_rows.put(connection, notice, now, None, "acknowledged", because)
        return Receipt(episode=notice.episode, incident=None, placed="acknowledged", because=because)
    alert_rows.acknowledged(connection, known.id, notice.at, notice.by)
    by = notice.by or "somebody"
    if known.incident is not None and known.acknowledged_at is None:
        incident_rows.lock(connection, known.incident)
        incident = incident_rows.get(connection, known.incident)
        if incident.acknowledged_at is None:
            incident_rows.change(connection, known.incident, {"acknowledged_at": notice.at})
        text = f"{said(known.alert)}: acknowledged"
        draft = TimelineDraft(kind=TimelineKind.STATUS, at=notice.at, by=by, text=text, key=f"taken:{known.id}")
        _append(connection, known.incident, draft, now)
    return Receipt(episode=known.id, incident=known.incident, placed="acknowledged", because=f"{by} took it")


def _resolved(connection: Connection, notice: Notice, known: Episode | None, now: datetime) -> Receipt:
    if known is None:
        because = "whydown had not heard that it fired"
        alert_rows.put(connection, notice, now, None, "resolved", because)
        return Receipt(episode=notice.episode, incident=None, placed="resolved", because=because)
    if known.resolved_at is not None:
        return Receipt(episode=known.id, incident=known.incident, placed="repeated", because="it was over before")
    alert_rows.resolved(connection, known.id, notice.at)
    if known.incident is not None:
        _over(connection, known.incident, notice, now)
    return Receipt(episode=known.id, incident=known.incident, placed="resolved", because="its monitor says so")


def _over(connection: Connection, incident: str, notice: Notice, now: datetime) -> None:
    """Say that an incident's alerts are over once all are. An incident that nobody works on is stable then."""
    incident_rows.lock(connection, incident)
    if alert_rows.still_firing(connection, incident):
        return
    text = "every alert of it is over, says its monitor"
    _append(connection, incident, TimelineDraft(kind=TimelineKind.RECOVERY, at=notice.at, text=text), now)
    settle(connection, incident, now)


def settle(connection: Connection, incident: str, now: datetime) -> None:
    """Call an incident stable whose alerts are all over and on which no work waits."""
    status = incident_rows.get(connection, incident).status
    if status is not IncidentStatus.INVESTIGATING or work_rows.waits(connection, incident):
        return
    if alert_rows.counted(connection, incident) and not alert_rows.still_firing(connection, incident):
        incident_rows.move(connection, incident, IncidentStatus.STABLE, now)


def _append(connection: Connection, incident: str, draft: TimelineDraft, now: datetime) -> None:
    timeline_rows.append(connection, incident, [draft], now)
