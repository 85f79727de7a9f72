"""The right answer of a run: which of the changes that were seen did it, and which only look like it."""

from __future__ import annotations

from collections.abc import Sequence

from evals.cases import NO_CHANGE, Truth
from evals.shop.plan import Action, Expiry, Fault, Release, Switch
from tools.evidence import ChangeEvent, ChangeKind


def truth_of(fault: Fault, changes: Sequence[ChangeEvent]) -> Truth:
    """The answer in the words of the suite `recordings`.

    A flag and a certificate get their ids from the server, so they are looked up. Where nothing is wrong the right
    answer is to name no cause.
    """
    if fault.guilty is None:
        return Truth(cause=None, decoys=tuple(change.id for change in changes), group="control")
    guilty = next((change.id for change in changes if _is(fault.guilty, change)), NO_CHANGE)
    return Truth(
        cause=guilty,
        service=fault.service,
        kinds=fault.kinds,
        decoys=tuple(change.id for change in changes if change.id != guilty),
        first_failing_service=fault.first_failing_service,
        blast_radius=fault.blast_radius,
        remediation=fault.remediation,
        group=type(fault.guilty).__name__.lower(),
    )


def _is(action: Action, change: ChangeEvent) -> bool:
    match action:
        case Release():
            return change.id == action.id
        case Switch():
            return change.kind is ChangeKind.FLAG and change.title == action.flag and change.after == "on"
        case Expiry():
            return change.kind is ChangeKind.CERTIFICATE and change.after == "expired"
        case _:
            return False
