"""Which span is whose parent, in a whole frame at once, however broken the traces are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Links:
    """The rows that are kept, and for each of them, counted among the kept: its parent (-1 for none) and its root."""

    keep: Ints
    parent: Ints
    root: Ints


def find_parents(trace: Texts, span: Texts, parent: Texts, facts: Ints) -> Links:
    """Link children to parents by span id within a trace.

    `facts` are, row by row, service code, name code, start and duration (microseconds); they tell a span that was sent
    twice (kept once) from two spans that share an id. A parent id that its own trace does not know, but exactly one
    span of the frame has, is that span: a cut or constant trace id. A cycle is cut above the span that begins first.
    """
    rows = len(span)
    trace_code = np.asarray(pd.factorize(trace)[0], dtype=np.int64)
    ids = pd.factorize(np.concatenate([span, parent]))[0].astype(np.int64)
    width = int(ids.max(initial=0)) + 1
    nameless, orphan = _empty(span), _empty(parent)
    keep = _once(trace_code * width + ids[:rows], facts, nameless)
    book = _Book(
        own=(trace_code * width + ids[:rows])[keep],
        wanted=np.where(orphan, -1, trace_code * width + ids[rows:])[keep],
        span=np.where(nameless, -1, ids[:rows])[keep],
        parent=np.where(orphan, -2, ids[rows:])[keep],
        facts=facts[:, keep],
    )
    return Links(keep, *_without_cycles(book.parents(), book.facts))


@dataclass(frozen=True)
class _Book:
    """Ids as codes: of a span and of the wanted parent within a trace, and of both without the trace."""

    own: Ints
    wanted: Ints
    span: Ints
    parent: Ints
    facts: Ints

    def parents(self) -> Ints:
        """The row of each span's parent, -1 where there is none; cycles are still in."""
        found = np.full(len(self.own), -1, dtype=np.int64)
        named = np.flatnonzero(self.span >= 0)
        order = named[np.argsort(self.own[named], kind="stable")]
        keys = self.own[order]
        low, high = np.searchsorted(keys, self.wanted), np.searchsorted(keys, self.wanted, side="right")
        single = (high - low == 1) & (self.wanted >= 0)
        found[single] = order[low[single]]
        if np.any(keys[1:] == keys[:-1]):
            self._among_namesakes(found, order, low, high)
            self._shared_ids(found)
        self._elsewhere(found, (high == low) & (self.wanted >= 0))
        found[found == np.arange(len(found))] = -1
        return found

    def _among_namesakes(self, found: Ints, order: Ints, low: Ints, high: Ints) -> None:
        """Several spans share the wanted id: the one of the child's service, then the one around it, then the first."""
        sizes = np.where(self.wanted >= 0, high - low, 0)
        children = np.flatnonzero(sizes > 1)
        if children.size:
            child = np.repeat(children, sizes[children])
            offset = np.arange(child.size) - np.repeat(np.cumsum(sizes[children]) - sizes[children], sizes[children])
            candidate = order[low[child] + offset]
            service, name, start, took = self.facts
            around = (start[candidate] <= start[child]) & (
                start[candidate] + took[candidate] >= start[child] + took[child]
            )
            other = service[candidate] != service[child]
            keys = (name[candidate], service[candidate], -took[candidate], start[candidate], ~around, other)
            ranked = np.lexsort((*keys, candidate == child, child))
            _, first = np.unique(child[ranked], return_index=True)
            found[children] = candidate[ranked][first]

    def _shared_ids(self, found: Ints) -> None:
        """Client and server under one id (as in B3 propagation): the shorter span of another service is the server."""
        service, name, start, took = self.facts
        named = np.flatnonzero(self.span >= 0)
        ranked = named[np.lexsort((name[named], service[named], start[named], -took[named], self.own[named]))]
        _, first, sizes = np.unique(self.own[ranked], return_index=True, return_counts=True)
        head = np.repeat(ranked[first], sizes)
        serves = (service[ranked] != service[head]) & (self.wanted[ranked] == self.wanted[head])
        found[ranked[serves]] = head[serves]

    def _elsewhere(self, found: Ints, missing: Flags) -> None:
        """Parents that only another trace has, where exactly one span of the frame bears the id."""
        ids, first, counts = np.unique(self.span, return_index=True, return_counts=True)
        rows = np.flatnonzero(missing)
        place = np.minimum(np.searchsorted(ids, self.parent[rows]), len(ids) - 1)
        sure = (ids[place] == self.parent[rows]) & (counts[place] == 1)
        found[rows[sure]] = first[place[sure]]


def _empty(ids: Texts) -> Flags:
    return np.asarray((ids == "") | pd.isna(ids), dtype=np.bool_)


def _once(own: Ints, facts: Ints, nameless: Flags) -> Ints:
    """Rows without those that repeat another one's trace, id and facts."""
    named = np.flatnonzero(~nameless)
    if np.unique(own[named]).size == named.size:
        return np.arange(len(own), dtype=np.int64)
    table = np.vstack([own[named], facts[:, named]])
    _, first = np.unique(table, axis=1, return_index=True)
    return np.asarray(np.sort(np.concatenate([named[first], np.flatnonzero(nameless)])), dtype=np.int64)


def _without_cycles(parent: Ints, facts: Ints) -> tuple[Ints, Ints]:
    """Parents with every cycle cut, and the root of each row."""
    root = _roots(parent)
    looping = np.unique(root[parent[root] >= 0])
    while looping.size:
        ring = [int(looping[0])]
        while (above := int(parent[ring[-1]])) not in ring:
            ring.append(above)
        ring = ring[ring.index(above) :]
        service, name, start, took = facts
        cut = min(ring, key=lambda row: (start[row], -took[row], service[row], name[row]))
        parent[cut] = -1
        looping = looping[~np.isin(looping, ring)]
    return parent, _roots(parent)


def _roots(parent: Ints) -> Ints:
    """The topmost row above each row by doubling the stride; for rows on or under a cycle, some row of the cycle."""
    above = np.where(parent >= 0, parent, np.arange(len(parent)))
    for _ in range(max(1, len(parent).bit_length())):
        above = above[above]
    return above
