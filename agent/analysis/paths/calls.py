"""Which calls an operation makes: the bag of its child spans as one value, whatever their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agent.analysis.paths.spanrows import SpanRows
from agent.analysis.paths.stretches import Ints, find_blocks
from agent.analysis.paths.transitions import Transitions

ANYWHERE = "another service"
"""What a span calls that only stands for a call."""
MANY = 3
"""Calls of one kind that are told apart: once, twice, more often. Loops over data differ from request to request."""


@dataclass(frozen=True)
class Calls:
    """One event per span: its group is its operation, its follower the bag of what it called."""

    transitions: Transitions
    group_service: Ints
    """Codes into `spans.services` of each group, `group_operation` into `spans.names`."""
    group_operation: Ints
    bags: tuple[tuple[tuple[str, int], ...], ...]
    """What each follower called: names with their counts, at most MANY."""


def read_calls(spans: SpanRows, trace: Ints) -> Calls:
    """Calls of every span that lies wholly inside the time with spans, so that no call can be missing."""
    rows = np.flatnonzero(find_blocks(np.sort(spans.start)).hold(spans.start, spans.end))
    bag, bags = _bags(spans)
    key = spans.service[rows] * max(len(spans.names), 1) + spans.name[rows]
    group, groups = pd.factorize(key)
    groups = np.asarray(groups, dtype=np.int64)
    return Calls(
        transitions=Transitions(spans.start[rows], spans.end[rows], trace[rows], group.astype(np.int64), bag[rows]),
        group_service=groups // max(len(spans.names), 1),
        group_operation=groups % max(len(spans.names), 1),
        bags=bags,
    )


def _bags(spans: SpanRows) -> tuple[Ints, tuple[tuple[tuple[str, int], ...], ...]]:
    """The bag of each span, as codes, and what is in each."""
    children = np.flatnonzero(spans.parent >= 0)
    parent, width = spans.parent[children], max(len(spans.names), 1)
    elsewhere = spans.service[children] != spans.service[parent]
    # A call to another service is known by both names: handlers of two services may be called alike.
    label = np.where(elsewhere, spans.service[children] + 1, 0) * width + spans.name[children]
    kinds = (len(spans.services) + 1) * width + 1
    # A span that only stands for a call elsewhere has its target from its caller; another target is no path of its own.
    label = np.where(elsewhere & _only_forwards(spans, parent)[parent], kinds - 1, label)
    pairs, counts = np.unique(parent * kinds + label, return_counts=True)
    counts = np.minimum(counts, MANY)
    owner, call = pairs // kinds, pairs % kinds
    sums = np.zeros(len(spans), dtype=np.uint64)
    np.add.at(sums, owner, _mixed((call * MANY + counts).astype(np.uint64)))
    bag, distinct = pd.factorize(sums, sort=True)
    bag = bag.astype(np.int64)
    _, sample = np.unique(bag, return_index=True)
    first, last = np.searchsorted(owner, sample), np.searchsorted(owner, sample, side="right")
    found = tuple(
        tuple(sorted((_name(spans, int(call[i]), width), int(counts[i])) for i in range(first[b], last[b])))
        for b in range(len(distinct))
    )
    return bag, found


def _only_forwards(spans: SpanRows, parent: Ints) -> NDArray[np.bool_]:
    """Spans of operations that never call more than once."""
    _, operation = np.unique(spans.service * max(len(spans.names), 1) + spans.name, return_inverse=True)
    most = np.zeros(int(operation.max(initial=-1)) + 1, dtype=np.int64)
    np.maximum.at(most, operation, np.bincount(parent, minlength=len(spans)))
    return most[operation] <= 1


def _name(spans: SpanRows, call: int, width: int) -> str:
    service, name = divmod(call, width)
    if service > len(spans.services):
        return ANYWHERE
    return f"{spans.services[service - 1]} {spans.names[name]}" if service else spans.names[name]


def _mixed(codes: np.ndarray) -> np.ndarray:
    """Codes spread over 64 bits (the finaliser of SplitMix64; Steele, Lea and Flood 2014), so that sums tell bags apart."""
    mixed = (codes + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
