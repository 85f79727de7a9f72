"""Calls between two services as both sides saw them: what lies between is network, proxies and queues."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.analysis.observed import CallGap
from agent.analysis.traces.spans import LinkedSpans
from tools.evidence import Query
from tools.moments import from_microseconds

FEWEST = 5
"""Calls on each side; the median of fewer is one call's luck."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def call_gaps(spans: LinkedSpans, moments: Sequence[int]) -> tuple[CallGap, ...]:
    """The gap of every pair of services that called each other before and after the incident began, ordered by names.

    `moments` (microseconds since 1970, UTC) are when it may have begun; each pair is divided where its gap grew most.
    Medians and the median absolute deviation are compared, so that a few lost packets are no delay.
    """
    gap = spans.gap
    rows = np.flatnonzero(~np.isnan(gap))
    if not rows.size:
        return ()
    known = len(spans.services)
    pair = spans.service[spans.parent[rows]] * known + spans.service[rows]
    order = np.argsort(pair, kind="stable")
    rows, pair = rows[order], pair[order]
    bounds = np.flatnonzero(np.diff(pair, prepend=pair[0] - 1, append=pair[-1] + 1))
    found = [_widest(spans, gap, rows[a:b], moments) for a, b in itertools.pairwise(bounds)]
    return tuple(sorted((g for g in found if g is not None), key=lambda g: (g.caller, g.callee)))


def _widest(spans: LinkedSpans, gap: Floats, rows: Ints, moments: Sequence[int]) -> CallGap | None:
    divided = (_gap(spans, gap, rows, moment) for moment in moments)
    return max((g for g in divided if g is not None), key=lambda g: (g.after - g.before, g.since), default=None)


def _gap(spans: LinkedSpans, gap: Floats, rows: Ints, split: int) -> CallGap | None:
    late = spans.start[rows] >= split
    if min(int(late.sum()), int((~late).sum())) < FEWEST:
        return None
    early, after = rows[~late], rows[late]
    before = float(np.median(gap[early]))
    callee = spans.services[spans.service[rows[0]]]
    return CallGap(
        caller=spans.services[spans.service[spans.parent[rows[0]]]],
        callee=callee,
        query=Query(tool="spans", arguments={"service": callee, "operation": spans.names[spans.name[after[0]]]}),
        before=before,
        after=float(np.median(gap[after])),
        spread=float(1.4826 * np.median(np.abs(gap[early] - before))),
        count_before=len(early),
        count_after=len(after),
        server_before=float(np.median(spans.duration[early])),
        server_after=float(np.median(spans.duration[after])),
        since=from_microseconds(int(spans.start[after].min())),
    )
