"""Who answers: the product's own analysis, or a method of the literature on the same recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.errors import CallerError
from agent.incident import Diagnosis
from agent.parse_alert import parse_alert
from agent.runner import Runner
from evals.cases import Case, CaseError, CaseResult, NamedBy, RankedCause, Suite
from evals.rivals import RIVALS
from evals.scorers import score, score_ranking
from tools.recorded import Recording, recorded_backend

STATISTICS = "statistics"
"""The analysis alone, without a language model."""


@dataclass(frozen=True)
class Investigated:
    """A diagnosis and the queries behind the ids of the evidence that it cites."""

    diagnosis: Diagnosis
    queries: Mapping[str, str]


Answer = Diagnosis | Investigated | tuple[RankedCause, ...]
Investigate = Callable[[Recording], Answer]
"""From a recording to an answer. What is passed to other processes has to be a function of a module."""


def diagnose(recording: Recording) -> Diagnosis:
    """Investigate a recording exactly as the product does, and leave nothing behind."""
    return investigate(recording).diagnosis


def investigate(recording: Recording) -> Investigated:
    """The same, with the query of every piece of evidence. Raises CaseError when there is no diagnosis."""
    with Runner.in_memory() as runner:
        incident = runner.open(parse_alert(recording.alert))
        diagnosis = runner.run(incident.id, recorded_backend(recording)).diagnosis
        queries = {each.id: str(each.query) for each in runner.store.evidence_list(incident.id)}
    if diagnosis is None:
        raise CaseError("the investigation ended without a diagnosis")
    return Investigated(diagnosis, queries)


ANALYSTS: Mapping[str, Investigate] = {STATISTICS: investigate, **RIVALS}


def analyst_named(name: str, suite: Suite) -> Investigate:
    """The analyst; raises CallerError for an unknown one, and for one that cannot name what the suite asks for."""
    if name not in ANALYSTS:
        raise CallerError(f"--analyst {name}: there are {', '.join(ANALYSTS)}")
    if name in RIVALS and suite.named_by is not NamedBy.SERVICE:
        raise CallerError(f"--analyst {name}: it ranks services, and causes of {suite.name} are a {suite.named_by}")
    return ANALYSTS[name]


def scored(case: Case, answer: Answer) -> CaseResult:
    """Score whatever kind of answer it is."""
    if isinstance(answer, Investigated):
        return score(case, answer.diagnosis, answer.queries)
    return score(case, answer) if isinstance(answer, Diagnosis) else score_ranking(case, answer)
