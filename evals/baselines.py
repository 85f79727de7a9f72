"""Trivial rows: what no investigation at all would reach. A method has to beat these before it means anything."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping, Sequence

from evals.cases import NO_CHANGE, Case, NamedBy, RankedCause
from evals.scorers import hit_rank
from tools.evidence import ChangeEvent, Frozen
from tools.moments import read_moment

_SEED = 7


class TrivialResult(Frozen):
    """What one trivial rule made of one case."""

    hit_rank: int | None
    blamed_a_decoy: bool


class TrivialRow(Frozen):
    """A trivial rule over a whole suite."""

    name: str
    hits: int
    """Cases whose first place is right."""
    accuracy_at_3: float
    mrr: float
    decoy_hits: int


def random_order(case: Case) -> list[str]:
    """Everything there is to blame, shuffled; the seed is fixed and the same case is always shuffled alike."""
    causes = list(dict.fromkeys([*(_word(case, change) for change in case.recording.changes), NO_CHANGE]))
    random.Random(f"{_SEED}/{zlib.crc32(case.id.encode())}").shuffle(causes)
    return causes


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


RULES: Mapping[str, Callable[[Case], list[str]]] = {
    "random order": random_order,
    "latest deploy": latest_deploy,
    "alert service's latest deploy": alert_service_latest_deploy,
    "always none": always_none,
}


def trivial_results(case: Case) -> dict[str, TrivialResult]:
    """Every rule on one case; none of them where causes are services, which these rules know nothing about."""
    if case.named_by is NamedBy.SERVICE:
        return {}
    found: dict[str, TrivialResult] = {}
    for name, rule in RULES.items():
        causes = rule(case)
        ranked = [RankedCause(cause=cause, confidence=1 / (place + 1)) for place, cause in enumerate(causes)]
        found[name] = TrivialResult(
            hit_rank=hit_rank(ranked, case.truth, abstained=False),
            blamed_a_decoy=bool(causes) and causes[0] in case.truth.decoys,
        )
    return found


def trivial_rows(results: Sequence[Mapping[str, TrivialResult]]) -> tuple[TrivialRow, ...]:
    """Every rule over the cases of a suite."""
    rows: list[TrivialRow] = []
    for name in RULES:
        each = [result[name] for result in results if name in result]
        if each:
            ranks = [result.hit_rank for result in each]
            rows.append(
                TrivialRow(
                    name=name,
                    hits=sum(rank == 1 for rank in ranks),
                    accuracy_at_3=sum(rank is not None and rank <= 3 for rank in ranks) / len(each),
                    mrr=sum(1 / rank for rank in ranks if rank) / len(each),
                    decoy_hits=sum(result.blamed_a_decoy for result in each),
                )
            )
    return tuple(rows)


def _before_the_alert(case: Case) -> list[ChangeEvent]:
    """Changes with a version, latest first; an alert without a time is taken to have fired at the end."""
    fired_at = read_moment(case.recording.alert.get("fired_at")) or case.recording.window.until
    deployed = [c for c in case.recording.changes if c.in_effect and c.version is not None and c.at <= fired_at]
    return sorted(deployed, key=lambda change: (change.at, change.id), reverse=True)


def _word(case: Case, change: ChangeEvent) -> str:
    return change.id if case.named_by is NamedBy.CHANGE else (change.commit or change.id)
