"""Span algebra: parents, self times, call gaps, errors and impatient callers of a whole frame of spans at once.

Broken traces are normal: spans arrive twice, parents are missing, clocks differ between hosts, trace ids are cut off.
Whatever can be linked is linked, the rest stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agent.analysis.traces.spanlinks import Ints, find_parents
from agent.analysis.traces.spantext import SpanTexts, read_texts
from tools.moments import microseconds

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SECOND = 1_000_000
"""In microseconds."""
OUTLIVES_US = 1_000
"""A child must outlive its parent by a millisecond and by OUTLIVES_SHARE of the parent to count as outliving it;
clocks are no better."""
OUTLIVES_SHARE = 0.01


@dataclass(frozen=True)
class LinkedSpans:
    """The spans of a frame, row by row, with what follows from their relations. Times in milliseconds unless said."""

    service: NDArray[np.int64]
    """Codes into `services`; `name` into `names`."""
    services: tuple[str, ...]
    name: NDArray[np.int64]
    names: tuple[str, ...]
    kind: NDArray[np.object_]
    start: Ints
    """Microseconds since 1970, UTC."""
    duration: Floats
    parent: Ints
    """Row of the parent, -1 for a root or an orphan."""
    root: Ints
    """Row of the topmost span above, itself for a root."""
    texts: SpanTexts

    def __len__(self) -> int:
        return len(self.start)

    @cached_property
    def end(self) -> Ints:
        """Microseconds since 1970, UTC."""
        return self.start + np.rint(self.duration * 1000).astype(np.int64)

    @cached_property
    def children(self) -> Ints:
        """Rows of the spans that have a parent."""
        return np.flatnonzero(self.parent >= 0)

    @cached_property
    def self_time(self) -> Floats:
        """Duration minus the union of the children's intervals inside it; never negative."""
        return np.maximum(self.duration - self._covered / 1000.0, 0.0)

    @cached_property
    def crosses(self) -> Flags:
        """Whether a span was called by another service."""
        crossing = np.zeros(len(self), dtype=np.bool_)
        rows = self.children
        crossing[rows] = self.service[rows] != self.service[self.parent[rows]]
        return crossing

    @cached_property
    def gap(self) -> Floats:
        """Client minus server time of a call to another service, on the called span; NaN where nothing tells.

        The parent is the client side when it says so, or when it is an inner span with this one child: such a span is
        there for the call. The difference is the network, the proxies and the queue in front of the server.
        """
        gap = np.full(len(self), np.nan)
        rows = np.flatnonzero(self.crosses)
        parents = self.parent[rows]
        says_so = self.kind[parents] == "client"
        above = self.parent[parents]
        inner = (above >= 0) & (self.service[np.maximum(above, 0)] == self.service[parents])
        alone = np.bincount(self.parent[self.children], minlength=len(self))[parents] == 1
        waited = self.start[rows] < self.end[parents]
        told = alone & waited & (says_so | (inner & (self.kind[parents] == "")))
        rows, parents = rows[told], parents[told]
        gap[rows] = self.duration[parents] - self.duration[rows]
        return gap

    @cached_property
    def is_client(self) -> Flags:
        """Whether a span only stands for a call, so that its self time is the call's gap."""
        client = np.zeros(len(self), dtype=np.bool_)
        client[self.parent[np.flatnonzero(~np.isnan(self.gap))]] = True
        return client

    @cached_property
    def failed_below(self) -> Ints:
        """Row of a failed child for each failed span that has one (the first to begin), else -1."""
        below = np.full(len(self), -1, dtype=np.int64)
        rows = self.children[self.texts.error[self.children]]
        rows = rows[np.lexsort((self.service[rows], self.name[rows], self.start[rows]))][::-1]
        below[self.parent[rows]] = rows
        return np.where(self.texts.error, below, -1)

    @cached_property
    def cancelled(self) -> Flags:
        """Failed because the caller gave up: it was over, or out of patience, before this span was.

        A failure with a cause of its own stays one, whatever the caller did; work that begins after its parent's end
        was never waited for.
        """
        cancelled = np.zeros(len(self), dtype=np.bool_)
        rows, texts = self.children, self.texts
        parents = self.parent[rows]
        slack = np.maximum(OUTLIVES_US, OUTLIVES_SHARE * 1000.0 * self.duration[parents])
        outlived = (self.end[rows] > self.end[parents] + slack) & (self.start[rows] < self.end[parents])
        # Where clocks differ, only a child that also took longer is sure to have outlived its parent.
        outlived &= ~self.crosses[rows] | ((self.duration[rows] - self.duration[parents]) * 1000.0 > slack)
        impatient = texts.error[parents] & (texts.deadline[parents] | texts.cancellation[parents])
        wordless = (texts.message[rows] == "") | texts.deadline[rows]
        called_off = texts.cancellation[rows] & (outlived | impatient | self.crosses[rows])
        cancelled[rows] = texts.error[rows] & (called_off | (wordless & outlived & texts.error[parents]))
        return cancelled

    @cached_property
    def _covered(self) -> Floats:
        """Microseconds of each span that its children cover."""
        rows = self.children
        if not rows.size:
            return np.zeros(len(self))
        parents = self.parent[rows]
        begin, stop = self._fitted(rows, parents)
        order = np.lexsort((stop, begin, parents))
        parents, begin, stop = parents[order], begin[order], stop[order]
        # One running maximum over all parents at once: each parent's times are lifted above those of the one before.
        _, block = np.unique(parents, return_inverse=True)
        lift = block * (int(stop.max()) + 1)
        reached = np.maximum.accumulate(stop + lift)
        before = np.concatenate(([0], reached[:-1])) - lift
        fresh = np.maximum(stop - np.maximum(begin, before), 0)
        union = np.asarray(np.bincount(parents, weights=fresh, minlength=len(self)), dtype=np.float64)
        return np.where(self._coarse, self._added_up(union), union)

    def _fitted(self, rows: Ints, parents: Ints) -> tuple[Ints, Ints]:
        """Begin and end of children relative to their parents (microseconds), moved inside where clocks differ.

        A child of another service that would have fitted but begins too early or overlaps the end was called in time;
        the other host's clock is off. One that begins after the end is asynchronous and stays outside.
        """
        length = np.rint(self.duration[parents] * 1000).astype(np.int64)
        took = np.rint(self.duration[rows] * 1000).astype(np.int64)
        begin = self.start[rows] - self.start[parents]
        fits = self.crosses[rows] & (took <= length) & (begin < length)
        begin = np.where(fits, np.clip(begin, 0, np.maximum(length - took, 0)), begin)
        stop = np.clip(begin + took, 0, length)
        return np.clip(begin, 0, length), stop

    @cached_property
    def _coarse(self) -> Flags:
        """Parents whose own start and whose children's starts are all known to the second only."""
        rows = self.children
        fine = np.bincount(self.parent[rows], weights=self.start[rows] % SECOND != 0, minlength=len(self))
        return (fine == 0) & (self.start % SECOND == 0)

    def _added_up(self, union: Floats) -> Floats:
        """With whole seconds, children in sequence seem to overlap: their sum counts as long as it fits."""
        rows = self.children
        took = np.rint(self.duration[rows] * 1000)
        total = np.bincount(self.parent[rows], weights=took, minlength=len(self))
        return np.where(total <= self.duration * 1000.0, np.maximum(total, union), union)


