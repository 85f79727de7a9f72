"""The read tool for dependencies."""

from __future__ import annotations

from pydantic import JsonValue

from tools.answer import Answer, value_answer
from tools.backend import Topology
from tools.evidence import Query, Source, TimeWindow
from tools.words import counted


def edges(topology: Topology, window: TimeWindow) -> Answer:
    """Who depends on whom: callers and callees that somebody wrote down or a platform knows. Raises ToolError."""
    found = sorted(topology.edges(), key=lambda edge: (edge.caller, edge.callee, edge.kind))
    result: JsonValue = [edge.model_dump(mode="json") for edge in found]
    services = {edge.caller for edge in found} | {edge.callee for edge in found}
    summary = f"{counted(len(found), 'dependency', 'dependencies')} between {counted(len(services), 'service')}"
    return value_answer(Source.TOPOLOGY, Query(tool="edges"), window, summary, result)
