"""Steps inside a span: its beginning, then the statements that wrote its log lines, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from agent.analysis.paths.spanrows import SpanRows
from agent.analysis.paths.statements import Statements
from agent.analysis.paths.stretches import Flags, Ints, find_blocks
from agent.analysis.paths.transitions import Transitions

BEGINNING = 0
"""The step at which an operation begins; statement s is step s + 1."""
END = 0
"""The follower that says that nothing followed."""


@dataclass(frozen=True)
class Owners:
    """Who lines and spans belong to: one code per (trace id, span id), and one per trace."""

    of_span: Ints
    trace_of_span: Ints
    of_line: Ints
    trace_of_line: Ints


@dataclass(frozen=True)
class Steps:
    """Steps of all owners; the transitions are between successive steps of one owner."""

    transitions: Transitions
    group_service: Ints
    """Codes into `services` of each group, `group_operation` into `operations`."""
    services: tuple[str, ...]
    group_operation: Ints
    operations: tuple[str, ...]
    group_step: Ints


def own(lines: pd.DataFrame, spans: SpanRows) -> Owners:
    """Match lines to spans by both ids; a line without a trace id belongs to a trace of its own span."""
    n = len(spans)
    trace = pd.factorize(np.concatenate([spans.trace_id, lines["trace_id"].to_numpy(dtype=object)]))[0]
    span = pd.factorize(np.concatenate([spans.span_id, lines["span_id"].to_numpy(dtype=object)]))[0]
    pair = pd.factorize(trace.astype(np.int64) * (int(span.max(initial=0)) + 1) + span)[0].astype(np.int64)
    nameless = np.concatenate([spans.trace_id == "", lines["trace_id"].to_numpy(dtype=object) == ""])
    alone = np.where(nameless.astype(np.bool_), int(trace.max(initial=0)) + 1 + pair, trace)
    return Owners(of_span=pair[:n], trace_of_span=alone[:n], of_line=pair[n:], trace_of_line=alone[n:])


def read_steps(lines: pd.DataFrame, times: Ints, statements: Statements, spans: SpanRows, owners: Owners) -> Steps:
    """Transitions between the steps of every span that lies wholly inside the time with lines."""
    services = tuple(sorted({*spans.services, *(s.service for s in statements.known)}))
    operations = ("", *spans.names)
    whole = find_blocks(np.sort(times)).hold(spans.start, spans.end)
    begun = _begun(spans, owners, whole & (spans.end >= _first_lines(times, statements, spans)))
    kept = np.flatnonzero(~_partial(owners, begun))
    owner = np.concatenate([owners.of_span[begun], owners.of_line[kept]])
    at = np.concatenate([spans.start[begun], times[kept]])
    step = np.concatenate([np.full(begun.size, BEGINNING), statements.of_row[kept] + 1])
    order = _in_order(owner, step, at, len(statements.known) + 1)
    owner, at, step = owner[order], at[order], step[order]
    head, last = _ends(owner)
    owner_count = int(owner.max(initial=-1)) + 1
    service, operation, end = _about_owners(owner_count, spans, owners.of_span, begun, services)
    _name_orphans(service, owner[head], step[head], statements, services)
    follower = np.where(last, END, np.roll(step, -1))
    arrived = np.where(last, np.maximum(at, end[owner]), np.roll(at, -1))
    trace = np.concatenate([owners.trace_of_span[begun], owners.trace_of_line[kept]])[order]
    steps = len(statements.known) + 1
    key = (service[owner] * len(operations) + operation[owner]) * steps + step
    group, groups = pd.factorize(key)
    groups = np.asarray(groups, dtype=np.int64)
    return Steps(
        transitions=Transitions(at, arrived, trace, group.astype(np.int64), follower),
        group_service=groups // steps // len(operations),
        services=services,
        group_operation=groups // steps % len(operations),
        operations=operations,
        group_step=groups % steps,
    )


def _begun(spans: SpanRows, owners: Owners, whole: Flags) -> Ints:
    """Rows of the spans whose steps are read: those that lie in `whole` time; the first of several with one id."""
    rows = np.flatnonzero(whole & (spans.span_id != ""))
    rows = rows[np.lexsort((spans.name[rows], spans.service[rows], spans.end[rows], spans.start[rows]))]
    return rows[np.unique(owners.of_span[rows], return_index=True)[1]]


def _first_lines(times: Ints, statements: Statements, spans: SpanRows) -> Ints:
    """For each span when its service was first heard of: what ended before may have been said and not collected."""
    place = {name: code for code, name in enumerate(spans.services)}
    service = np.array([place.get(s.service, len(place)) for s in statements.known], dtype=np.int64)
    first = np.full(len(place) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, service[statements.of_row], times)
    never = np.iinfo(np.int64).min
    return np.where(first == np.iinfo(np.int64).max, never, first)[spans.service]


def _partial(owners: Owners, begun: Ints) -> Flags:
    """Lines whose span is known and is not read."""
    known = np.zeros(int(max(owners.of_span.max(initial=-1), owners.of_line.max(initial=-1))) + 1, dtype=np.bool_)
    known[owners.of_span] = True
    known[owners.of_span[begun]] = False
    return known[owners.of_line]


def _in_order(owner: Ints, step: Ints, at: Ints, steps: int) -> Ints:
    """Order by owner and time. Steps of one moment come in the order they usually have.

    Clocks and exports that know milliseconds only make ties, and hand them out in any order.
    """
    first = np.where(step == BEGINNING, np.iinfo(np.int64).min, at)
    order = np.lexsort((step, first, owner))
    o, t = owner[order], first[order]
    if not np.any((o[1:] == o[:-1]) & (t[1:] == t[:-1]) & (step[order][1:] != step[order][:-1])):
        return order
    head, _ = _ends(o)
    place = np.arange(len(o)) - np.maximum.accumulate(np.where(head, np.arange(len(o)), 0))
    seen = np.maximum(np.bincount(step, minlength=steps), 1)
    usual = np.bincount(step[order], weights=place, minlength=steps) / seen
    return np.lexsort((step, usual[step], first, owner))


def _ends(owner: Ints) -> tuple[Flags, Flags]:
    """Which rows are the first and the last of their owner; rows are ordered by owner."""
    change = owner[1:] != owner[:-1]
    edge = np.ones(min(len(owner), 1), dtype=np.bool_)
    return np.concatenate((edge, change)), np.concatenate((change, edge))


def _about_owners(
    count: int, spans: SpanRows, of_span: Ints, begun: Ints, services: tuple[str, ...]
) -> tuple[Ints, Ints, Ints]:
    """Service, operation and end of each owner, as far as its span is known (else -1, 0, and the earliest time)."""
    rank = {name: place for place, name in enumerate(services)}
    translated = np.array([rank[name] for name in spans.services], dtype=np.int64)
    service = np.full(count, -1, dtype=np.int64)
    operation = np.zeros(count, dtype=np.int64)
    end = np.full(count, np.iinfo(np.int64).min)
    if begun.size:
        owner = of_span[begun]
        service[owner] = translated[spans.service[begun]]
        operation[owner] = spans.name[begun] + 1
        end[owner] = spans.end[begun]
    return service, operation, end


def _name_orphans(service: Ints, owner: Ints, step: Ints, statements: Statements, services: tuple[str, ...]) -> None:
    """An owner whose span is not known belongs to the service of its first line."""
    rank = {name: place for place, name in enumerate(services)}
    translated = np.array([-1, *(rank[s.service] for s in statements.known)], dtype=np.int64)
    orphan = service[owner] < 0
    service[owner[orphan]] = translated[step[orphan]]
