"""Which operation stops the pain, from the closed catalogue and for targets that were observed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from agent.analysis.catalogue import Mechanism, mechanisms
from agent.analysis.observed import Observations
from agent.incident import Claim, Diagnosis, Hypothesis, Mitigation, Verdict
from tools.evidence import ChangeEvent, Operation, OperationKind, digest_of

OFFERED_FROM = 0.15
"""A hypothesis with less confidence gets no mitigation: acting on it would be a guess with somebody else's system."""
MOST = 3
CONFIG_FILE = re.compile(
    r"(\.(ya?ml|toml|json|ini|conf|cfg|properties|env|tf|tfvars|hcl|cnf)$)|(^|/)(charts?|helm|values|kustomize|deploy|k8s)/"
)
"""A change that only touches such files is undone by putting the old values back, without building anything."""

MANUAL = frozenset({OperationKind.FIX_INFRASTRUCTURE, OperationKind.ESCALATE, OperationKind.ROLL_FORWARD})
"""What only people can do; whydown says so and asks for no approval."""


@dataclass(frozen=True)
class Manner:
    """How an operation of one kind is done and undone."""

    risk: Literal["low", "medium", "high"]
    reversible: bool
    title: str
    undo: str
    effect: str


MANNERS: dict[OperationKind, Manner] = {
    OperationKind.ROLLBACK: Manner(
        "low", True, "Roll back {target} to {to}", "Deploy {from} again", "The version before the change runs again"
    ),
    OperationKind.REVERT_CONFIG: Manner(
        "low",
        True,
        "Revert the configuration of {target} to what it was before {from}",
        "Apply {from} again",
        "The old values are in force again",
    ),
    OperationKind.ROLL_FORWARD: Manner(
        "medium",
        False,
        "Ship a fix for {target} that restores what {from} took away",
        "Revert the fix",
        "What was taken away is there again",
    ),
    OperationKind.FLAG_OFF: Manner(
        "low",
        True,
        "Turn flag {flag} of {target} back to {to}",
        "Turn it to {from} again",
        "Requests take the old path",
    ),
    OperationKind.SCALE: Manner(
        "low", True, "Scale out {target}", "Scale back when the surge is over", "Queues drain as capacity passes demand"
    ),
    OperationKind.RESTART: Manner(
        "medium",
        False,
        "Restart {target} one instance at a time",
        "Nothing to undo",
        "The level falls back; it will climb again",
    ),
    OperationKind.FAILOVER: Manner(
        "high",
        True,
        "Fail {target} over to a healthy region, zone or replica",
        "Fail back",
        "Calls go where they are answered",
    ),
    OperationKind.ROTATE_CERTIFICATE: Manner(
        "medium",
        True,
        "Issue and install a new certificate or credential for {target}",
        "Install the old one",
        "Handshakes succeed again",
    ),
    OperationKind.FIX_INFRASTRUCTURE: Manner(
        "medium",
        False,
        "Repair what {target} stands on: {what}",
        "Depends on the repair",
        "The resource is there again",
    ),
    OperationKind.THROTTLE: Manner(
        "medium",
        True,
        "Throttle calls of {target} below the quota",
        "Lift the throttle",
        "Refusals stop; work queues up",
    ),
    OperationKind.ESCALATE: Manner(
        "low", True, "Escalate to the owner of {target}", "Nothing to undo", "The owner acts"
    ),
}


def propose(diagnosis: Diagnosis, observations: Observations) -> tuple[Mitigation, ...]:
    """Mitigations for the hypotheses worth acting on, best first; none when there is not enough evidence."""
    if diagnosis.verdict is Verdict.NOT_ENOUGH_EVIDENCE:
        return ()
    found: dict[str, Mitigation] = {}
    for hypothesis in diagnosis.hypotheses:
        leading = hypothesis is diagnosis.hypotheses[0]
        if not leading and hypothesis.confidence < OFFERED_FROM:
            continue
        mitigation = _mitigation(diagnosis, observations, hypothesis)
        if mitigation is not None:
            found.setdefault(mitigation.operation.digest, mitigation)
    return tuple(found.values())[:MOST]


def _mitigation(diagnosis: Diagnosis, observations: Observations, hypothesis: Hypothesis) -> Mitigation | None:
    mechanism = mechanisms().get(hypothesis.mechanism)
    change = next((c for c in observations.changes if c.id == hypothesis.cause.change), None)
    if mechanism is None:
        operation = Operation(kind=OperationKind.ESCALATE, target=hypothesis.cause.service)
    elif change is not None:
        operation = _undo(mechanism, change, observations)
    else:
        operation = Operation(kind=mechanism.mitigation, target=hypothesis.cause.service)
    return _render(diagnosis, hypothesis, mechanism, operation, observations)


def _undo(mechanism: Mechanism, change: ChangeEvent, observations: Observations) -> Operation:
    target = change.service or "unknown"
    kind = mechanism.mitigation
    if kind in {OperationKind.ROLLBACK, OperationKind.REVERT_CONFIG}:
        only_config = bool(change.files) and all(CONFIG_FILE.search(f) for f in change.files)
        kind = OperationKind.REVERT_CONFIG if only_config else OperationKind.ROLLBACK
    if kind is OperationKind.FLAG_OFF:
        arguments = {"flag": change.title, "from": change.after or "on", "to": change.before or "off"}
        return Operation(kind=kind, target=target, arguments=arguments)
    arguments = {"from": change.version or (change.commit or change.id)[:12], "to": _previous(change, observations)}
    if change.commit:
        arguments["commit"] = change.commit
    return Operation(kind=kind, target=target, arguments=arguments)


def _previous(change: ChangeEvent, observations: Observations) -> str:
    earlier = [
        c
        for c in observations.changes
        if c.service == change.service
        and c.in_effect
        and c.version
        and c.version != change.version
        and c.at < change.at
    ]
    return (
        max(earlier, key=lambda c: c.at).version or ""
        if earlier
        else f"the version before {change.version or change.id}"
    )


def _render(
    diagnosis: Diagnosis,
    hypothesis: Hypothesis,
    mechanism: Mechanism | None,
    operation: Operation,
    observations: Observations,
) -> Mitigation:
    manner = MANNERS[operation.kind]
    words = {
        "target": operation.target,
        "from": operation.arguments.get("from", "it"),
        "to": operation.arguments.get("to", "before"),
        "flag": operation.arguments.get("flag", ""),
        "what": mechanism.title if mechanism else "unknown",
    }
    alert = observations.alert
    signal = alert.metric or diagnosis.symptom.signal.value
    limit = f" below {alert.threshold:g}" if alert.threshold is not None else " back in its band"
    return Mitigation(
        id="M" + digest_of([operation.digest, hypothesis.cause.model_dump(mode="json")])[:8],
        operation=operation,
        title=manner.title.format(**words),
        reason=Claim(
            text=hypothesis.title,
            evidence=hypothesis.evidence_for[0].evidence if hypothesis.evidence_for else diagnosis.answer.evidence,
        ),
        risk=manner.risk,
        reversible=manner.reversible,
        undo=manner.undo.format(**words),
        expected_effect=manner.effect,
        check=f"{alert.service} {signal}{limit} for two samples",
        touches=tuple(sorted({operation.target, *diagnosis.blast_radius.services})),
        manual=operation.kind in MANUAL,
    )
