"""Recordings made worse on purpose: telemetry taken away, or the alert moved in time. Pure functions.

What an answer owes to one kind of telemetry, and to an alert that fires at the right moment, shows when it is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from agent.errors import CallerError
from evals.cases import Suite
from tools.evidence import JsonObject, Source
from tools.moments import read_moment
from tools.recorded import Recording


class Part(StrEnum):
    """What can be taken away."""

    METRICS = "metrics"
    LOGS = "logs"
    TRACES = "traces"
    GRAPH = "graph"
    """The dependencies that somebody wrote down; spans stay, and with them the calls that they show."""
    CHANGES = "changes"


_SOURCE: Mapping[Part, Source] = {
    Part.METRICS: Source.METRICS,
    Part.LOGS: Source.LOGS,
    Part.TRACES: Source.TRACES,
    Part.GRAPH: Source.TOPOLOGY,
    Part.CHANGES: Source.CHANGES,
}


@dataclass(frozen=True)
class Variant:
    """One way to make a recording worse; the plain one leaves it as it is."""

    without: tuple[Part, ...] = ()
    shift: timedelta = timedelta(0)
    """By how much the alert fires later; negative for earlier."""

    @property
    def name(self) -> str:
        words = [f"without {part.value}" for part in self.without]
        if self.shift:
            seconds = abs(self.shift) / timedelta(seconds=1)
            words.append(f"alert {seconds:g} s {'late' if self.shift > timedelta(0) else 'early'}")
        return ", ".join(words) or "plain"

    def applies_to(self, recording: Recording) -> bool:
        """False where nothing would change: what is to be taken away was never there."""
        return bool(self.shift) or any(holds(recording, part) for part in self.without)


PLAIN = Variant()


def variant_of(without: Sequence[str], shift_seconds: float) -> Variant:
    """The variant in a person's words; raises CallerError for a part that is none."""
    parts = {part.value for part in Part}
    for word in without:
        if word not in parts:
            raise CallerError(f"--without {word}: it is one of {', '.join(Part)}")
    return Variant(tuple(part for part in Part if part.value in without), timedelta(seconds=shift_seconds))


def variants_of(suite: Suite) -> tuple[Variant, ...]:
    """The plain suite first, then the alert late and early by the suite's step, then without each kind of data."""
    shifts = (Variant(shift=suite.step), Variant(shift=-suite.step))
    return (PLAIN, *shifts, *(Variant(without=(part,)) for part in Part if part is not Part.METRICS))


def holds(recording: Recording, part: Part) -> bool:
    """True when the recording has anything of this kind."""
    found: Mapping[Part, Callable[[], object]] = {
        Part.METRICS: lambda: recording.metrics is not None and len(recording.metrics),
        Part.LOGS: lambda: recording.logs is not None and len(recording.logs),
        Part.TRACES: lambda: recording.spans is not None and len(recording.spans),
        Part.GRAPH: lambda: recording.edges,
        Part.CHANGES: lambda: recording.changes,
    }
    return bool(found[part]())


def perturbed(recording: Recording, variant: Variant) -> Recording:
    """The recording as the variant leaves it; what is not touched is shared with the original."""
    return shifted(without(recording, variant.without), variant.shift)


def without(recording: Recording, parts: Sequence[Part]) -> Recording:
    """The recording without some kinds of data, which it then says were not recorded. The window stays."""
    if not parts:
        return recording
    gone = {_SOURCE[part] for part in parts}
    notes = tuple((source, f"{source.value} were taken away") for source in sorted(gone))
    return replace(
        recording,
        metrics=None if Part.METRICS in parts else recording.metrics,
        logs=None if Part.LOGS in parts else recording.logs,
        spans=None if Part.TRACES in parts else recording.spans,
        edges=() if Part.GRAPH in parts else recording.edges,
        changes=() if Part.CHANGES in parts else recording.changes,
        notes=(*recording.notes, *notes),
        missing=recording.missing | gone,
        asked=tuple(each for each in recording.asked if each.question.source not in gone),
    )


def shifted(recording: Recording, shift: timedelta) -> Recording:
    """The recording with an alert that fired later (earlier when negative): every time in the alert is moved."""
    return replace(recording, alert=_moved(recording.alert, shift)) if shift else recording


def _moved(alert: JsonObject, shift: timedelta) -> JsonObject:
    def moved(value: object) -> object:
        if isinstance(value, dict):
            return {key: moved(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [moved(inner) for inner in value]
        moment = _moment(value)
        return value if moment is None else (moment + shift).isoformat()

    return {key: moved(value) for key, value in alert.items()}


def _moment(value: object) -> datetime | None:
    """A time of day of some date; a number may be a threshold, and a date alone is no moment."""
    if not isinstance(value, str) or ":" not in value:
        return None
    return read_moment(value)
