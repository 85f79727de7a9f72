"""Observes requests that leave their usual path inside a service, from log statements and from calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from agent.analysis.moments import candidate_moments
from agent.analysis.observed import PathBreak
from agent.analysis.paths.calls import read_calls
from agent.analysis.paths.counts import Counts, count
from agent.analysis.paths.order import Broken, first_shares
from agent.analysis.paths.spanrows import read_spans
from agent.analysis.paths.statements import read_statements
from agent.analysis.paths.steps import own, read_steps
from agent.analysis.paths.stretches import Ints, Stretches, cut_stretches
from agent.analysis.paths.transitions import Transitions
from agent.analysis.paths.weighing import Weighed, pair_up, weigh
from agent.analysis.paths.wording import CallWords, StepWords
from agent.incident import Alert
from tools.backend import LOG_COLUMNS, SPAN_COLUMNS
from tools.evidence import TimeWindow
from tools.moments import from_microseconds, microseconds

MAX_BREAKS = 100
"""Breaks that are reported, strongest first."""
MIN_STRENGTH = 1.0
"""Nats from which on a break is worth telling; a system without a fault has a few of this strength."""
BROKEN_STRENGTH = 3.0
"""Nats from which on a transition counts when it is asked which service broke first."""
MOSTLY_NEW = 0.5
"""Share of a transition's events that must be above its usual share for a single one to be called broken."""


@dataclass(frozen=True)
class _Table:
    """Transitions of one kind, how often they were taken, and who puts them into words."""

    transitions: Transitions
    counts: Counts
    words: StepWords | CallWords


def observe_paths(
    logs: pd.DataFrame | None, spans: pd.DataFrame | None, alert: Alert, window: TimeWindow, split: datetime
) -> tuple[PathBreak, ...]:
    """Breaks of paths after the symptom began, strongest first, at most MAX_BREAKS.

    Frames have the columns of tools.backend; either may be None or empty, rows in any order. Lines need a span id to
    tell a path. `split` may be wrong by minutes: of it and the moments around the alert, the one that shows the
    strongest break is taken.
    """
    del window
    read = _read(_or_empty(logs, LOG_COLUMNS), _or_empty(spans, SPAN_COLUMNS))
    if not read:
        return ()
    ordered = np.sort(np.concatenate([transitions.at for transitions, _ in read]))
    moments = candidate_moments(split, alert.fired_at)
    stretches = cut_stretches(ordered, (round(moment.timestamp() * 1_000_000) for moment in moments))
    if not stretches.splits.size:
        return ()
    tables = [_Table(transitions, count(transitions, stretches), words) for transitions, words in read]
    fired = round(alert.fired_at.timestamp() * 1_000_000)
    weighed = _strongest_split(tables, stretches, fired)
    price = float(np.log(stretches.splits.size))
    breaks = _breaks(tables, weighed, price)
    return tuple(sorted(breaks, key=_by_strength)[:MAX_BREAKS])


def _or_empty(frame: pd.DataFrame | None, columns: Sequence[str]) -> pd.DataFrame:
    if frame is not None and not frame.empty:
        return frame
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    times = {name: "datetime64[us, UTC]" for name in ("timestamp", "start") if name in columns}
    return empty.astype(times | {name: "float64" for name in ("duration_ms",) if name in columns})


def _read(logs: pd.DataFrame, spans: pd.DataFrame) -> list[tuple[Transitions, StepWords | CallWords]]:
    """Transitions between statements and between calls, each with who puts them into words; none that are empty."""
    rows = read_spans(spans)
    lines = logs[logs["span_id"].to_numpy(dtype=object) != ""]
    owners = own(lines, rows)
    found: list[tuple[Transitions, StepWords | CallWords]] = []
    if len(lines):
        statements = read_statements(lines)
        steps = read_steps(lines, microseconds(lines["timestamp"]), statements, rows, owners)
        found.append((steps.transitions, StepWords(steps, statements)))
    if len(rows):
        calls = read_calls(rows, owners.trace_of_span)
        found.append((calls.transitions, CallWords(calls, rows)))
    return [each for each in found if len(each[0])]


