"""What a backend shows when somebody looks at it: `whydown doctor` prints it."""

from __future__ import annotations

from typing import Protocol

from tools.evidence import Frozen, Source, TimeWindow, UtcDatetime


class Sighting(Frozen):
    """What one configured backend can see at this moment."""

    source: Source
    name: str
    """Vendor, version where it tells one, and address."""
    facts: tuple[str, ...] = ()
    """What is there, a short phrase each: `1,204 series of 18 services`."""
    services: tuple[str, ...] = ()
    """Services that it knows, by the names an alert has to use."""
    newest: UtcDatetime | None = None
    """Time stamp of the newest thing it holds; None where it holds nothing or cannot tell."""
    clock: UtcDatetime | None = None
    """Its own clock, to be held against ours."""
    troubles: tuple[str, ...] = ()
    """What limits an investigation, each with the next step."""


class Visible(Protocol):
    def look(self, window: TimeWindow) -> Sighting:
        """What can be seen of the window, usually the last hour; a few cheap calls. Raises ToolError."""
        ...
