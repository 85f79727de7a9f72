"""Puts a recording together: which rows of which minute files and metrics belong to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from evals.cases import CaseError
from evals.nezha.days import Day, Minutes
from evals.nezha.rows import Troubles
from evals.service_alerts import name_of_recording
from evals.wide_frames import window_of
from tools.backend import LOG_COLUMNS, METRIC_COLUMNS, SPAN_COLUMNS
from tools.evidence import JsonObject, Source
from tools.moments import iso
from tools.recorded import Recording
from tools.words import UNKNOWN_SERVICE

METRICS_BEFORE = timedelta(hours=1)
"""Metrics behind an alert, one sample a minute."""
HISTORY_ROWS = 80_000
"""Spans and lines of history after which no older stretch is added. Busy systems reach it in a few minutes, when every
operation has been called hundreds of times; more would only cost memory."""
PLACE = "code.location"
"""Attribute of a log line that names the statement which wrote it."""
_NOT_RECORDED = frozenset({Source.CHANGES, Source.STATUS, Source.TOPOLOGY, Source.RUNBOOKS})
_LATENCY = "LatencyP90"
"""What a front door is usually watched by; the first metric of the front that is called so."""
_SUMMARY = "Requests are slow or fail"


@dataclass(frozen=True)
class Plan:
    """What one recording is made of; all times aware UTC, all spans of time half-open."""

    fired_at: datetime
    own: Minutes
    since: datetime
    until: datetime
    metrics_until: datetime
    history: tuple[tuple[Minutes, datetime], ...]
    """Quiet stretches in order of time, and when each ends."""

    @property
    def stretches(self) -> tuple[tuple[Minutes, datetime | None, datetime], ...]:
        """Minute files with the first moment and the end of what is taken from them: its own, then back in time."""
        return (self.own, self.since, self.until), *(
            (minutes, None, until) for minutes, until in reversed(self.history)
        )


def record(day: Day, plan: Plan) -> Recording:
    """The recording. Raises OSError when a file cannot be read, CaseError when there is no telemetry at all."""
    troubles = Troubles()
    spans, logs = _read_minutes(plan, troubles)
    entry = _entry(spans)
    spans = _if_it_tells(spans, "start", plan, troubles, Source.TRACES)
    logs = _if_it_tells(logs, "timestamp", plan, troubles, Source.LOGS)
    metrics, front = _read_metrics(day, plan, entry, troubles)
    kept = [(spans, "start", Source.TRACES), (logs, "timestamp", Source.LOGS), (metrics, "timestamp", Source.METRICS)]
    times = [frame[time] for frame, time, _ in kept if frame is not None]
    if not times:
        raise CaseError(f"{day.date}: nothing was recorded around {iso(plan.fired_at)}")
    alert = _alert(plan, entry or UNKNOWN_SERVICE, front)
    return Recording(
        name=name_of_recording(alert),
        alert=alert,
        window=window_of(times),
        metrics=metrics,
        logs=logs,
        spans=spans,
        notes=troubles.notes(),
        missing=_NOT_RECORDED | {source for frame, _, source in kept if frame is None},
    )


def _alert(plan: Plan, service: str, metrics: Sequence[str]) -> JsonObject:
    return {
        "service": service,
        "metric": _LATENCY if _LATENCY in metrics else "",
        "fired_at": iso(plan.fired_at),
        "summary": _SUMMARY,
        "monitor": f"{service} as its users see it",
    }


def _read_minutes(plan: Plan, troubles: Troubles) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Spans and lines of all stretches, as SPAN_COLUMNS and LOG_COLUMNS, in order and without repeats."""
    spans: list[pd.DataFrame] = []
    logs: list[pd.DataFrame] = []
    for minutes, since, until in plan.stretches:
        if sum(map(len, [*spans[1:], *logs[1:]])) >= HISTORY_ROWS:
            break
        frames = minutes.read()
        troubles.add_frame(frames["troubles"])
        spans.append(_plain(_between(frames["spans"], "start", since, until)))
        logs.append(_plain(_between(frames["logs"], "timestamp", since, until)))
    every_span = _merged(spans, "start", ["span_id"])
    every_line = _merged(logs, "timestamp", ["instance", "timestamp", "span_id", "body"])
    return _as_spans(every_span), _as_lines(every_line)


