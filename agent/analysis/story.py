"""Hypotheses in words: title, chain from the cause to the symptom, predictions, the answer itself."""

from __future__ import annotations

from typing import Literal

from agent.analysis.catalogue import mechanisms
from agent.analysis.conditions import Condition
from agent.analysis.faults.fault import Fault
from agent.analysis.guilt import Suspicion
from agent.analysis.scene import SPECIFIC, Scene
from agent.analysis.suspects import Suspect, first_failing
from agent.analysis.traits import clock, cut, describe
from agent.incident import Cause, Claim, FaultKind, GoldenSignal, Hypothesis, SignalKind, Verdict
from tools.evidence import ChangeEvent, ChangeKind, Query, evidence_id

LINKS = 5
"""A chain longer than this is cut in the middle; nobody reads more at night."""
INNER = 2
"""Links that tell what broke inside the origin."""
SIDES = 6
"""Claims shown for and against."""

KIND_OF_TRAIT = {
    "cpu_saturated": FaultKind.CPU,
    "memory_growing": FaultKind.MEMORY,
    "out_of_memory": FaultKind.MEMORY,
    "disk_full": FaultKind.DISK,
    "disk_filling": FaultKind.DISK,
    "io_slow": FaultKind.DISK,
    "network_delay": FaultKind.NETWORK_DELAY,
    "network_loss": FaultKind.NETWORK_LOSS,
    "descriptors_exhausted": FaultKind.SOCKET,
    "pool_exhausted": FaultKind.CAPACITY,
    "threads_exhausted": FaultKind.CAPACITY,
    "null_dereference": FaultKind.CODE_EXCEPTION,
    "panic": FaultKind.CODE_EXCEPTION,
    "type_error": FaultKind.CODE_EXCEPTION,
    "out_of_bounds": FaultKind.CODE_EXCEPTION,
    "deserialization_failed": FaultKind.DATA,
    "constraint_violated": FaultKind.DATA,
    "configuration_invalid": FaultKind.CONFIGURATION,
    "certificate_expired": FaultKind.CERTIFICATE,
    "provider_failing": FaultKind.DEPENDENCY,
    "wrong_result": FaultKind.WRONG_RETURN,
}
"""What kind of fault a service has when nothing but its own traits tells."""


def name_of(change: ChangeEvent) -> str:
    """How a person would name a change: service, version, commit or flag."""
    if change.kind is ChangeKind.FLAG:
        return f"flag {change.title} ({change.before or '?'} to {change.after or '?'})"
    where = f"{change.service} {change.version or ''}".strip() if change.service else "an undeployed commit"
    return f"{where} ({change.commit[:8]})" if change.commit else where


def hypothesis_of_change(scene: Scene, name: str, of: Suspicion, share: float, chain: tuple[Claim, ...]) -> Hypothesis:
    mechanism = of.mechanism
    if mechanism is None:
        raise ValueError(f"{of.change.id} has no mechanism to tell of")
    cause = Cause(
        service=of.change.service or scene.symptom.service,
        kind=mechanism.fault,
        change=of.change.id,
        commit=of.change.commit,
        region=_region(of),
    )
    return Hypothesis(
        id=name,
        title=f"{name_of(of.change)}: {mechanism.title}",
        cause=cause,
        mechanism=mechanism.id,
        causal_chain=chain,
        predicts=(mechanism.verify,),
        evidence_for=_distinct(of.speaks_for),
        evidence_against=_distinct(of.speaks_against),
        confidence=share,
        status=_status(share),
    )


def hypothesis_of_condition(
    name: str, of: Condition, share: float, chain: tuple[Claim, ...], located: Fault | None
) -> Hypothesis:
    """`located` is the fault of the same service and kind, which says on which metric the condition shows."""
    return Hypothesis(
        id=name,
        title=f"{of.service}: {of.mechanism.title}",
        cause=Cause(service=of.service, kind=of.mechanism.fault, metric=located.metric if located else None),
        mechanism=of.mechanism.id,
        causal_chain=chain,
        predicts=(of.mechanism.verify,),
        evidence_for=_distinct(tuple(sorted((c for c in of.claims if c.weight > 0), key=lambda c: -c.weight))),
        evidence_against=_distinct(tuple(sorted((c for c in of.claims if c.weight < 0), key=lambda c: c.weight))),
        confidence=share,
        status=_status(share),
    )


def hypothesis_of_service(name: str, of: Suspect, share: float, chain: tuple[Claim, ...]) -> Hypothesis:
    clearest = max(of.traits, key=lambda t: t.weight * t.strength, default=None)
    kind = KIND_OF_TRAIT.get(clearest.trait, FaultKind.UNKNOWN) if clearest else FaultKind.UNKNOWN
    return Hypothesis(
        id=name,
        title=f"{of.service} fails by itself, for a reason that no recorded change explains",
        cause=Cause(service=of.service, kind=kind),
        mechanism="unrecorded",
        causal_chain=chain,
        predicts=("the failure stays with this service when its callees and its version are exchanged",),
        evidence_for=_distinct(tuple(sorted((c for c in of.claims if c.weight > 0), key=lambda c: -c.weight))),
        evidence_against=_distinct(tuple(sorted((c for c in of.claims if c.weight < 0), key=lambda c: c.weight))),
        confidence=share,
        status=_status(share),
    )


