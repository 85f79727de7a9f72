"""What every configured backend can see now, and what that means for an investigation: `whydown doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from time import monotonic

from agent.nodes.gather import SAYS_NOTHING
from agent.time_limit import TROUBLES, within
from tools.evidence import Frozen, Source, TimeWindow, ToolError, UtcDatetime
from tools.live.sighting import Sighting, Visible

LOOKED_BACK = timedelta(hours=1)
"""What is looked at: long enough for a metric that is scraped every few minutes, short enough to be cheap."""
SKEW_TOLERATED = timedelta(seconds=5)
"""Clocks that differ by more put effects before their causes; the header that tells a clock has whole seconds."""
STALE_AFTER = timedelta(minutes=10)
"""A backend whose newest entry is older has probably stopped receiving: most things are scraped or shipped each minute."""
EXAMPLE = {
    Source.METRICS: '[metrics]\nkind = "prometheus"\nurl = "http://127.0.0.1:9090"',
    Source.LOGS: '[logs]\nkind = "elasticsearch"\nurl = "http://127.0.0.1:9200"',
    Source.TRACES: '[traces]\nkind = "jaeger"\nurl = "http://127.0.0.1:16686"',
    Source.CHANGES: '[[changes]]\nkind = "git"\npath = "/srv/shop"',
    Source.TOPOLOGY: '[[topology]]\nkind = "file"\npath = "dependencies.toml"',
    Source.RUNBOOKS: '[runbooks]\nkind = "folder"\npath = "runbooks"',
}
"""What to write into whydown.toml for each kind that is missing, the most telling first."""


@dataclass(frozen=True)
class Part:
    """One configured backend."""

    source: Source
    name: str
    backend: Visible
    also: tuple[Source, ...] = ()
    """What else it tells of."""


class PartSeen(Frozen):
    """What came of looking at one backend."""

    source: Source
    name: str
    seconds: float
    sighting: Sighting | None = None
    trouble: str = ""
    """Why nothing could be seen."""
    skew_seconds: float | None = None
    """How far its clock is ahead of ours; None where it told none."""
    warnings: tuple[str, ...] = ()
    """What limits an investigation, each with the next step."""


class Missing(Frozen):
    """A kind of telemetry that no backend is configured for."""

    source: Source
    means: str
    example: str


class Checkup(Frozen):
    """All backends of this installation, as seen at one moment."""

    at: UtcDatetime
    file: str | None
    """The configuration file that was read; None where there is none."""
    parts: tuple[PartSeen, ...] = ()
    missing: tuple[Missing, ...] = ()

    @property
    def healthy(self) -> bool:
        """Something is configured, and all of it answers."""
        return bool(self.parts) and all(part.sighting is not None for part in self.parts)


def check_up(parts: Sequence[Part], now: datetime, file: str | None, seconds: float) -> Checkup:
    """Look at all parts at once, each for at most `seconds`. A backend that is down is a line, never an error."""
    window = TimeWindow(since=now - LOOKED_BACK, until=now)
    with ThreadPoolExecutor(max_workers=max(1, len(parts)), thread_name_prefix="whydown-doctor") as pool:
        seen = tuple(pool.map(partial(_look, window=window, seconds=seconds), parts))
    configured = {source for part in parts for source in (part.source, *part.also)}
    missing = tuple(
        Missing(source=source, means=SAYS_NOTHING[source], example=example)
        for source, example in EXAMPLE.items()
        if source not in configured
    )
    return Checkup(at=now, file=file, parts=seen, missing=missing)


def _look(part: Part, window: TimeWindow, seconds: float) -> PartSeen:
    began = monotonic()
    try:
        sighting = within(seconds, Event(), partial(part.backend.look, window))
    except (TimeoutError, *TROUBLES) as error:
        why = error.message if isinstance(error, ToolError) else f"{type(error).__name__}: {error}"
        return PartSeen(source=part.source, name=part.name, seconds=monotonic() - began, trouble=why)
    took = monotonic() - began
    skew = None if sighting.clock is None else (sighting.clock - window.until).total_seconds() - took
    return PartSeen(
        source=part.source,
        name=sighting.name or part.name,
        seconds=took,
        sighting=sighting,
        skew_seconds=skew,
        warnings=(*_on_time(sighting, skew, window.until), *sighting.troubles),
    )


def _on_time(sighting: Sighting, skew: float | None, now: datetime) -> list[str]:
    found: list[str] = []
    if skew is not None and abs(skew) > SKEW_TOLERATED.total_seconds():
        ahead = "ahead of" if skew > 0 else "behind"
        found.append(
            f"its clock is {abs(skew):.0f} s {ahead} ours, so that causes and effects may change places; "
            "set both by NTP"
        )
    if sighting.newest is not None and now - sighting.newest > STALE_AFTER:
        minutes = (now - sighting.newest) / timedelta(minutes=1)
        found.append(f"its newest entry is {minutes:.0f} minutes old; look at what ships to it")
    return found