def _merged(frames: list[pd.DataFrame], time: str, identity: list[str]) -> pd.DataFrame:
    """The rows of the frames, which are given up, in order of time; of those with the same identity the first.

    A row whose identity begins with "" is like no other.
    """
    whole = pd.concat(frames, ignore_index=True)
    frames.clear()
    again = (whole.duplicated(identity) & (whole[identity[0]] != "")).to_numpy()
    order = np.argsort(whole[time].to_numpy(dtype="datetime64[us]"), kind="stable")
    return whole.take(order[~again[order]]).reset_index(drop=True)


def _as_spans(frame: pd.DataFrame) -> pd.DataFrame:
    empty: dict[str, str] = {}
    nothing = pd.Series([empty] * len(frame), index=frame.index, dtype="object")
    blank = pd.Series("", index=frame.index, dtype="str")
    whole = frame.assign(kind=blank, status=blank, attributes=nothing)
    return whole[list(SPAN_COLUMNS)]


def _as_lines(frame: pd.DataFrame) -> pd.DataFrame:
    # Lines of one statement share their attributes: a dict of its own for each of them would outweigh the bodies.
    known: dict[tuple[str, str], dict[str, str]] = {}
    pairs = zip(frame["place"], frame["error"], strict=True)
    told = [known.setdefault(pair, _attributes(*pair)) for pair in pairs]
    whole = frame.assign(attributes=pd.Series(told, index=frame.index, dtype="object"))
    return whole[list(LOG_COLUMNS)]


def _attributes(place: str, error: str) -> dict[str, str]:
    return {name: text for name, text in ((PLACE, place), ("error", error)) if text}


def _between(frame: pd.DataFrame, time: str, since: datetime | None, until: datetime) -> pd.DataFrame:
    """Rows of a frame in order of time."""
    first = 0 if since is None else int(frame[time].searchsorted(pd.Timestamp(since)))
    return frame.iloc[first : int(frame[time].searchsorted(pd.Timestamp(until)))]


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Categories as texts; equal texts stay one object."""
    plain = frame.copy(deep=False)
    for name in frame.columns:
        if frame[name].dtype == "category":
            column = frame[name].cat
            texts = column.categories.to_numpy(dtype=object)[column.codes.to_numpy()]
            plain[name] = pd.Series(texts, index=frame.index, dtype="str")
    return plain


def _entry(spans: pd.DataFrame) -> str:
    """The service where most requests come in, the first by name among equals; "" without a span that has no parent."""
    roots = Counter(spans["service"][spans["parent_span_id"] == ""])
    return min(roots, key=lambda service: (-roots[service], service), default="")


def _if_it_tells(frame: pd.DataFrame, time: str, plan: Plan, troubles: Troubles, source: Source) -> pd.DataFrame | None:
    """The frame; None when it ends before the alert, as everything would seem to have stopped then."""
    if len(frame) and frame[time].iloc[-1] >= pd.Timestamp(plan.fired_at):
        return frame
    troubles.add(source, "there is no file of the time around the alert, so that this kind counts as not recorded")
    return None


def _read_metrics(day: Day, plan: Plan, entry: str, troubles: Troubles) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """Samples as METRIC_COLUMNS, None when there is none, and the names of what was measured at the front."""
    frames = day.metrics()
    troubles.add_frame(frames["troubles"])
    since = plan.fired_at - METRICS_BEFORE
    pods, front = (
        _plain(_between(frames[name], "timestamp", since, plan.metrics_until)) for name in ("metrics", "front")
    )
    # The exporter has a name of its own for the front; its samples are those of the service where requests come in.
    front = front.assign(service=pd.Series(entry or UNKNOWN_SERVICE, index=front.index, dtype="str"))
    whole = pd.concat([pods, front], ignore_index=True).sort_values("timestamp", kind="stable", ignore_index=True)
    spread = whole.groupby("metric")["value"].agg(["min", "max"])
    constant = sorted(spread.index[spread["min"] == spread["max"]])
    if constant:
        troubles.add(Source.METRICS, f"left out, as they never change anywhere: {', '.join(constant)}")
    whole = whole[~whole["metric"].isin(constant)].reset_index(drop=True)
    measured = tuple(dict.fromkeys(name for name in front["metric"] if name not in constant))
    return (whole[list(METRIC_COLUMNS)] if len(whole) else None), measured
