"""Probe: look up what the hypotheses rest on, then ask what could still refute them, within the budget."""

from __future__ import annotations

from agent import documents
from agent.analysis.history import past_of
from agent.analysis.observed import Observations, merge
from agent.analysis.ranking import Probe, Ranking
from agent.budget import Budget
from agent.citations import cited_by, look_up
from agent.incident import Source, TimelineKind
from agent.investigation import SOURCES, Investigation
from agent.nodes.gather import TELEMETRY, keep_slices
from agent.slices import queries_of
from agent.state import IncidentState
from agent.step import Step
from agent.store import TimelineDraft
from tools.evidence import ToolError, evidence_id
from tools.words import counted


def probe(state: IncidentState, desk: Investigation) -> Step:
    """Fetch cited evidence, run the ranking's open questions, add what they bring to the observations."""
    ranking = desk.get(documents.RANKING, Ranking)
    seen = desk.get(documents.OBSERVATIONS, Observations)
    budget = Budget(desk.settings, state)
    looked_up = look_up(cited_by(ranking.diagnosis), seen, desk, budget)
    entries: list[TimelineDraft] = []
    gathered = queries_of(seen)
    new: list[Observations] = []
    for question in ranking.probes:
        if evidence_id(question.query, question.window) in gathered or not _recorded(question, desk):
            continue
        if budget.nudged:
            break
        budget.calls += 1
        entries.append(_ask(question, state, desk, new))
    brought = _new(seen, new)
    if brought is not None:
        desk.put(documents.OBSERVATIONS, merge([seen, brought]))
    text = _headline(len(looked_up), len(entries), brought)
    headline = TimelineDraft(kind=TimelineKind.PROBE, text=text, evidence=tuple(looked_up))
    return Step({"tool_calls": budget.calls}, [headline, *entries, *_on_budget(budget)])


def _recorded(question: Probe, desk: Investigation) -> bool:
    """A recording has nothing to say of times that it does not cover, unless the very question was recorded."""
    covered = desk.backend.window
    if evidence_id(question.query, question.window) in desk.backend.asked:
        return True
    return covered is None or (question.window.since < covered.until and covered.since < question.window.until)


def _headline(looked_up: int, asked: int, brought: Observations | None) -> str:
    rest_on = f"{counted(looked_up, 'answer')} looked up" if looked_up else "at hand"
    text = f"what the hypotheses rest on: {rest_on}; {counted(asked, 'further question')} asked"
    return text if brought is None else f"{text}, which brought {counted(len(brought.signals), 'deviation')}"


def _ask(question: Probe, state: IncidentState, desk: Investigation, new: list[Observations]) -> TimelineDraft:
    try:
        answer = desk.ask(question.query, question.window)
    except ToolError as error:
        cited = desk.keep_failure(error, question.query, question.window)
        text = f"{question.asks}: no answer ({error.message})"
        return TimelineDraft(kind=TimelineKind.PROBE, text=text, evidence=(cited,))
    (evidence,) = desk.keep_answers([answer])
    source, window = SOURCES[question.query.tool], question.window
    if source in TELEMETRY and answer.frame is not None and state.split and window.contains(state.split):
        _, observe = TELEMETRY[source]
        seen = observe(answer.frame, desk.alert, window, state.split)
        keep_slices(source, answer.frame, seen, desk)
        new.append(seen)
    elif source is Source.METRICS and answer.frame is not None and not answer.frame.empty:
        past = past_of(answer.frame, window)
        new.append(Observations(alert=desk.alert, window=state.window or window, history=past))
    text = f"{question.asks}: {answer.evidence.summary}"
    return TimelineDraft(kind=TimelineKind.PROBE, text=text, evidence=(evidence,))


def _new(seen: Observations, brought: list[Observations]) -> Observations | None:
    """What is new among `brought`, in one; None when nothing is. What was gathered is not said twice."""
    signals = {(s.kind, s.service, s.name): s for part in brought for s in part.signals}
    levels = {(x.service, x.metric): x for part in brought for x in part.levels}
    templates = {(t.service, t.severity, t.template): t for part in brought for t in part.templates}
    operations = {(o.service, o.name, o.parent_service, o.parent_name): o for part in brought for o in part.operations}
    for s in seen.signals:
        signals.pop((s.kind, s.service, s.name), None)
    for x in seen.levels:
        levels.pop((x.service, x.metric), None)
    for t in seen.templates:
        templates.pop((t.service, t.severity, t.template), None)
    for o in seen.operations:
        operations.pop((o.service, o.name, o.parent_service, o.parent_name), None)
    history = tuple(x for part in brought for x in part.history if x not in seen.history)
    if not (signals or levels or templates or operations or history):
        return None
    return Observations(
        alert=seen.alert,
        window=seen.window,
        signals=tuple(signals.values()),
        levels=tuple(levels.values()),
        templates=tuple(templates.values()),
        operations=tuple(operations.values()),
        history=history,
    )


def _on_budget(budget: Budget) -> list[TimelineDraft]:
    if budget.spent:
        text = f"the {budget} is used up; the answer is what is known so far"
    elif budget.nudged:
        text = f"{budget.used:.0%} of the {budget} is used; nothing new is asked any more"
    else:
        return []
    return [TimelineDraft(kind=TimelineKind.PROBE, text=text)]
