"""The catalogue of read tools: runs a query against a backend and hands back evidence."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from tools.answer import Answer
from tools.backend import Backend
from tools.changes import change, changes, status_events
from tools.evidence import JsonObject, Query, Source, TimeWindow, ToolError
from tools.logs import log_lines
from tools.metrics import metric_range
from tools.runbooks import runbooks
from tools.topology import edges
from tools.traces import spans
from tools.words import did_you_mean

__all__ = ["READ_TOOLS", "Answer", "run", "tool_schemas"]

READ_TOOLS: Mapping[str, Callable[..., Answer]] = {
    "metric_range": metric_range,
    "log_lines": log_lines,
    "spans": spans,
    "changes": changes,
    "change": change,
    "status_events": status_events,
    "edges": edges,
    "runbooks": runbooks,
}
"""Every read tool by its name. Its first parameter is named like the part of the backend, and the source, it asks."""


def run(backend: Backend, query: Query, window: TimeWindow) -> Answer:
    """Answer a query over a window.

    The same query on the same data has the same digest; its id is `evidence_id(query, window)`. Raises ToolError for
    an unknown tool or argument, for a part that the backend does not have, and when the backend cannot answer.
    """
    tool = READ_TOOLS.get(query.tool)
    if tool is None:
        raise ToolError(Source.ALERT, f"no tool {query.tool!r}{did_you_mean(query.tool, READ_TOOLS)}")
    part = next(iter(inspect.signature(tool).parameters))
    arguments = _checked(query, Source(part))
    asked = getattr(backend, part)
    if asked is None:
        raise ToolError(Source(part), f"{backend.name} has no {part}, so {query} cannot be answered")
    answer = tool(asked, window, **arguments)
    return replace(answer, evidence=answer.evidence.model_copy(update={"query": query}))


def tool_schemas() -> list[JsonObject]:
    """Name, description and JSON schema of the arguments of each tool, from its signature and docstring."""
    return [
        {
            "name": name,
            "description": inspect.getdoc(tool) or "",
            "parameters": _arguments(name).model_json_schema(),
        }
        for name, tool in READ_TOOLS.items()
    ]


@cache
def _arguments(name: str) -> type[BaseModel]:
    """A model of a tool's arguments: what follows the backend's part and the window in its signature."""
    tool = READ_TOOLS[name]
    hints = get_type_hints(tool)
    parameters = list(inspect.signature(tool).parameters.values())[2:]
    fields = {
        each.name: (hints[each.name], ... if each.default is inspect.Parameter.empty else each.default)
        for each in parameters
    }
    return create_model(name, __config__=ConfigDict(strict=True, extra="forbid"), **fields)  # pyright: ignore


def _checked(query: Query, source: Source) -> JsonObject:
    model = _arguments(query.tool)
    for name in query.arguments:
        if name not in model.model_fields:
            near = did_you_mean(name, model.model_fields)
            raise ToolError(source, f"{query.tool} has no argument {name!r}{near or '; it takes none'}")
    try:
        return model.model_validate(dict(query.arguments)).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(step) for step in first["loc"])
        raise ToolError(source, f"{query.tool}: {name}={query.arguments.get(name)!r}: {first['msg']}") from error
