"""What the traces say: which operation itself became slow, failed, looped or fell silent, and who calls whom.

Recordings often hold one to five traces a side, picked by somebody. Such figures are used, with the confidence they
deserve; with nothing before the split, only failures and loops are told, with little confidence.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agent.analysis.counts import share_score
from agent.analysis.logs.wording import resource_of
from agent.analysis.moments import candidate_moments
from agent.analysis.observed import Observations, OperationStats
from agent.analysis.peers import PeerFinder
from agent.analysis.traces.callgaps import call_gaps
from agent.analysis.traces.callgraph import edges_between
from agent.analysis.traces.operations import Operations
from agent.analysis.traces.spans import link_spans
from agent.analysis.traces.spanshifts import Aspect, Found, SpanShifts
from agent.incident import Alert, GoldenSignal, Resource, Signal, SignalKind
from tools.evidence import Edge, TimeWindow, as_utc
from tools.moments import from_microseconds, microseconds

MAX_SIGNALS = 300
"""Signals that are kept, most confident first."""
MAX_OPERATIONS = 1_000
"""Operations that are kept: those that failed, then the most frequent."""
UNSEEN = timedelta(minutes=10)
"""Uncertainty of an onset at most: before the first span nothing was seen, and that it began there is a guess."""

_GOLDEN: dict[Aspect, GoldenSignal] = {
    "self_time": GoldenSignal.LATENCY,
    "gap": GoldenSignal.LATENCY,
    "errors": GoldenSignal.ERRORS,
    "cancelled": GoldenSignal.ERRORS,
    "calls_per_parent": GoldenSignal.TRAFFIC,
    "new": GoldenSignal.TRAFFIC,
    "gone": GoldenSignal.TRAFFIC,
}


def observe_traces(frame: pd.DataFrame, alert: Alert, window: TimeWindow, split: datetime) -> Observations:
    """Observe a spans frame (columns and types as in tools.backend) over `window`, before and after `split`.

    Returns the figures of each operation, a signal for each that changed (attribute `aspect` says how), and the edges
    between services. An empty frame gives empty observations. Row order is irrelevant.
    """
    start = microseconds(frame["start"])
    since, until, parting = microseconds(pd.Series([window.since, window.until, as_utc(split)])).tolist()
    inside = (start >= since) & (start < until)
    if not inside.any():
        return Observations(alert=alert, window=window)
    spans = link_spans(frame[inside])
    moments = candidate_moments(as_utc(split), alert.fired_at)
    operations = Operations(spans, parting, window, PeerFinder((*spans.services, alert.service)))
    stats = operations.stats()
    found = sorted(SpanShifts(operations).all(), key=lambda f: (-f.confidence, -f.size))[:MAX_SIGNALS]
    signals = [_signal(operations, each) for each in found]
    return Observations(
        alert=alert,
        window=window,
        signals=tuple(sorted(signals, key=lambda s: (s.onset, s.service, s.name, s.attributes["aspect"]))),
        operations=_kept(stats),
        calls=call_gaps(spans, [int(moment.timestamp() * 1e6) for moment in moments]),
        edges=_edges(operations, stats),
    )


def _kept(stats: tuple[OperationStats, ...]) -> tuple[OperationStats, ...]:
    if len(stats) <= MAX_OPERATIONS:
        return stats
    order = sorted(range(len(stats)), key=lambda i: (-stats[i].errors_after, -stats[i].count_after, i))
    return tuple(stats[i] for i in sorted(order[:MAX_OPERATIONS]))


def _edges(operations: Operations, stats: tuple[OperationStats, ...]) -> tuple[Edge, ...]:
    spans = operations.spans
    rows = np.flatnonzero(spans.crosses)
    callers, callees = spans.service[spans.parent[rows]], spans.service[rows]
    known = len(spans.services)
    pairs = np.unique(callers * known + callees).tolist()
    called = [(spans.services[pair // known], spans.services[pair % known]) for pair in pairs]
    named = [(o.service, o.peer) for o in stats if o.peer and o.peer != o.service]
    return edges_between((*called, *named))


def _signal(operations: Operations, found: Found) -> Signal:
    service, name = operations.name_of(found.row)
    attributes, example = _told(operations, found)
    onset, vague = _onset(operations, found)
    resource = Resource.NETWORK if found.aspect == "gap" else resource_of(example) if example else None
    return Signal(
        kind=SignalKind.SPAN,
        service=service,
        name=name,
        onset=onset,
        onset_uncertainty=vague,
        direction="up" if found.after >= found.before else "down",
        before=found.before,
        after=found.after,
        size=found.size,
        confidence=found.confidence,
        evidence=operations.evidence(found.row),
        golden=_GOLDEN[found.aspect],
        resource=resource,
        harmful=found.harmful,
        unit="ms" if found.aspect in {"self_time", "gap"} else "",
        shape=found.shape,
        peer=found.peer,
        example=example,
        attributes=attributes,
    )


def _told(operations: Operations, found: Found) -> tuple[dict[str, str], str]:
    """Attributes of a signal, and what the failed spans say."""
    if found.group < 0:
        return found.notes | {"aspect": found.aspect}, ""
    attributes = operations.attributes(found.group, operations.own) | found.notes | {"aspect": found.aspect}
    if found.aspect not in {"errors", "cancelled"}:
        return attributes, ""
    messages = operations.messages(found.group, operations.own)
    if messages:
        attributes["message"] = messages[0]
    if found.peer:
        attributes["caller" if found.aspect == "cancelled" else "from_callee"] = found.peer
    return attributes, messages[0] if messages else ""


def _onset(operations: Operations, found: Found) -> tuple[datetime, timedelta]:
    """When the spans began to deviate, and how long before that nothing was seen.

    The moment that best divides deviating from other spans (maximum of the binomial likelihood ratio over all cuts).
    """
    starts = operations.spans.start[found.rows]
    order = np.lexsort((found.deviating, starts))  # of one moment, those that deviate come last
    starts, deviating = starts[order], found.deviating[order]
    cut = _best_cut(deviating)
    first = cut + int(deviating[cut:].argmax())
    onset = from_microseconds(int(starts[first]))
    earlier = from_microseconds(int(starts[first - 1])) if first else operations.window.since
    return onset, min(max(onset - earlier, timedelta(seconds=1)), UNSEEN)


def _best_cut(deviating: NDArray[np.bool_]) -> int:
    """Rows before which fewer and from which on more deviate, as clearly as anywhere; 0 when they do from the start."""
    rows = len(deviating)
    if rows < 2 or deviating.all():
        return 0
    before = np.cumsum(deviating)[:-1]
    size = np.arange(1, rows)
    score = share_score(before, size, deviating.sum() - before, rows - size)
    best = int(score.argmax())
    return best + 1 if score[best] > 0 else 0
