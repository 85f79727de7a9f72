"""How much longer all requests of a service together wait, and how many more of them fail, than is usual.

A service that is slow for few requests hurts less than one that is a little slower for all. Weighting by requests makes
services comparable with their callees: the waiting of a caller is the sum of its own and of theirs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from agent.analysis.metrics.naming import SHARES, TIMES
from agent.analysis.metrics.robust import Floats
from agent.analysis.metrics.series import Series, Times, as_time
from agent.analysis.observed import Excess
from agent.incident import GoldenSignal
from tools.evidence import Query

LONGEST = timedelta(minutes=30)
"""Of an incident that has been going on for longer, the last half hour before the alert counts, and what follows."""
USUAL_STRETCHES = 5
"""Fewer ordinary stretches of the incident's length say nothing about how much such a sum varies."""
NOISE_SHARE = 0.02
"""The sum is never taken to be steadier than two percent of what is usual."""
LEAST = 1e-9
ONE_FAILURE = 1.0
"""Counts are never steadier than by one."""
SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
HIGHEST_PERCENTILE = 50
"""A mean or a median times the requests is about what all of them waited; the slowest tenth says nothing of the rest."""
ALL_SERVED = 1.0
"""The share of requests that is served where nothing was ever seen."""


def excesses(series: Sequence[Series], split: datetime, fired_at: datetime) -> tuple[Excess, ...]:
    """The excess of waiting and of failures of every service that shows its requests, in order of their names.

    `split` is when the symptom began, `fired_at` when the alert fired (both aware). Latency is taken from the mean where
    there is one, else from the lowest percentile; failures from a share of success or of errors.
    """
    began = as_time(max(split, fired_at - LONGEST))
    by_service: dict[str, list[Series]] = defaultdict(list)
    for one in series:
        by_service[one.service].append(one)
    found: list[Excess] = []
    for service in sorted(by_service):
        requests = _best(by_service[service], GoldenSignal.TRAFFIC)
        if requests is None:
            continue
        for golden in (GoldenSignal.LATENCY, GoldenSignal.ERRORS):
            measured = _best(by_service[service], golden)
            if measured is not None and (excess := _excess(golden, requests, measured, began)) is not None:
                found.append(excess)
    return tuple(found)


def _best(series: Sequence[Series], golden: GoldenSignal) -> Series | None:
    """The series that tells most plainly: requests, a mean before a percentile, a share of success before one of errors."""
    fitting = [one for one in series if one.meaning.golden is golden and one.meaning.resource is None and _usable(one)]
    return min(fitting, key=lambda one: (_plainness(one, golden), one.metric), default=None)


def _usable(one: Series) -> bool:
    match one.meaning.golden:
        case GoldenSignal.LATENCY:
            timed = one.meaning.unit in TIMES or not one.meaning.unit
            return timed and _plainness(one, GoldenSignal.LATENCY) <= HIGHEST_PERCENTILE
        case GoldenSignal.ERRORS:
            return one.meaning.unit in SHARES or one.meaning.harm == "down"
        case _:
            return True


def _plainness(one: Series, golden: GoldenSignal) -> int:
    name = one.metric.lower()
    if golden is GoldenSignal.LATENCY:
        return 0 if re.search(r"average|avg|mean", name) else int((re.search(r"(\d\d)", name) or ["", "99"])[1])
    if golden is GoldenSignal.TRAFFIC:
        return 0 if "request" in name else 1
    return 0 if one.meaning.harm == "down" else 1


def _excess(golden: GoldenSignal, requests: Series, measured: Series, began: np.datetime64) -> Excess | None:
    times, count, level = _joined(requests, measured)
    cost = (
        level * SECONDS.get(measured.meaning.unit, 1.0) if golden is GoldenSignal.LATENCY else _failing(measured, level)
    )
    late = times >= began
    if not late.any() or not (count[late] > 0).any():
        return None
    new = not (count[~late] > 0).any()
    usual = float(np.median(cost[~late])) if (~late).any() else 0.0
    over = count * (cost - usual)
    length = int(late.sum())
    ordinary = float(np.median(count[~late]) if not new else np.median(count[late])) * length
    ordinary *= usual if golden is GoldenSignal.LATENCY else 1.0
    first = int(np.flatnonzero(late)[0])
    worst = np.flatnonzero(late & (over > 0))
    return Excess(
        service=measured.service,
        golden=golden,
        amount=float(over[late].sum()),
        noise=max(
            _noise(over[~late], length), NOISE_SHARE * ordinary if golden is GoldenSignal.LATENCY else ONE_FAILURE
        ),
        usual=ordinary,
        new=new,
        since=_as_datetime(times[int(worst[0]) if len(worst) else first]),
        query=Query(tool="metric_range", arguments={"service": measured.service, "metric": measured.metric}),
    )


def _failing(measured: Series, level: Floats) -> Floats:
    """The share of requests that fail, 0..1."""
    hundred = 100.0 if measured.unit == "%" or (len(level) and float(level.max()) > ALL_SERVED) else 1.0
    share = level / hundred
    return ALL_SERVED - share if measured.meaning.harm == "down" else share


def _joined(requests: Series, measured: Series) -> tuple[Times, Floats, Floats]:
    """Both series at the moments that both have."""
    times, left, right = np.intersect1d(requests.times, measured.times, assume_unique=True, return_indices=True)
    return times, requests.values[left], measured.values[right]


def _noise(over: Floats, length: int) -> float:
    """How much such a sum varies when nothing is the matter: half of the way from its median to its 97.5th percentile.

    The upper tail counts rather than the middle, because it is what an excess has to be told from.
    """
    if len(over) < length + USUAL_STRETCHES:
        return float(np.sqrt(length) * np.std(over)) if len(over) > 1 else 0.0
    sums = sliding_window_view(over, length).sum(axis=1)
    high, middle = np.percentile(sums, (97.5, 50.0))
    return float(high - middle) / 2


def _as_datetime(moment: np.datetime64) -> datetime:
    plain: datetime = moment.astype("datetime64[us]").astype(datetime)
    return plain.replace(tzinfo=UTC)
