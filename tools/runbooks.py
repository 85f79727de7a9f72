"""The read tool for runbooks."""

from __future__ import annotations

from pydantic import JsonValue

from tools.answer import Answer, value_answer
from tools.backend import Runbooks
from tools.evidence import Query, Source, TimeWindow
from tools.redaction import masked
from tools.words import counted


def runbooks(runbooks: Runbooks, window: TimeWindow) -> Answer:
    """All runbooks, in order of id. Raises ToolError."""
    found = sorted(runbooks.runbooks(), key=lambda page: page.id)
    result: JsonValue = [masked(page.model_dump(mode="json")) for page in found]
    titles = ", ".join(page.title for page in found[:5]) + (", ..." if len(found) > 5 else "")
    summary = f"{counted(len(found), 'runbook')}: {titles}" if found else "no runbook"
    return value_answer(Source.RUNBOOKS, Query(tool="runbooks"), window, summary, result)