def _strongest_split(tables: Sequence[_Table], stretches: Stretches, fired: int) -> list[Weighed]:
    """Each table weighed at the split that shows the strongest break; the earliest of equals."""
    tried = [[weigh(table.counts, stretches, int(split), fired) for table in tables] for split in stretches.splits]
    return max(tried, key=lambda each: max(weighed.strongest for weighed in each))


def _breaks(tables: Sequence[_Table], weighed: Sequence[Weighed], price: float) -> list[PathBreak]:
    names = sorted({table.words.service(int(g)) for table in tables for g in table.counts.event_group})
    broken = [_broken(table, w, price, names) for table, w in zip(tables, weighed, strict=True)]
    firsts = first_shares(broken, [len(table.counts) for table in tables])
    found: list[PathBreak] = []
    for table, each, first in zip(tables, weighed, firsts, strict=True):
        pairs = pair_up(table.counts, each, MIN_STRENGTH + price)
        since = _since(table, each.split)
        for riser, loser in zip(pairs.riser.tolist(), pairs.loser.tolist(), strict=True):
            found.append(_break(table, each, riser, loser, price, float(first[riser]), int(since[riser])))
    return found


def _broken(table: _Table, weighed: Weighed, price: float, names: Sequence[str]) -> Broken:
    """The events after the split that belong to transitions that rose and are hardly ever usual."""
    counts = table.counts
    new = (weighed.after - weighed.before) >= MOSTLY_NEW * weighed.after
    rows = (weighed.strength >= price + BROKEN_STRENGTH) & new
    rows |= np.isin(np.arange(len(counts)), pair_up(counts, weighed, MIN_STRENGTH + price).riser)
    events = _after(table, weighed.split)
    row = counts.row_of_event[events]
    kept = events[rows[row]]
    row = counts.row_of_event[kept]
    rank = {name: place for place, name in enumerate(names)}
    service = np.array([rank[table.words.service(int(g))] for g in counts.event_group], dtype=np.int64)
    return Broken(row=row, service=service[row], trace=table.transitions.trace[kept], done=table.transitions.done[kept])


def _after(table: _Table, split: int) -> Ints:
    """Events after the split that are looked at."""
    return np.flatnonzero((table.transitions.at >= split) & (table.counts.row_of_event >= 0))


def _since(table: _Table, split: int) -> Ints:
    """When each row was first taken after the split, microseconds."""
    events = _after(table, split)
    since = np.full(len(table.counts), np.iinfo(np.int64).max)
    np.minimum.at(since, table.counts.row_of_event[events], table.transitions.done[events])
    return since


def _break(
    table: _Table, weighed: Weighed, riser: int, loser: int, price: float, first: float, since: int
) -> PathBreak:
    counts = table.counts
    told = table.words.told(int(counts.event_group[riser]), int(counts.follower[loser]), int(counts.follower[riser]))
    return PathBreak(
        service=told.service,
        operation=told.operation,
        step=told.step,
        usual=told.usual,
        instead=told.instead,
        usual_before=float(weighed.before[loser]),
        usual_after=float(weighed.after[loser]),
        instead_before=float(weighed.before[riser]),
        instead_after=float(weighed.after[riser]),
        count_before=round(float(weighed.events_before[riser])),
        count_after=round(float(weighed.events_after[riser])),
        strength=float(weighed.strength[riser]) - price,
        first=first,
        failing=told.failing,
        raised=told.raised,
        since=from_microseconds(since),
        query=told.query,
    )


def _by_strength(one: PathBreak) -> tuple[float, str, str, str, str]:
    return -one.strength, one.service, one.operation, one.step, one.instead
