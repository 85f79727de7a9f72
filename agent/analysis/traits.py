"""Which traits of a fault signature the signals show, where and since when."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache

from agent.analysis.catalogue import Trait, traits
from agent.analysis.history import as_usual
from agent.analysis.metrics.naming import is_trifling, words_of
from agent.analysis.observed import Observations
from agent.figures import quantity
from agent.incident import GoldenSignal, Signal, SignalKind
from tools.evidence import Frozen, Query, StatusEvent, TimeWindow, UtcDatetime, evidence_id

MIN_CONFIDENCE = 0.3
"""Signals below it are noise as far as a signature is concerned; they still stand in the list of signals."""

MIN_RATIO = 1.1
"""A level has to move by a tenth to be told as part of a fault."""

HEALTHY_STATUS = re.compile(r"operat|normal|resolved|available|healthy|ok|up$|completed|none", re.IGNORECASE)
"""Words of status pages that declare nothing wrong (Statuspage, AWS, GCP and Azure wordings)."""


class TraitSeen(Frozen):
    """One trait at one service."""

    trait: str
    service: str
    onset: UtcDatetime
    onset_uncertainty: timedelta
    strength: float
    """0..1: the confidence of the clearest signal that shows it."""
    evidence: str
    text: str
    """What was seen, with its figures."""
    peer: str | None = None

    @property
    def weight(self) -> float:
        return traits()[self.trait].weight


def see_traits(observations: Observations) -> tuple[TraitSeen, ...]:
    """Every (trait, service) that the signals show, each with its clearest signal and its earliest onset."""
    seen: dict[tuple[str, str], TraitSeen] = {}
    for signal in observations.signals:
        if signal.confidence < MIN_CONFIDENCE or signal.shape == "spike" or not _matters(signal):
            continue
        if as_usual(signal, observations) is not None:
            continue
        for trait in _traits_of(signal):
            _keep(seen, _seen(trait, signal))
    for event in observations.status_events:
        if not HEALTHY_STATUS.search(event.status) and event.resolved_at is None:
            _keep(seen, _declared(event, observations.window))
    return tuple(sorted(seen.values(), key=lambda t: (t.onset, t.trait, t.service)))


def _matters(signal: Signal) -> bool:
    """A very steady series moves by many spreads when it moves by three percent; that is no part of a signature."""
    if signal.kind is not SignalKind.METRIC or signal.attributes.get("trend") == "steady":
        return True
    low, high = sorted((abs(signal.before), abs(signal.after)))
    if is_trifling(signal.name, signal.unit, high):
        return False
    return high >= MIN_RATIO * low or signal.before * signal.after < 0


def _keep(seen: dict[tuple[str, str], TraitSeen], new: TraitSeen) -> None:
    old = seen.get((new.trait, new.service))
    if old is None:
        seen[new.trait, new.service] = new
        return
    clearer, other = (new, old) if new.strength > old.strength else (old, new)
    first = min((clearer, other), key=lambda t: t.onset)
    seen[new.trait, new.service] = clearer.model_copy(
        update={
            "onset": first.onset,
            "onset_uncertainty": first.onset_uncertainty,
            "peer": clearer.peer or other.peer,
        }
    )


def _seen(trait: str, signal: Signal) -> TraitSeen:
    return TraitSeen(
        trait=trait,
        service=signal.service,
        onset=signal.onset,
        onset_uncertainty=signal.onset_uncertainty,
        strength=signal.confidence,
        evidence=signal.evidence,
        text=describe(signal),
        peer=signal.peer,
    )


def _declared(event: StatusEvent, window: TimeWindow) -> TraitSeen:
    where = f" in {event.region}" if event.region else ""
    return TraitSeen(
        trait="provider_declares",
        service=event.service,
        onset=event.started_at,
        onset_uncertainty=timedelta(minutes=2),
        strength=1.0,
        evidence=evidence_id(Query(tool="status_events"), window),
        text=f"{event.provider} declares {event.status} for {event.service}{where}: {event.title}",
    )


def _traits_of(signal: Signal) -> tuple[str, ...]:
    if signal.kind is SignalKind.METRIC:
        # A move that hurts nobody can still be part of a signature (a pool that fills, requests that rise).
        return _of_metric(words_of(signal.name), signal.golden, signal.direction)
    aspect = signal.attributes.get("aspect", "")
    texts = "\n".join((signal.name, signal.example, *(v for k, v in signal.attributes.items() if k != "aspect")))
    found = _of_text(texts.lower()) if speaks_of_failure(signal) else ()
    rose = signal.direction == "up"
    shown = tuple(t.id for t in traits().values() if rose and aspect in t.aspect)
    debug = ("debug_lines",) if _is_new_debug(signal) else ()
    return tuple(dict.fromkeys(found + shown + debug))


def speaks_of_failure(signal: Signal) -> bool:
    """A log line or span error that is bad news; new INFO lines of a start-up are not."""
    return signal.harmful and signal.direction == "up"


def _is_new_debug(signal: Signal) -> bool:
    return (
        signal.kind is SignalKind.LOG
        and signal.shape == "new"
        and signal.attributes.get("severity", "") in {"DEBUG", "TRACE"}
    )


@lru_cache(maxsize=4096)
def _of_metric(name: str, golden: GoldenSignal | None, direction: str) -> tuple[str, ...]:
    return tuple(t.id for t in traits().values() if any(rule.fits(name, golden, direction) for rule in t.metric))


@lru_cache(maxsize=4096)
def _of_text(text: str) -> tuple[str, ...]:
    return tuple(t.id for t in traits().values() if _speaks(t, text))


def _speaks(trait: Trait, text: str) -> bool:
    return any(pattern.search(text) for pattern in trait.text)


def describe(signal: Signal) -> str:
    """One line with the figures: what moved, from where to where, since when."""
    when = clock(signal.onset)
    moved = f"{quantity(signal.before, signal.unit, signal.name)} to {quantity(signal.after, signal.unit, signal.name)}"
    if signal.kind is SignalKind.METRIC:
        return f"{signal.service} {signal.name} {moved} at {when}"
    if signal.kind is SignalKind.LOG:
        return f"{signal.service} logs “{cut(signal.example or signal.name)}” since {when}"
    aspect = signal.attributes.get("aspect", "")
    if aspect in {"errors", "cancelled"}:
        said = signal.attributes.get("message") or signal.example
        return f"{signal.service} {signal.name} fails since {when}" + (f": {cut(said)}" if said else "")
    return f"{signal.service} {signal.name} {aspect.replace('_', ' ')} {moved} since {when}"


def clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}"


def cut(text: str, length: int = 90) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
