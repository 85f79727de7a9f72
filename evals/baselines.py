"""Trivial rows: what no investigation at all would reach. A method has to beat these before it means anything."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from evals.cases import NO_CHANGE, Case, CaseResult, NamedBy, RankedCause, Truth
from evals.comparison import RowResult
from evals.scorers import hit_rank
from tools.evidence import ChangeEvent
from tools.moments import read_moment
from tools.recorded import Recording

_SEED = 7

Rule = Callable[[Case], list[str]]
"""From a case to causes in the suite's words, the best guess first."""

CONSTANT_LIST = "constant list"


def random_order(case: Case) -> list[str]:
    """Every change there is to blame, shuffled; the seed is fixed and the same case is always shuffled alike."""
    return _shuffled(case, [*(_word(case, change) for change in case.recording.changes), NO_CHANGE])


def latest_deploy(case: Case) -> list[str]:
    """Versions in effect before the alert, the latest first."""
    return [_word(case, change) for change in _before_the_alert(case)]


def alert_service_latest_deploy(case: Case) -> list[str]:
    """The same, for the service that the alert names."""
    service = case.recording.alert.get("service")
    return [_word(case, change) for change in _before_the_alert(case) if change.service == service]


def always_none(case: Case) -> list[str]:
    """No change did it, whatever happened."""
    del case
    return [NO_CHANGE]


def random_service(case: Case) -> list[str]:
    """Every service that any telemetry names, shuffled alike each time."""
    return _shuffled(case, services_of(case.recording))


def alert_service(case: Case) -> list[str]:
    """The service that the alert names, and nothing else."""
    service = case.recording.alert.get("service")
    return [service] if isinstance(service, str) else []


RULES: Mapping[str, Rule] = {
    "random order": random_order,
    "latest deploy": latest_deploy,
    "alert service's latest deploy": alert_service_latest_deploy,
    "always none": always_none,
}
"""Where causes are changes."""
SERVICE_RULES: Mapping[str, Rule] = {"random order": random_service, "alert's own service": alert_service}
"""Where causes are services; the constant list joins them, which needs the truths of the other cases."""


def trivial_results(case: Case) -> dict[str, RowResult]:
    """Every rule on one case."""
    rules = SERVICE_RULES if case.named_by is NamedBy.SERVICE else RULES
    found: dict[str, RowResult] = {}
    for name, rule in rules.items():
        causes = rule(case)
        ranked = [RankedCause(cause=cause, confidence=1 / (place + 1)) for place, cause in enumerate(causes)]
        found[name] = RowResult(
            hit_rank=hit_rank(ranked, case.truth, abstained=False),
            blamed_a_decoy=bool(causes) and causes[0] in case.truth.decoys,
        )
    return found


def constant_list(results: Sequence[CaseResult]) -> list[RowResult]:
    """The same list for every case: causes by how often they are the truth of the *other* cases.

    The case itself is left out, or the list would know its answer. Causes that are equally frequent are a tie.
    """
    frequent = Counter(result.truth.cause for result in results)
    return [_constant(frequent - Counter([result.truth.cause]), result.truth) for result in results]


def _constant(others: Counter[str | None], truth: Truth) -> RowResult:
    total = max(1, others.total())
    ranked = [
        RankedCause(cause=cause, confidence=count / total) for cause, count in others.most_common() if cause is not None
    ]
    return RowResult(hit_rank=hit_rank(ranked, truth, abstained=False))


def services_of(recording: Recording) -> list[str]:
    """Every service that metrics, logs, spans or dependencies name, in order of the name."""
    frames = (recording.metrics, recording.logs, recording.spans)
    named = {str(service) for frame in frames if frame is not None for service in frame["service"].unique()}
    named |= {service for edge in recording.edges for service in (edge.caller, edge.callee)}
    return sorted(named)


def _shuffled(case: Case, causes: Sequence[str]) -> list[str]:
    order = list(dict.fromkeys(causes))
    random.Random(f"{_SEED}/{zlib.crc32(case.id.encode())}").shuffle(order)
    return order


def _before_the_alert(case: Case) -> list[ChangeEvent]:
    """Changes with a version, latest first; an alert without a time is taken to have fired at the end."""
    fired_at = read_moment(case.recording.alert.get("fired_at")) or case.recording.window.until
    deployed = [c for c in case.recording.changes if c.in_effect and c.version is not None and c.at <= fired_at]
    return sorted(deployed, key=lambda change: (change.at, change.id), reverse=True)


def _word(case: Case, change: ChangeEvent) -> str:
    return change.id if case.named_by is NamedBy.CHANGE else (change.commit or change.id)