def hypothesis_of_fault(name: str, of: Fault, share: float, chain: tuple[Claim, ...]) -> Hypothesis:
    mechanism = mechanisms()[of.mechanism]
    return Hypothesis(
        id=name,
        title=f"{of.service}: {mechanism.title}",
        cause=Cause(service=of.service, kind=of.kind, metric=of.metric, region=of.region),
        mechanism=mechanism.id,
        causal_chain=chain,
        predicts=(mechanism.verify,),
        evidence_for=_distinct(of.claims),
        confidence=share,
        status=_status(share),
    )


def _region(of: Suspicion) -> str | None:
    if of.edit is None:
        return None
    return f"{of.edit.path}: {of.edit.name}" if of.edit.name else of.edit.path


def _status(share: float) -> Literal["leading", "possible", "unlikely"]:
    return "leading" if share >= 0.5 else "possible" if share >= 0.1 else "unlikely"


def _distinct(claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
    return tuple({c.text: c for c in claims}.values())[:SIDES]


def chain_of(scene: Scene, of: Suspicion | Condition | Fault | Suspect, ranked: list[Suspect]) -> tuple[Claim, ...]:
    """Cause -> ... -> symptom, each link with its evidence: what was changed, what broke, who felt it."""
    links: list[Claim] = []
    start = _start(scene, of)
    if start is not None:
        links.append(start)
    first = of.service if isinstance(of, Fault) else first_failing(scene, ranked, _accused(of))
    origin = first or scene.symptom.service
    explained = () if isinstance(of, Suspect | Fault) else of.explained
    inner = [t for t in explained if t.weight >= SPECIFIC and t.service in {origin, _accused(of)}]
    inner.sort(key=lambda t: (-t.weight * t.strength, t.onset))
    first = {t.evidence: t for t in reversed(inner)}  # one link per series, its clearest trait
    told = sorted(list(reversed(first.values()))[:INNER], key=lambda t: t.onset)
    links.extend(Claim(text=t.text, evidence=(t.evidence,)) for t in told)
    for service in scene.path(origin, scene.symptom.service):
        felt = _felt(scene, service)
        if felt is not None and not (service == origin and inner):
            links.append(felt)
    return tuple({link.text: link for link in links}.values())[:LINKS]


def _accused(of: Suspicion | Condition | Fault | Suspect) -> str | None:
    return of.change.service if isinstance(of, Suspicion) else of.service


def _start(scene: Scene, of: Suspicion | Condition | Fault | Suspect) -> Claim | None:
    if isinstance(of, Suspicion):
        text = f"{name_of(of.change)} took effect at {clock(of.change.at)}"
        return Claim(text=text, evidence=(scene.change_evidence(of.change),))
    if isinstance(of, Fault):
        return of.claims[0].model_copy(update={"weight": 0.0})
    if isinstance(of, Condition) and of.explained:
        seen = of.explained[0]
        return Claim(text=seen.text, evidence=(seen.evidence,))
    return None


def _felt(scene: Scene, service: str) -> Claim | None:
    """How a service on the way feels it: its errors or its latency, else whatever fails there first."""
    signals = scene.failing.get(service)
    if not signals:
        return None
    felt = [s for s in signals if s.golden in {GoldenSignal.ERRORS, GoldenSignal.LATENCY}] or list(signals)
    clearest = max(felt, key=lambda s: (s.kind is SignalKind.METRIC, s.confidence, s.size))
    return Claim(text=describe(clearest), evidence=(clearest.evidence,))


def answer_of(scene: Scene, verdict: Verdict, hypotheses: tuple[Hypothesis, ...], ranked: list[Suspect]) -> Claim:
    """The one sentence that a person reads first."""
    if verdict is Verdict.NOT_ENOUGH_EVIDENCE or not hypotheses:
        return _not_enough(scene, ranked)
    top = hypotheses[0]
    cited = tuple(dict.fromkeys(e for c in (*top.causal_chain[:1], *top.evidence_for[:2]) for e in c.evidence))
    if verdict is Verdict.CHANGE:
        return Claim(text=top.title, evidence=cited)
    if verdict is Verdict.LOCATED:
        return Claim(text=f"{top.title}. What caused that is not recorded", evidence=cited)
    return Claim(text=f"No change did this. {top.title}", evidence=cited)


def _not_enough(scene: Scene, ranked: list[Suspect]) -> Claim:
    changes = scene.observations.changes
    where = f" {ranked[0].service} fails first." if ranked else " Nothing that was gathered deviates."
    looked = f"{len(changes)} changes were looked at and none is shown to produce this."
    text = f"Not enough evidence to name a cause.{where} {looked}"
    alert = Query(
        tool="metric_range",
        arguments={"service": scene.symptom.service, "metric": scene.observations.alert.metric},
    )
    cited = (
        ranked[0].claims[0].evidence
        if ranked and ranked[0].claims
        else (evidence_id(alert, scene.observations.window),)
    )
    return Claim(text=cut(text, 300), evidence=cited)
