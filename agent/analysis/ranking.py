"""From observations to a ranked, cited diagnosis.

Two questions are kept apart. Why: all changes (each under the mechanism that suits it best) and all conditions that
nobody changed are put beside the weight that "nothing that was recorded did it" carries; confidence is the share of
each: the softmax of the nats, Bayes' rule with even odds. Where: what is left for the unrecorded goes to the faults that
were located, in the same way. However clear the place is, it makes no recorded change less guilty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pydantic import Field

from agent.analysis.conditions import Condition, conditions
from agent.analysis.faults.fault import Fault
from agent.analysis.faults.locate import locate
from agent.analysis.guilt import Suspicion, suspect
from agent.analysis.history import a_day_before
from agent.analysis.observed import Observations, Onset
from agent.analysis.scene import Scene
from agent.analysis.story import (
    answer_of,
    chain_of,
    hypothesis_of_change,
    hypothesis_of_condition,
    hypothesis_of_fault,
    hypothesis_of_service,
)
from agent.analysis.suspects import Suspect, first_failing, suspects
from agent.analysis.traits import cut
from agent.incident import (
    BlastRadius,
    Claim,
    DataGap,
    Diagnosis,
    Hypothesis,
    RuledOut,
    SignalKind,
    Symptom,
    Verdict,
)
from tools.evidence import Frozen, Query, TimeWindow

UNKNOWN = 2.2
"""Nats that an answer has to beat: the weight of “something we cannot see”. About nine to one on top of the prior."""
SHOWN = 5
"""Hypotheses that a person can read."""
CLEARED_BELOW = 0.08
"""A change with less confidence is listed as ruled out, with the strongest reason."""
QUESTIONED = 2
QUESTIONS = 4
"""So many hypotheses are questioned, with so many queries at most: each costs a call to a system that is in trouble."""
SERVICE_PRIOR = -0.5
UNLOCATED = 4.2
"""Nats that a located fault has to beat: the weight of “it is broken somewhere we cannot see”, or nowhere."""


class Probe(Frozen):
    """A query to run before the answer is final, because its answer could refute a hypothesis."""

    query: Query
    window: TimeWindow
    asks: str


class Ranking(Frozen):
    """The diagnosis and what has still to be asked for it."""

    diagnosis: Diagnosis
    probes: tuple[Probe, ...] = ()
    scores: dict[str, float] = Field(default_factory=dict)
    """Candidate -> nats, for calibration and for `why not` questions."""


@dataclass(frozen=True)
class Candidate:
    """One possible answer."""

    key: str
    score: float
    of: Suspicion | Condition | Fault | Suspect
    share: float = 0.0


def rank(observations: Observations, symptom: Symptom, onset: Onset | None) -> Ranking:
    """Rank causes; deterministic, no I/O. The confidences of all candidates sum to at most 1."""
    scene = Scene(_in_order(observations), symptom, onset)
    ranked = suspects(scene)
    suspicions = [suspect(scene, c) for c in scene.observations.changes]
    located = locate(scene)
    candidates = _shared(_why(suspicions, _circumstances(scene, ranked, located)), _where(located, ranked))
    hypotheses = _hypotheses(scene, candidates, ranked, located)
    verdict = _verdict(candidates)
    accused = hypotheses[0].cause.service if hypotheses and verdict is not Verdict.NOT_ENOUGH_EVIDENCE else None
    first = accused if verdict is Verdict.LOCATED else first_failing(scene, ranked, accused)
    diagnosis = Diagnosis(
        verdict=verdict,
        answer=answer_of(scene, verdict, hypotheses, ranked),
        symptom=symptom,
        onset=scene.onset,
        onset_uncertainty=scene.onset_uncertainty,
        first_failing_service=first,
        hypotheses=hypotheses,
        ruled_out=_ruled_out(scene, suspicions, hypotheses),
        data_gaps=_gaps(scene),
        blast_radius=_blast_radius(scene, first),
        next_steps=_next_steps(scene, verdict, ranked),
    )
    return Ranking(diagnosis=diagnosis, probes=_probes(scene, hypotheses), scores={c.key: c.score for c in candidates})


def _in_order(seen: Observations) -> Observations:
    """The same observations in one order, whatever order they were gathered in."""
    return seen.model_copy(
        update={
            "signals": tuple(sorted(seen.signals, key=lambda s: (s.onset, s.service, s.kind, s.name, s.evidence))),
            "changes": tuple(sorted(seen.changes, key=lambda c: (c.at, c.id))),
            "edges": tuple(sorted(seen.edges, key=lambda e: (e.caller, e.callee, e.kind))),
        }
    )


def _circumstances(scene: Scene, ranked: list[Suspect], located: list[Fault]) -> list[Condition]:
    """Conditions; once a fault is located, only those that are more than a possibility."""
    found = conditions(scene, ranked, located)
    if not located or located[0].score < UNLOCATED:
        return found
    return [c for c in found if c.score >= UNKNOWN]


def _why(suspicions: list[Suspicion], circumstances: list[Condition]) -> list[Candidate]:
    found = [Candidate(f"change:{s.change.id}", s.score, s) for s in suspicions]
    return found + [Candidate(f"condition:{c.mechanism.id}", c.score, c) for c in circumstances]


def _where(located: list[Fault], ranked: list[Suspect]) -> list[Candidate]:
    """Located faults; the likeliest origin of failures too, where nothing was located at it."""
    found = [Candidate(f"fault:{f.service}", f.score, f) for f in located]
    if ranked and ranked[0].service not in {f.service for f in located}:
        top = ranked[0]
        found.append(Candidate(f"service:{top.service}", SERVICE_PRIOR + 0.5 * max(0.0, top.score), top))
    return found


def _shared(why: list[Candidate], where: list[Candidate]) -> list[Candidate]:
    """All candidates with their shares, the largest first."""
    causes, unrecorded = _shares(why, UNKNOWN)
    places, _ = _shares(where, UNLOCATED)
    found = [replace(c, share=causes[c.key]) for c in why]
    found += [replace(c, share=unrecorded * places[c.key]) for c in where]
    return sorted(found, key=lambda c: (-c.share, -c.score, c.key))


def _shares(candidates: list[Candidate], nothing: float) -> tuple[dict[str, float], float]:
    """Softmax over the candidates and “none of them”; the share of the latter comes second."""
    highest = max([*(c.score for c in candidates), nothing])
    weights = {c.key: math.exp(c.score - highest) for c in candidates}
    rest = math.exp(nothing - highest)
    total = sum(weights.values()) + rest
    return {key: weight / total for key, weight in weights.items()}, rest / total


def _verdict(candidates: list[Candidate]) -> Verdict:
    """The kind of the leading answer, unless “nothing that can be seen” has a larger share."""
    if not candidates or candidates[0].share <= 1.0 - sum(c.share for c in candidates):
        return Verdict.NOT_ENOUGH_EVIDENCE
    match candidates[0].of:
        case Suspicion():
            return Verdict.CHANGE
        case Fault() | Suspect():
            return Verdict.LOCATED
        case _:
            return Verdict.NO_CHANGE


def _hypotheses(
    scene: Scene, candidates: list[Candidate], ranked: list[Suspect], located: list[Fault]
) -> tuple[Hypothesis, ...]:
    shown = [c for c in candidates if c.score > 0 or c is candidates[0]][:SHOWN]
    return tuple(_hypothesis(scene, f"H{i}", c, ranked, located) for i, c in enumerate(shown, start=1) if _tellable(c))


def _same_fault(of: Condition, located: list[Fault]) -> Fault | None:
    return next((f for f in located if f.service == of.service and f.kind is of.mechanism.fault), None)


def _tellable(candidate: Candidate) -> bool:
    return not isinstance(candidate.of, Suspicion) or candidate.of.mechanism is not None


def _hypothesis(
    scene: Scene, name: str, candidate: Candidate, ranked: list[Suspect], located: list[Fault]
) -> Hypothesis:
    of, share = candidate.of, candidate.share
    chain = chain_of(scene, of, ranked)
    if isinstance(of, Suspicion):
        return hypothesis_of_change(scene, name, of, share, chain)
    if isinstance(of, Condition):
        return hypothesis_of_condition(name, of, share, chain, _same_fault(of, located))
    if isinstance(of, Fault):
        return hypothesis_of_fault(name, of, share, chain)
    return hypothesis_of_service(name, of, share, chain)


def _ruled_out(scene: Scene, suspicions: list[Suspicion], hypotheses: tuple[Hypothesis, ...]) -> tuple[RuledOut, ...]:
    """Changes that are not among the hypotheses, the most tempting first: in effect, and nearest before the onset."""
    kept = {h.cause.change for h in hypotheses if h.confidence >= CLEARED_BELOW}
    cleared = [s for s in suspicions if s.change.id not in kept and s.claims and (s.change.in_effect or s.mechanism)]
    cleared.sort(key=lambda s: (not s.change.in_effect, abs((scene.onset - s.change.at).total_seconds())))
    return tuple(
        RuledOut(candidate=s.change.id, title=cut(s.change.title, 80), reason=s.speaks_against[0])
        for s in cleared
        if s.speaks_against
    )


def _gaps(scene: Scene) -> tuple[DataGap, ...]:
    return tuple(dict.fromkeys(scene.observations.gaps))


def _blast_radius(scene: Scene, first: str | None) -> BlastRadius:
    hit = [s for s in scene.failing if s != first and scene.relation(scene.symptom.service, s) != "apart"]
    return BlastRadius(services=tuple(sorted(hit)))


def _next_steps(scene: Scene, verdict: Verdict, ranked: list[Suspect]) -> tuple[str, ...]:
    if verdict is not Verdict.NOT_ENOUGH_EVIDENCE:
        return ()
    steps = [f"Close the gap in {g.source.value}: {g.claim.text}" for g in scene.observations.gaps[:3]]
    if ranked:
        steps.append(
            f"Look at {ranked[0].service}, which fails first: its own logs and resources around {ranked[0].onset:%H:%M}"
        )
    blind = [c for c in scene.observations.changes if c.in_effect and not c.diff]
    if blind:
        steps.append(f"Fetch the diffs of the {len(blind)} changes that came without one")
    return tuple(steps)


def _probes(scene: Scene, hypotheses: tuple[Hypothesis, ...]) -> tuple[Probe, ...]:
    """What could refute the leading hypotheses: were the metrics that they rest on like this a day before?"""
    cited = dict.fromkeys(e for h in hypotheses[:QUESTIONED] for claim in h.evidence_for for e in claim.evidence)
    window = a_day_before(scene.observations.window)
    series = {s.evidence: s for s in scene.observations.signals if s.kind is SignalKind.METRIC}
    return tuple(
        Probe(
            query=Query(tool="metric_range", arguments={"service": series[e].service, "metric": series[e].name}),
            window=window,
            asks=f"was {series[e].service} {series[e].name} like this a day before?",
        )
        for e in list(cited)
        if e in series
    )[:QUESTIONS]


def claims_of(diagnosis: Diagnosis) -> tuple[Claim, ...]:
    """Every claim of a diagnosis."""
    found = [diagnosis.answer, *(r.reason for r in diagnosis.ruled_out), *(g.claim for g in diagnosis.data_gaps)]
    found += [m.reason for m in diagnosis.mitigations]
    for h in diagnosis.hypotheses:
        found += [*h.causal_chain, *h.evidence_for, *h.evidence_against]
    return tuple(found)
