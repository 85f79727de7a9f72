"""Says in words what a transition was: step, what usually followed, what follows instead, and where to read it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.analysis.logs.tokens import WILDCARD
from agent.analysis.logs.wording import SEVERE, speaks_of_failure
from agent.analysis.paths.calls import Calls
from agent.analysis.paths.spanrows import SpanRows
from agent.analysis.paths.statements import Statement, Statements
from agent.analysis.paths.steps import BEGINNING, END, Steps
from tools.evidence import Query

NOTHING_MORE = "the end"
"""Stands for the usual way where that was to do nothing more."""
MAX_CALLS = 5
"""Calls that are named; a bag can hold hundreds."""

_EXCEPTION = re.compile(
    r"\b[A-Z]\w*(?:Error|Exception)\b|(?i:\bexceptions?\b|\btraceback\b|\bpanic|\bthrow|\bthrew\b)", re.ASCII
)


@dataclass(frozen=True)
class Told:
    """A transition that is no longer taken, and the one that is taken instead."""

    service: str
    operation: str
    step: str
    usual: str
    instead: str
    failing: bool
    raised: bool
    query: Query


@dataclass(frozen=True)
class StepWords:
    """Reads the codes of `Steps`."""

    steps: Steps
    statements: Statements

    def service(self, group: int) -> str:
        return self.steps.services[int(self.steps.group_service[group])]

    def told(self, group: int, usual: int, instead: int) -> Told:
        service = self.service(group)
        operation = self.steps.operations[int(self.steps.group_operation[group])]
        step, loser, riser = (self._statement(s) for s in (int(self.steps.group_step[group]), usual, instead))
        failing = riser is not None and (riser.severity in SEVERE or speaks_of_failure(riser.template))
        ranked = [riser, loser, step] if failing else [loser, riser, step]
        lines = next((s for s in ranked if s is not None and s.literal), None)
        return Told(
            service=service,
            operation=operation,
            step=step.text if step else f"{operation} starts",
            usual=loser.text if loser else NOTHING_MORE,
            instead=riser.text if riser else "",
            failing=failing,
            raised=riser is None or bool(_EXCEPTION.search(riser.example)),
            query=_query_lines(lines) if lines else _query_spans(service, operation),
        )

    def _statement(self, step: int) -> Statement | None:
        return None if step in (BEGINNING, END) else self.statements.known[step - 1]


@dataclass(frozen=True)
class CallWords:
    """Reads the codes of `Calls`."""

    calls: Calls
    spans: SpanRows

    def service(self, group: int) -> str:
        return self.spans.services[int(self.calls.group_service[group])]

    def told(self, group: int, usual: int, instead: int) -> Told:
        operation = self.spans.names[int(self.calls.group_operation[group])]
        before, now = dict(self.calls.bags[usual]), dict(self.calls.bags[instead])
        missing = [name for name, count in before.items() if count > now.get(name, 0)]
        added = [name for name, count in now.items() if count > before.get(name, 0)]
        text = _listed(added)
        return Told(
            service=self.service(group),
            operation=operation,
            step=operation,
            usual=_listed(missing) or NOTHING_MORE,
            instead=text,
            failing=speaks_of_failure(text),
            raised=not added or bool(_EXCEPTION.search(text)),
            query=_query_spans(self.service(group), operation),
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_CALLS} more" if len(names) > MAX_CALLS else ""
    return ", ".join(names[:MAX_CALLS]) + more


def _query_lines(statement: Statement) -> Query:
    return Query(tool="log_lines", arguments={"service": statement.service, "contains": statement.literal})


def _query_spans(service: str, operation: str) -> Query:
    exact = operation if operation and WILDCARD not in operation else None
    return Query(tool="spans", arguments={"service": service, "operation": exact})
