"""Verify recovery: did the alert's own signal come back after the mitigation?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent import documents
from agent.analysis.observed import Onset
from agent.analysis.recovery import RecoveryReading, read_recovery
from agent.approval import Action
from agent.figures import quantity
from agent.incident import Claim, Direction, IncidentStatus, Recovery, TimelineKind
from agent.investigation import Investigation
from agent.slices import metric_query
from agent.state import IncidentState
from agent.step import Step
from agent.store import TimelineDraft
from agent.time_limit import Stopped
from tools.catalogue import Answer
from tools.evidence import TimeWindow, ToolError

SHORTEST = timedelta(seconds=1)

STATUS_AFTER = {
    "verified": IncidentStatus.STABLE,
    "failed": IncidentStatus.INVESTIGATING,
    "skipped": IncidentStatus.INVESTIGATING,
}


@dataclass(frozen=True)
class Watch:
    """What to look for: the alert's own series, where it went wrong, and since when it may be better."""

    direction: Direction
    bad_level: float
    acted_at: datetime
    baseline: TimeWindow


def verify_recovery(state: IncidentState, desk: Investigation) -> Step:
    """Watch the alert's own metric until it is back, or until the time for it is over."""
    recovery = _verify(state, desk)
    desk.put(documents.RECOVERY, recovery)
    desk.move(STATUS_AFTER[recovery.outcome])
    text = f"{recovery.outcome}: {recovery.claim.text}"
    entries = [TimelineDraft(kind=TimelineKind.RECOVERY, text=text, evidence=recovery.claim.evidence)]
    if recovery.outcome == "failed":
        entries += [_undo(approval, desk) for approval in state.approved]
    return Step({}, entries)


def _verify(state: IncidentState, desk: Investigation) -> Recovery:
    actions = [action for action in map(desk.store.action, state.approved) if action is not None]
    acted = [action for action in actions if action.result is None or action.result.outcome == "done"]
    if not acted:
        return _skipped(_why_nothing_changed(actions), state)
    watch = _watch(state, acted, desk)
    if watch is None:
        return _skipped("how the alert's own metric looked before and during the incident was never seen", state)
    return _follow(watch, state, desk)


def _why_nothing_changed(actions: list[Action]) -> str:
    results = [action.result for action in actions if action.result is not None]
    if any(result.outcome == "rehearsed" for result in results):
        return "a recording cannot change; the mitigation was only rehearsed"
    return "; ".join(result.detail for result in results) or "nothing was performed"


def _watch(state: IncidentState, acted: list[Action], desk: Investigation) -> Watch | None:
    alert, onset = desk.alert, desk.find(documents.ONSET, Onset)
    if state.window is None or state.split is None:
        return None
    acted_at = max(action.finished_at or action.claimed_at for action in acted)
    baseline = TimeWindow(since=state.window.since, until=state.split)
    if onset is not None:
        return Watch(onset.direction, onset.after, acted_at, baseline)
    if alert.observed is None or alert.threshold is None:
        return None
    direction: Direction = "up" if alert.observed >= alert.threshold else "down"
    return Watch(direction, alert.observed, acted_at, baseline)


def _follow(watch: Watch, state: IncidentState, desk: Investigation) -> Recovery:
    """Read the metric again and again. Raises Stopped when told to stop; the next run then goes on watching."""
    query = metric_query(desk.alert.service, desk.alert.metric)
    deadline = watch.acted_at + timedelta(minutes=desk.settings.recovery_minutes)
    while True:
        now = desk.now()
        try:
            before = desk.ask(query, watch.baseline)
            after = desk.ask(query, TimeWindow(since=watch.acted_at, until=max(now, watch.acted_at + SHORTEST)))
        except ToolError as error:
            if now >= deadline:
                return _skipped(f"the alert's own metric cannot be read: {error.message}", state)
        else:
            reading = _reading(watch, before, after)
            if reading is None:
                return _skipped("the alert's own metric has no samples from before the incident", state)
            if reading.recovered or now >= deadline:
                return _told(reading, before, after, state, desk)
        if desk.stop.wait(desk.settings.recovery_poll_seconds):
            raise Stopped


def _reading(watch: Watch, before: Answer, after: Answer) -> RecoveryReading | None:
    if before.frame is None or after.frame is None:
        return None
    return read_recovery(before.frame, after.frame, watch.direction, watch.bad_level, watch.acted_at)


def _told(
    reading: RecoveryReading, before: Answer, after: Answer, state: IncidentState, desk: Investigation
) -> Recovery:
    cited = tuple(desk.keep_answers([after, before]))
    metric = f"{desk.alert.metric or 'the alert metric'} of {desk.alert.service}"
    if reading.last is None:
        text = f"{metric} has no sample since the mitigation"
    else:
        last, limit = (quantity(level, metric=desk.alert.metric) for level in (reading.last, reading.limit))
        text = f"{metric} is at {last}, the edge of its usual band is {limit}"
    outcome = "verified" if reading.recovered else "failed"
    return Recovery(outcome=outcome, claim=Claim(text=text, evidence=cited))


def _skipped(why: str, state: IncidentState) -> Recovery:
    return Recovery(outcome="skipped", claim=Claim(text=why, evidence=tuple(state.evidence[:2])))


def _undo(approval_id: str, desk: Investigation) -> TimelineDraft:
    mitigation = desk.store.approval(approval_id).request.mitigation
    text = f"{mitigation.title} did not help; to undo it: {mitigation.undo}"
    return TimelineDraft(kind=TimelineKind.MITIGATION, text=text, evidence=mitigation.reason.evidence)
