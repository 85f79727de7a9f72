"""Gather: read one kind of telemetry and reduce it to observations. The branches run side by side, one per source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import pandas as pd
from pydantic import TypeAdapter

from agent import documents
from agent.analysis.logs.observe import observe_logs
from agent.analysis.metrics.observe import observe_metrics
from agent.analysis.observed import Observations
from agent.analysis.traces.observe import observe_traces
from agent.incident import (
    Alert,
    ChangeEvent,
    Claim,
    DataGap,
    Edge,
    Evidence,
    Query,
    Runbook,
    Source,
    StatusEvent,
    TimelineKind,
    TimeWindow,
)
from agent.investigation import Investigation
from agent.slices import change_query, cut_slices, queries_of
from agent.state import Branch, IncidentState
from agent.step import Step
from agent.store import TimelineDraft
from tools.catalogue import Answer
from tools.evidence import ToolError
from tools.words import counted

SLICES_KEPT = 60
"""Signals of one source, the strongest first, whose own evidence is stored at once; that of others when it is cited."""

SAYS_NOTHING = {
    Source.METRICS: "what runs out, and how every service's levels moved, cannot be seen",
    Source.LOGS: "errors that only logs name cannot be seen",
    Source.TRACES: "which call is slow or fails, and who waits for whom, cannot be seen",
    Source.CHANGES: "whether a change did it cannot be told",
    Source.STATUS: "an outage of a provider cannot be told from one of ours",
    Source.TOPOLOGY: "who depends on whom is only known where traces show it",
    Source.RUNBOOKS: "instructions of the owning teams are not taken into account",
}
"""How the answer is limited when a source says nothing."""

Observe = Callable[[pd.DataFrame, Alert, TimeWindow, datetime], Observations]

TELEMETRY: dict[Source, tuple[str, Observe]] = {
    Source.METRICS: ("metric_range", observe_metrics),
    Source.LOGS: ("log_lines", observe_logs),
    Source.TRACES: ("spans", observe_traces),
}

BRANCHES = (Source.METRICS, Source.LOGS, Source.TRACES, Source.CHANGES, Source.TOPOLOGY, Source.RUNBOOKS)
"""The status feed is read with the changes: both say what somebody else did."""


@dataclass(frozen=True)
class Gathered:
    """What one branch found."""

    observations: Observations
    headline: str
    evidence: tuple[str, ...]
    tool_calls: int = 1


def branches(state: IncidentState) -> list[Branch]:
    """One branch for each source. Raises ValueError before triage."""
    if state.window is None or state.split is None:
        raise ValueError(f"{state.incident} has not been triaged")
    return [
        Branch(source=source, incident=state.incident, window=state.window, split=state.split) for source in BRANCHES
    ]


def gather(branch: Branch, desk: Investigation) -> Step:
    """Read, store as evidence, reduce; what cannot be read is a data gap and never an error."""
    found = _read(branch, desk)
    name = documents.observed_by(branch.source)
    desk.put(name, found.observations)
    entries = [TimelineDraft(kind=TimelineKind.EVIDENCE, text=found.headline, evidence=found.evidence)]
    entries += [
        TimelineDraft(kind=TimelineKind.DATA_GAP, text=gap.claim.text, evidence=gap.claim.evidence)
        for gap in found.observations.gaps
    ]
    changes = {"evidence": list(found.evidence), "tool_calls": found.tool_calls}
    return Step(changes, entries)


def _read(branch: Branch, desk: Investigation) -> Gathered:
    match branch.source:
        case Source.CHANGES:
            return _read_changes(branch, desk)
        case Source.TOPOLOGY:
            return _read_edges(branch, desk)
        case Source.RUNBOOKS:
            return _read_runbooks(branch, desk)
        case _:
            return _read_telemetry(branch, desk)


def _read_telemetry(branch: Branch, desk: Investigation) -> Gathered:
    source, window = branch.source, branch.window
    tool, observe = TELEMETRY[source]
    answer, cited, gaps = _ask(source, Query(tool=tool), window, desk)
    if answer is None or answer.frame is None or answer.frame.empty:
        if not gaps:
            gaps = [_gap(source, f"{source.value} came back empty", SAYS_NOTHING[source], cited)]
        return Gathered(_nothing(branch, desk, gaps), f"{source.value}: nothing", (cited,))
    seen = observe(answer.frame, desk.alert, window, branch.split)
    kept = keep_slices(source, answer.frame, seen, desk)
    left = len({signal.evidence for signal in seen.signals}) - kept
    more = f"; the {left} weakest are stored when they are cited" if left > 0 else ""
    headline = f"{answer.evidence.summary}: {counted(len(seen.signals), 'deviation')}{more}"
    return Gathered(seen.model_copy(update={"gaps": (*seen.gaps, *gaps)}), headline, (cited,))


def keep_slices(source: Source, frame: pd.DataFrame, seen: Observations, desk: Investigation) -> int:
    """Store the evidence of the strongest signals, cut from the frame; returns for how many."""
    by_id = queries_of(seen)
    strongest = sorted(seen.signals, key=lambda s: (-s.confidence, -s.size, s.evidence))
    wanted = islice(dict.fromkeys(s.evidence for s in strongest if s.evidence in by_id), SLICES_KEPT)
    answers = cut_slices(source, frame, [by_id[evidence] for evidence in wanted], seen.window)
    return len(desk.keep_answers(list(answers)))


def _read_changes(branch: Branch, desk: Investigation) -> Gathered:
    answer, cited, gaps = _ask(Source.CHANGES, Query(tool="changes"), branch.window, desk)
    status, status_cited, status_gaps = _ask(Source.STATUS, Query(tool="status_events"), branch.window, desk)
    changes = [] if answer is None else TypeAdapter(list[ChangeEvent]).validate_python(answer.result)
    events = [] if status is None else TypeAdapter(list[StatusEvent]).validate_python(status.result)
    for change in changes:
        result = change.model_dump(mode="json")
        summary = f"{change.kind.value} {change.id} of {change.service or 'no service'}: {change.title}"
        desk.keep(Evidence.of(Source.CHANGES, change_query(change.id), branch.window, summary, result), result)
    seen = _nothing(branch, desk, [*gaps, *status_gaps]).model_copy(
        update={"changes": tuple(changes), "status_events": tuple(events)}
    )
    headline = f"{counted(len(changes), 'change')}, {counted(len(events), 'entry', 'entries')} of status feeds"
    return Gathered(seen, headline, (cited, status_cited), tool_calls=2)


def _read_edges(branch: Branch, desk: Investigation) -> Gathered:
    answer, cited, gaps = _ask(Source.TOPOLOGY, Query(tool="edges"), branch.window, desk)
    edges = [] if answer is None else TypeAdapter(list[Edge]).validate_python(answer.result)
    seen = _nothing(branch, desk, gaps).model_copy(update={"edges": tuple(edges)})
    return Gathered(seen, counted(len(edges), "dependency", "dependencies"), (cited,))


def _read_runbooks(branch: Branch, desk: Investigation) -> Gathered:
    answer, cited, gaps = _ask(Source.RUNBOOKS, Query(tool="runbooks"), branch.window, desk)
    pages = [] if answer is None else TypeAdapter(list[Runbook]).validate_python(answer.result)
    seen = _nothing(branch, desk, gaps).model_copy(update={"runbooks": tuple(pages)})
    return Gathered(seen, counted(len(pages), "runbook"), (cited,))


def _ask(
    source: Source, query: Query, window: TimeWindow, desk: Investigation
) -> tuple[Answer | None, str, list[DataGap]]:
    """The answer, the id of the evidence stored for it, and the gaps; without an answer the evidence says why."""
    try:
        answer = desk.ask(query, window)
    except ToolError as error:
        notes = [text for of, text in desk.backend.notes if of is source]
        cited = desk.keep_failure(error, query, window)
        return None, cited, [_gap(source, why, SAYS_NOTHING[source], cited) for why in notes or [error.message]]
    (cited,) = desk.keep_answers([answer])
    # Read after the answer: a live backend notes while it answers what was partial.
    notes = [text for of, text in desk.backend.notes if of is source]
    return (
        answer,
        cited,
        [_gap(source, why, f"part of the {source.value} is not in this answer", cited) for why in notes],
    )


def _gap(source: Source, why: str, limits: str, cited: str) -> DataGap:
    return DataGap(source=source, claim=Claim(text=f"{why}; {limits}", evidence=(cited,)))


def _nothing(branch: Branch, desk: Investigation, gaps: Sequence[DataGap]) -> Observations:
    return Observations(alert=desk.alert, window=branch.window, gaps=tuple(gaps))