def link_spans(frame: pd.DataFrame) -> LinkedSpans:
    """Link a spans frame (columns and types as in tools.backend; may be empty). Spans recorded twice count once."""
    service, services = pd.factorize(frame["service"].to_numpy(dtype=object), sort=True)
    name, names = pd.factorize(frame["name"].to_numpy(dtype=object), sort=True)
    start = microseconds(frame["start"])
    duration = np.maximum(np.nan_to_num(frame["duration_ms"].to_numpy(dtype=np.float64)), 0.0)
    links = find_parents(
        frame["trace_id"].to_numpy(dtype=object),
        frame["span_id"].to_numpy(dtype=object),
        frame["parent_span_id"].to_numpy(dtype=object),
        np.stack([service.astype(np.int64), name.astype(np.int64), start, np.rint(duration * 1000).astype(np.int64)]),
    )
    keep = links.keep
    kept = frame.iloc[keep]
    return LinkedSpans(
        service=service.astype(np.int64)[keep],
        services=tuple(str(value) for value in services),
        name=name.astype(np.int64)[keep],
        names=tuple(str(value) for value in names),
        kind=kept["kind"].to_numpy(dtype=object),
        start=start[keep],
        duration=duration[keep],
        parent=links.parent,
        root=links.root,
        texts=read_texts(kept["status"].to_numpy(dtype=object), kept["attributes"].to_numpy(dtype=object)),
    )
