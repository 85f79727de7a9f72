"""Correlate: join what the branches found and put it into the order in which it began."""

from __future__ import annotations

from agent import documents
from agent.analysis.observed import Observations, PathBreak, merge
from agent.analysis.paths.observe import observe_paths
from agent.figures import quantity, roughly
from agent.incident import ChangeEvent, Signal, TimelineKind
from agent.investigation import Investigation
from agent.nodes.gather import BRANCHES
from agent.slices import change_query
from agent.state import IncidentState
from agent.step import Step
from agent.store import TimelineDraft
from tools.evidence import Query, evidence_id
from tools.words import counted

SIGNALS_TOLD = 12
CHANGES_TOLD = 8
"""What a person reads in one glance; the rest stays in the observations."""


def correlate(state: IncidentState, desk: Investigation) -> Step:
    """Merge the observations; tell the strongest deviations and the nearest changes in order of time."""
    seen = merge([desk.get(documents.observed_by(source), Observations) for source in BRANCHES])
    seen = seen.model_copy(update={"breaks": _breaks(state, desk)})
    desk.put(documents.OBSERVATIONS, seen)
    signals = sorted(seen.signals, key=lambda s: (not s.harmful, -s.confidence, -s.size, s.onset, s.evidence))
    changes = sorted(
        (change for change in seen.changes if change.in_effect and change.at <= seen.alert.fired_at),
        key=lambda change: change.at,
    )
    told = [_signal(signal) for signal in signals[:SIGNALS_TOLD]]
    told += [_change(change, seen) for change in changes[-CHANGES_TOLD:]]
    headline = TimelineDraft(kind=TimelineKind.EVIDENCE, text=_headline(seen, len(signals), len(changes)))
    return Step({}, [headline, *sorted(told, key=lambda d: (d.at, d.text))])


def _breaks(state: IncidentState, desk: Investigation) -> tuple[PathBreak, ...]:
    """Where requests leave their usual path: it takes log lines and spans together to see it."""
    if state.window is None or state.split is None:
        return ()
    lines, spans = (desk.frame_of(Query(tool=tool), state.window) for tool in ("log_lines", "spans"))
    desk.let_go()
    return observe_paths(lines, spans, desk.alert, state.window, state.split)


def _headline(seen: Observations, signals: int, changes: int) -> str:
    of = counted(len({s.service for s in seen.signals}), "service")
    text = f"{counted(signals, 'deviation')} of {of}"
    if signals > SIGNALS_TOLD:
        text += f", of which {SIGNALS_TOLD} are told here and {signals - SIGNALS_TOLD} more are in the observations"
    text += f"; {counted(changes, 'change')} in effect before the alert"
    return f"{text}, {changes - CHANGES_TOLD} earlier ones not told here" if changes > CHANGES_TOLD else text


def _signal(signal: Signal) -> TimelineDraft:
    before, after = (quantity(level, signal.unit, signal.name) for level in (signal.before, signal.after))
    return TimelineDraft(
        kind=TimelineKind.SIGNAL,
        at=signal.onset,
        text=f"{signal.service}: {signal.name} went {signal.direction}, {before} to {after} "
        f"(±{roughly(signal.onset_uncertainty)})",
        evidence=(signal.evidence,),
    )


def _change(change: ChangeEvent, seen: Observations) -> TimelineDraft:
    of = f" of {change.service}" if change.service else ""
    return TimelineDraft(
        kind=TimelineKind.CHANGE,
        at=change.at,
        text=f"{change.kind.value}{of}: {change.title or change.id}",
        evidence=(evidence_id(change_query(change.id), seen.window),),
    )
