"""The list of incidents, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from agent.incident import Incident
from web.terminal.answer import ALARMING
from web.terminal.claims import LABEL, QUIET, one_line
from web.terminal.printable import styled

ROOMY = 90
"""Columns from which the time of detection fits beside a title; an incident's id already carries the date."""


def incidents_table(incidents: Sequence[Incident], width: int) -> RenderableType:
    """Return one line per incident; what to do next when there is none. The narrow list leaves the time out."""
    if not incidents:
        return Text("No incidents yet. `whydown demo` investigates a recorded one.")
    roomy = width >= ROOMY
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=QUIET, expand=True)
    for name in ("incident", "sev", "status", "detected (UTC)") if roomy else ("incident", "sev", "status"):
        table.add_column(name, no_wrap=True)
    table.add_column("title", ratio=1)
    for incident in incidents:
        severity = Text(incident.severity, ALARMING[incident.severity]) if incident.severity else Text("?")
        cells = [styled(incident.id, LABEL), severity, Text(incident.status.replace("_", " "))]
        if roomy:
            cells.append(Text(f"{incident.detected_at:%Y-%m-%d %H:%M}", QUIET))
        table.add_row(*cells, one_line(styled(incident.title)))
    return table
