"""A case of a suite: a recording to investigate and, kept apart from it, the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field

from tools.evidence import Frozen
from tools.recorded import Recording

NO_CHANGE = "none"
"""The word for "no change did this", in truths and in answers."""


class CaseError(Exception):
    """One case cannot be used; the message is one line. The suite goes on without it."""


class NamedBy(StrEnum):
    """What a suite calls a cause."""

    COMMIT = "commit"
    CHANGE = "change"
    SERVICE = "service"


class Truth(Frozen):
    """What was the matter. A field without a label is None and is not scored."""

    cause: str | None
    """A commit, change id or service, "none" when no change did it, None when the recording cannot tell."""
    service: str | None = None
    kinds: tuple[str, ...] | None = None
    """Fault kinds that count as right."""
    decoys: tuple[str, ...] = ()
    """Causes that were put there to be blamed."""
    first_failing_service: str | None = None
    blast_radius: tuple[str, ...] | None = None
    remediation: tuple[str, ...] | None = None
    """Words for what stops the pain; each counts as right."""
    metric: str | None = None
    """The exact metric that the fault moves."""
    region: tuple[str, ...] | None = None
    """Texts that the answer's code region (or its metric) has to name, all of them."""
    group: str = ""
    """The suite's own word for the type of fault; tables are also made per group."""


@dataclass(frozen=True)
class Case:
    """One incident. Only `recording` is ever shown to the agent."""

    id: str
    recording: Recording
    truth: Truth
    named_by: NamedBy


class RankedCause(Frozen):
    """One row of an answer."""

    cause: str
    """In the suite's words: a commit, a change id or a service, or "none"."""
    service: str = ""
    kind: str = ""
    change: str | None = None
    metric: str | None = None
    region: str | None = None
    confidence: float = Field(default=0.0, ge=0, le=1)


class Told(Frozen):
    """One sentence of an answer and the queries that it rests on, kept for people who read the result."""

    place: int
    """Place of the hypothesis it belongs to, from 1; 0 for the answer as a whole."""
    part: Literal["answer", "mechanism", "chain", "for", "against", "ruled out", "gap"]
    text: str
    queries: tuple[str, ...] = ()


class CaseResult(Frozen):
    """What came of one case."""

    id: str
    truth: Truth
    ranked: tuple[RankedCause, ...] = ()
    hit_rank: int | None = None
    """Place of the true cause among different causes, ties counted against it; None for a miss."""
    abstained: bool = False
    """True when the answer was "not enough evidence"."""
    verdict: str = ""
    first_failing_service: str | None = None
    blast_radius: tuple[str, ...] = ()
    remediation: str | None = None
    seconds: float = 0.0
    """Wall clock, without import and without reading the recording."""
    cpu_seconds: float = 0.0
    read_seconds: float = 0.0
    """Wall clock of reading the recording."""
    peak_rss_mb: float = 0.0
    """Peak resident memory of the process, reading the recording included."""
    model_tokens: int = 0
    model_cost_usd: float | None = None
    error: str | None = None
    """Why there is no answer; the case counts as a miss."""
    story: tuple[Told, ...] = ()
    """What the answer says and rests on; left out of a report's JSON unless it is asked for."""

    @property
    def leading(self) -> RankedCause | None:
        """The answer that was given; None without one."""
        return self.ranked[0] if self.ranked and not self.abstained else None

    @property
    def right(self) -> bool:
        return self.hit_rank == 1


def no_quiet_stretches(data: Path) -> tuple[str, ...]:
    """For a suite that records nothing but incidents."""
    del data
    return ()


@dataclass(frozen=True)
class Suite:
    """A benchmark: how its cases are found in a folder, and how one is read."""

    name: str
    named_by: NamedBy
    find: Callable[[Path], tuple[str, ...]]
    """Ids of the cases in a folder, in order. Raises CallerError, in one line, when there is none."""
    load: Callable[[Path, str], Case]
    """Reads one case. Raises CaseError."""
    find_quiet: Callable[[Path], tuple[str, ...]] = no_quiet_stretches
    """Ids (`quiet/...`) of stretches without a fault; `load` reads them too, with a truth whose cause is None."""
    step: timedelta = timedelta(seconds=60)
    """By how much the alert is shifted to see what its timing is worth: a minute, or one sample where those are rarer."""
