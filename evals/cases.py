"""A case of a suite: a recording to investigate and, kept apart from it, the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

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
    confidence: float = Field(default=0.0, ge=0, le=1)


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
    peak_rss_mb: float = 0.0
    model_tokens: int = 0
    model_cost_usd: float | None = None
    error: str | None = None
    """Why there is no answer; the case counts as a miss."""

    @property
    def leading(self) -> RankedCause | None:
        """The answer that was given; None without one."""
        return self.ranked[0] if self.ranked and not self.abstained else None

    @property
    def right(self) -> bool:
        return self.hit_rank == 1


@dataclass(frozen=True)
class Suite:
    """A benchmark: how its cases are found in a folder, and how one is read."""

    name: str
    named_by: NamedBy
    find: Callable[[Path], tuple[str, ...]]
    """Ids of the cases in a folder, in order. Raises CallerError, in one line, when there is none."""
    load: Callable[[Path, str], Case]
    """Reads one case. Raises CaseError."""
