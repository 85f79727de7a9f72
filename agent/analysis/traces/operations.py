"""Spans grouped by operation: how often, how long, how often it failed, how often one parent calls it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agent.analysis.counts import Floats, group_medians
from agent.analysis.logs.typical import typical_attributes
from agent.analysis.observed import OperationStats
from agent.analysis.peers import PeerFinder, leaf_name
from agent.analysis.traces.spans import LinkedSpans
from tools.evidence import Query, TimeWindow, evidence_id

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

MAX_MESSAGES = 5
MAX_SPANS_READ = 200
"""Spans of an operation, from the split on, whose attributes are looked at."""


@dataclass(frozen=True)
class Groups:
    """Rows put into groups; `head` is one row of each."""

    of_row: Ints
    head: Ints

    def __len__(self) -> int:
        return len(self.head)

    @classmethod
    def by(cls, *codes: Ints) -> Groups:
        """Rows with the same codes (at least -1) are one group; groups are ordered by their codes."""
        combined = np.zeros(len(codes[0]), dtype=np.int64)
        for code in codes:
            _, combined = np.unique(combined * (int(code.max(initial=0)) + 2) + code + 1, return_inverse=True)
        _, head, of_row = np.unique(combined, return_index=True, return_inverse=True)
        return cls(np.asarray(of_row, dtype=np.int64), np.asarray(head, dtype=np.int64))

    def count(self, rows: Flags) -> Ints:
        return np.asarray(np.bincount(self.of_row[rows], minlength=len(self)), dtype=np.int64)


@dataclass(frozen=True)
class Operations:
    """The operations of a frame of linked spans, before and after the split."""

    spans: LinkedSpans
    split: int
    """Microseconds since 1970, UTC."""
    window: TimeWindow
    finder: PeerFinder

    @cached_property
    def after(self) -> Flags:
        """A span belongs to the side on which it ended: what it met, it met by then."""
        return self.spans.end > self.split

    @cached_property
    def parent_service(self) -> Ints:
        parent = self.spans.parent
        return np.where(parent >= 0, self.spans.service[np.maximum(parent, 0)], -1)

    @cached_property
    def parent_name(self) -> Ints:
        parent = self.spans.parent
        return np.where(parent >= 0, self.spans.name[np.maximum(parent, 0)], -1)

    @cached_property
    def own(self) -> Groups:
        """By service and name, whoever calls."""
        return Groups.by(self.spans.service, self.spans.name)

    @cached_property
    def called(self) -> Groups:
        """By service, name and the parent's service and name."""
        return Groups.by(self.spans.service, self.spans.name, self.parent_service, self.parent_name)

    @cached_property
    def calls(self) -> tuple[Ints, Ints, Ints]:
        """For each parent span and group of `called`: the parent's row, the group, how many such children it has."""
        rows = self.spans.children
        pairs, counts = np.unique(
            self.spans.parent[rows] * len(self.called) + self.called.of_row[rows], return_counts=True
        )
        return pairs // max(len(self.called), 1), pairs % max(len(self.called), 1), np.asarray(counts, dtype=np.int64)

    def name_of(self, row: int) -> tuple[str, str]:
        """Service and operation of a span."""
        return self.spans.services[self.spans.service[row]], self.spans.names[self.spans.name[row]]

    def evidence(self, row: int) -> str:
        service, name = self.name_of(row)
        return evidence_id(Query(tool="spans", arguments={"service": service, "operation": name}), self.window)

    def stats(self) -> tuple[OperationStats, ...]:
        """The figures of every operation and parent, ordered by names."""
        table = _Figures(self)
        found = [table.of(group) for group in range(len(self.called))]
        return tuple(sorted(found, key=lambda o: (o.service, o.name, o.parent_service, o.parent_name)))

    def messages(self, group: int, groups: Groups) -> tuple[str, ...]:
        """Different error texts of a group after the split, most frequent first."""
        rows = self.rows(group, groups)
        texts = self.spans.texts.message[rows[self.after[rows] & self.spans.texts.error[rows]]]
        found, counts = np.unique(texts[texts != ""].astype(str), return_counts=True)
        return tuple(str(found[i]) for i in np.lexsort((found, -counts))[:MAX_MESSAGES])

    def attributes(self, group: int, groups: Groups) -> dict[str, str]:
        """Typical attributes of a group's first spans after the split (all that share the last moment)."""
        rows = self.rows(group, groups)
        rows = rows[self.after[rows]]
        if rows.size > MAX_SPANS_READ:
            last = self.spans.start[rows[MAX_SPANS_READ - 1]]
            rows = rows[self.spans.start[rows] <= last]
        return typical_attributes(self.spans.texts.attributes[rows])

    def rows(self, group: int, groups: Groups) -> Ints:
        """Rows of a group in order of start."""
        order, bounds = self._sorted[groups is self.own]
        return order[bounds[group] : bounds[group + 1]]

    def peer(self, group: int, groups: Groups, attributes: dict[str, str]) -> str | None:
        """Whom the attributes name, where no span of that peer exists below."""
        rows = self.rows(group, groups)
        if self._calls_out[rows].any():
            return None
        named = self.finder.find("", attributes, self.name_of(int(rows[0]))[0])
        return named.service if named else leaf_name(attributes)

    @cached_property
    def _calls_out(self) -> Flags:
        """Spans with a child in another service."""
        calls = np.zeros(len(self.spans), dtype=np.bool_)
        calls[self.spans.parent[self.spans.crosses]] = True
        return calls

    @cached_property
    def _sorted(self) -> dict[bool, tuple[Ints, Ints]]:
        found: dict[bool, tuple[Ints, Ints]] = {}
        for is_own, groups in ((True, self.own), (False, self.called)):
            order = np.lexsort((self.spans.start, groups.of_row))
            bounds = np.searchsorted(groups.of_row[order], np.arange(len(groups) + 1))
            found[is_own] = (np.asarray(order, dtype=np.int64), np.asarray(bounds, dtype=np.int64))
        return found


