"""What the logs say: templates, which of them are new, risen, fallen or gone, and whom they name.

A line's severity and words say whether it hurts; statistics say whether it changed. Volume alone is no evidence: logs
are sampled, and healthy lines stop when the sample does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agent.analysis.counts import confidence_of
from agent.analysis.logs.linecounts import Grid, Tally
from agent.analysis.logs.logrates import MIN_CONTROL, Shifts, find_shifts
from agent.analysis.logs.stacks import exception_of, frames_of
from agent.analysis.logs.templates import MinedTemplates, literal_of, mine_templates
from agent.analysis.logs.tokens import OTHER
from agent.analysis.logs.typical import shown, typical_attributes
from agent.analysis.logs.wording import SEVERE, golden_of, resource_of, speaks_of_failure, speaks_of_lifecycle
from agent.analysis.observed import Observations, Template
from agent.analysis.peers import Named, PeerFinder
from agent.analysis.traces.callgraph import edges_between
from agent.incident import Alert, GoldenSignal, Signal, SignalKind
from tools.evidence import Edge, Query, TimeWindow, as_utc, evidence_id
from tools.moments import from_microseconds, microseconds

MAX_REPORTED = 400
"""Templates that are reported: those with a signal, then the severe, then the frequent. Enough to reason from, and
small enough to store with the incident."""
MAX_LINES_READ = 500
"""Lines of a template, from the split on, whose attributes and bodies are looked at; lines are alike by definition."""
MAX_EXAMPLES = 5
NEW_ERROR_P = 0.003
"""An error that was never there before is worth showing at three sigma, however many templates there are."""
DYING_CONFIDENCE = 0.4
"""A process that dies for the first time is an event, not a rate: one line is enough, but it is only one line."""
UNCOMPARED_CONFIDENCE = 0.3
"""For errors when nothing was seen before the split: they may have been there all the time."""
SILENCE_CONFIDENCE = 0.35
"""At most, for healthy lines that stop without other lines of the service to show that it was still being watched,
and for complaints that stop."""
WATCHED_SILENCE_CONFIDENCE = 0.8
"""At most, for healthy lines that stop while the service goes on saying other things."""
MIN_BASELINE_MINUTES = 2.0
"""Less before the split is no baseline."""
ALL_LINES = "<all healthy lines>"
"""Name of the signal about a service that falls silent as a whole."""

_STACK_KEYS = ("exception.stacktrace", "stack", "stacktrace", "stack_trace", "error.stack_trace", "error.stack")
_EXCEPTION_KEYS = ("exception.type", "exception_type", "error.type", "exception.class", "error.class", "exception")


def observe_logs(frame: pd.DataFrame, alert: Alert, window: TimeWindow, split: datetime) -> Observations:
    """Observe a logs frame (columns and types as in tools.backend) over `window`, before and after `split` (aware UTC).

    Returns templates, a signal for each that changed beyond chance, and an edge for each failing call a line names.
    An empty frame gives empty observations. Row order is irrelevant.
    """
    times = microseconds(frame["timestamp"])
    since, until, parting = microseconds(pd.Series([window.since, window.until, as_utc(split)])).tolist()
    inside = (times >= since) & (times < until)
    if not inside.any():
        return Observations(alert=alert, window=window)
    lines, times = frame[inside], times[inside]
    mined = mine_templates(lines)
    seen = Tally.of(Grid.over(times, parting), times, mined.of_row, len(mined))
    reading = _Reading(lines, times, mined, seen, window, alert)
    return Observations(
        alert=alert,
        window=window,
        signals=tuple(sorted((*reading.signals(), *reading.silences()), key=lambda s: (s.onset, s.service, s.name))),
        templates=tuple(reading.template(i) for i in sorted(reading.reported)),
        edges=reading.edges(),
    )


@dataclass(frozen=True)
class _Sample:
    """What the lines of one template look like."""

    examples: tuple[str, ...]
    attributes: dict[str, str]
    literal: str | None
    text: str
    """Template and examples, for the words in them."""
    named: Named | None


@dataclass(frozen=True)
class _Reading:
    """The logs of one window, mined and counted."""

    lines: pd.DataFrame
    times: NDArray[np.int64]
    mined: MinedTemplates
    seen: Tally
    window: TimeWindow
    alert: Alert
    _samples: dict[int, _Sample] = field(default_factory=dict)

    @cached_property
    def severe(self) -> NDArray[np.bool_]:
        return np.array([severity in SEVERE for severity in self.mined.severities], dtype=np.bool_)

    @cached_property
    def services(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.mined.services)))

    @cached_property
    def service_of(self) -> NDArray[np.int64]:
        rank = {service: i for i, service in enumerate(self.services)}
        return np.array([rank[service] for service in self.mined.services], dtype=np.int64)

    @cached_property
    def healthy_volume(self) -> NDArray[np.int64]:
        """Healthy lines of each service per bucket."""
        volume = np.zeros((len(self.services), self.seen.grid.buckets), dtype=np.int64)
        np.add.at(volume, self.service_of[~self.severe], self.seen.counts[~self.severe])
        return volume

    @cached_property
    def own_control(self) -> NDArray[np.int64]:
        """The other healthy lines of the same service, for each template."""
        own = np.where(self.severe[:, None], 0, self.seen.counts)
        return np.asarray(self.healthy_volume[self.service_of] - own, dtype=np.int64)

    @cached_property
    def watched(self) -> NDArray[np.bool_]:
        """Whether the service's other healthy lines suffice as a control."""
        return np.asarray(self.own_control.sum(axis=1) >= MIN_CONTROL, dtype=np.bool_)

    @cached_property
    def shifts(self) -> Shifts:
        everywhere = self.healthy_volume.sum(axis=0) - np.where(self.severe[:, None], 0, self.seen.counts)
        dense = self.seen.grid.is_crowded(self.own_control)
        best = dense | (self.watched & ~self.seen.grid.is_crowded(everywhere))
        return find_shifts(self.seen, np.where(best[:, None], self.own_control, everywhere))

    @cached_property
    def finder(self) -> PeerFinder:
        return PeerFinder((*self.services, self.alert.service))

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """Confidence of each template's signal, 0 where there is none."""
        shifts = self.shifts
        found = np.where(shifts.real, confidence_of(shifts.p), 0.0)
        severity = np.array(self.mined.severities)
        began = shifts.rises & shifts.complete
        new_error = began & np.isin(severity, ("ERROR", "FATAL")) & (shifts.p_began <= NEW_ERROR_P)
        found = np.where(new_error, np.maximum(found, confidence_of(shifts.p_began)), found)
        died = (severity == "FATAL") & (self.seen.before == 0)
        found = np.where(died, np.maximum(found, DYING_CONFIDENCE), found)
        cap = np.where(self.watched & ~self.severe, WATCHED_SILENCE_CONFIDENCE, SILENCE_CONFIDENCE)
        found = np.where(shifts.rises, found, np.minimum(found, cap))
        found[np.array([text == OTHER for text in self.mined.texts])] *= 0.5
        if self.seen.grid.minutes_before < MIN_BASELINE_MINUTES:
            bad = np.isin(severity, ("ERROR", "FATAL"))
            found = np.where(bad, np.maximum(found, UNCOMPARED_CONFIDENCE), found)
        return np.asarray(found, dtype=np.float64)

    @cached_property
    def reported(self) -> frozenset[int]:
        totals = self.seen.counts.sum(axis=1)
        ranked = sorted(range(len(self.mined)), key=lambda i: (-self.confidence[i], not self.severe[i], -totals[i], i))
        return frozenset(ranked[:MAX_REPORTED])

    @cached_property
    def _by_template(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row numbers ordered by template and time, and where each template begins."""
        order = np.lexsort((self.times, self.mined.of_row))
        starts = np.searchsorted(self.mined.of_row[order], np.arange(len(self.mined) + 1))
        return np.asarray(order, dtype=np.int64), np.asarray(starts, dtype=np.int64)

    @cached_property
    def _columns(self) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        return self.lines["body"].to_numpy(dtype=object), self.lines["attributes"].to_numpy(dtype=object)

    def rows_of(self, template: int) -> NDArray[np.int64]:
        """The first lines of a template from the split on (all that share the last moment), else its first lines."""
        order, starts = self._by_template
        rows = order[starts[template] : starts[template + 1]]
        late = rows[self.times[rows] >= self.seen.grid.split]
        rows = late if late.size else rows
        if rows.size <= MAX_LINES_READ:
            return rows
        return rows[: np.searchsorted(self.times[rows], self.times[rows[MAX_LINES_READ - 1]], side="right")]

    def sample(self, template: int) -> _Sample:
        if template not in self._samples:
            self._samples[template] = self._sample(template)
        return self._samples[template]

    def _sample(self, template: int) -> _Sample:
        rows = self.rows_of(template)
        bodies, found = self._columns
        told = sorted(set(zip(self.times[rows].tolist(), bodies[rows].tolist(), strict=True)))
        distinct = list(dict.fromkeys(str(body) for _, body in told))[:MAX_EXAMPLES]
        attributes = typical_attributes(found[rows])
        attributes |= _stack_attributes(distinct[0], attributes)
        text = "\n".join((self.mined.texts[template], *(shown(body) for body in distinct)))
        return _Sample(
            examples=tuple(shown(body) for body in distinct),
            attributes=attributes,
            literal=literal_of(self.mined.texts[template], distinct[0]),
            text=text,
            named=self.finder.find(text, attributes, self.mined.services[template]),
        )

    def evidence(self, service: str, contains: str | None) -> str:
        return evidence_id(Query(tool="log_lines", arguments={"service": service, "contains": contains}), self.window)

    def template(self, i: int) -> Template:
        sample, before = self.sample(i), int(self.seen.before[i])
        count = int(self.seen.counts[i].sum())
        return Template(
            service=self.mined.services[i],
            severity=self.mined.severities[i],
            template=self.mined.texts[i],
            evidence=self.evidence(self.mined.services[i], sample.literal),
            before=before / max(self.seen.grid.minutes_before, 1.0),
            after=(count - before) / max(self.seen.grid.minutes_after, 1.0),
            first_seen=from_microseconds(int(self.seen.first[i])),
            last_seen=from_microseconds(int(self.seen.last[i])),
            count=count,
            example=sample.examples[0],
            examples=sample.examples,
            attributes=sample.attributes,
        )

    def signals(self) -> list[Signal]:
        return [self._signal(i) for i in np.flatnonzero(self.confidence > 0).tolist()]

    def _signal(self, i: int) -> Signal:
        sample, shifts = self.sample(i), self.shifts
        severity = self.mined.severities[i]
        compared = bool(shifts.real[i] or shifts.complete[i])
        rises = bool(shifts.rises[i]) or not compared
        harmful = self._harmful(i, sample, rises=rises)
        golden = golden_of(sample.text, severity) if rises and harmful else None
        caller = {"caller": sample.named.service} if sample.named and sample.named.is_caller else {}
        return Signal(
            kind=SignalKind.LOG,
            service=self.mined.services[i],
            name=self.mined.texts[i],
            onset=from_microseconds(int(shifts.onset[i] if compared else self.seen.first[i])),
            onset_uncertainty=timedelta(microseconds=int(shifts.uncertainty[i])),
            direction="up" if rises else "down",
            before=float(shifts.before[i]),
            after=float(shifts.after[i]),
            size=float(shifts.size[i]),
            confidence=float(self.confidence[i]),
            evidence=self.evidence(self.mined.services[i], sample.literal),
            golden=golden or (None if rises and harmful else GoldenSignal.TRAFFIC),
            resource=resource_of(sample.text),
            harmful=harmful,
            unit="/min",
            shape=("new" if rises else "gone") if shifts.complete[i] and compared else "step",
            peer=sample.named.service if sample.named and not sample.named.is_caller else None,
            example=sample.examples[0],
            attributes=sample.attributes | caller | {"severity": severity},
        )

    def _harmful(self, i: int, sample: _Sample, *, rises: bool) -> bool:
        if not rises:
            # A statement that ended while its service went on: the code no longer gets there.
            return bool(not self.severe[i] and self.watched[i] and self.shifts.complete[i])
        return bool(self.severe[i]) or (speaks_of_failure(sample.text) and not speaks_of_lifecycle(sample.text))

    def silences(self) -> list[Signal]:
        """Services whose healthy lines fall while those of the others do not."""
        volume = self.healthy_volume
        keep = np.flatnonzero(volume.sum(axis=1) > 0)
        if keep.size < 2:
            return []
        healthy = ~self.severe[self.mined.of_row]
        place = np.searchsorted(keep, self.service_of[self.mined.of_row[healthy]])
        seen = Tally.of(self.seen.grid, self.times[healthy], place, keep.size)
        shifts = find_shifts(seen, volume.sum(axis=0) - volume[keep])
        fell = np.flatnonzero(shifts.real & ~shifts.rises)
        return [self._silence(self.services[int(keep[i])], shifts, int(i)) for i in fell]

    def _silence(self, service: str, shifts: Shifts, i: int) -> Signal:
        return Signal(
            kind=SignalKind.LOG,
            service=service,
            name=ALL_LINES,
            onset=from_microseconds(int(shifts.onset[i])),
            onset_uncertainty=timedelta(microseconds=int(shifts.uncertainty[i])),
            direction="down",
            before=float(shifts.before[i]),
            after=float(shifts.after[i]),
            size=float(shifts.size[i]),
            confidence=min(float(confidence_of(shifts.p[i])), SILENCE_CONFIDENCE),
            evidence=self.evidence(service, None),
            golden=GoldenSignal.TRAFFIC,
            harmful=False,
            unit="/min",
            shape="gone" if shifts.complete[i] else "step",
        )

    def edges(self) -> tuple[Edge, ...]:
        """Who calls whom, from the lines in which a service complains of another one."""
        found: set[tuple[str, str]] = set()
        for i in self.reported:
            sample = self.sample(i)
            if sample.named is None or not (self.severe[i] or speaks_of_failure(sample.text)):
                continue
            own, other = self.mined.services[i], sample.named.service
            found.add((other, own) if sample.named.is_caller else (own, other))
        return edges_between(found)


def _stack_attributes(body: str, attributes: dict[str, str]) -> dict[str, str]:
    """The exception and the topmost frames that a body or its attributes carry."""
    stack = next((attributes[key] for key in _STACK_KEYS if attributes.get(key)), "")
    named = next((attributes[key] for key in _EXCEPTION_KEYS if attributes.get(key)), "")
    exception = named or exception_of(body) or exception_of(stack)
    frames = frames_of(body) or frames_of(stack)
    found = {"exception": shown(exception)} if exception else {}
    return found | ({"frames": shown("; ".join(frames))} if frames else {})