class _Figures:
    """Counts and medians of all groups at once."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        spans, groups, after = operations.spans, operations.called, operations.after
        self.count = [groups.count(after == side) for side in (False, True)]
        self.errors = [groups.count((after == side) & spans.texts.error) for side in (False, True)]
        self.cancelled = groups.count(after & spans.cancelled)
        self.duration = [self._median(spans.duration, after == side) for side in (False, True)]
        self.self_time = [self._median(spans.self_time, after == side) for side in (False, True)]
        parent, group, calls = operations.calls
        late = after[parent]
        self.calls: list[Floats] = []
        for side in (False, True):
            parents = np.bincount(group[late == side], minlength=len(groups))
            total = np.bincount(group[late == side], weights=calls[late == side], minlength=len(groups))
            self.calls.append(np.where(parents > 0, total / np.maximum(parents, 1), np.nan))

    def _median(self, values: Floats, rows: Flags) -> Floats:
        groups = self.operations.called
        return group_medians(values[rows], groups.of_row[rows], len(groups))

    def of(self, group: int) -> OperationStats:
        operations = self.operations
        row = int(operations.called.head[group])
        service, name = operations.name_of(row)
        parent = int(operations.spans.parent[row])
        above = operations.name_of(parent) if parent >= 0 else ("", "")
        attributes = operations.attributes(group, operations.called)
        if self.cancelled[group]:
            attributes["cancelled_by_caller"] = str(self.cancelled[group])
        kinds = set(operations.spans.kind[operations.rows(group, operations.called)].tolist())
        return OperationStats(
            service=service,
            name=name,
            evidence=operations.evidence(row),
            parent_service=above[0],
            parent_name=above[1],
            kind=min(kinds - {""}, default=""),
            count_before=int(self.count[0][group]),
            count_after=int(self.count[1][group]),
            duration_before=_known(self.duration[0][group]),
            duration_after=_known(self.duration[1][group]),
            self_before=_known(self.self_time[0][group]),
            self_after=_known(self.self_time[1][group]),
            calls_per_parent_before=_known(self.calls[0][group]),
            calls_per_parent_after=_known(self.calls[1][group]),
            errors_before=int(self.errors[0][group]),
            errors_after=int(self.errors[1][group]),
            messages=operations.messages(group, operations.called),
            attributes=attributes,
            peer=operations.peer(group, operations.called, attributes),
        )


def _known(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)
