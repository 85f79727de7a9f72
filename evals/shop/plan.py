"""What can be done to the shop, and what a fault is: frozen values, nothing happens here."""

from __future__ import annotations

from dataclasses import dataclass, field

from evals.shop.rules import USUAL
from tools.evidence import ChangeKind


@dataclass(frozen=True)
class Release:
    """A commit of the shop's repository, deployed: `diffs/<diff>.diff`, then the service runs anew with it."""

    id: str
    """Of the change as it is reported, such as `stock-3.2.0`."""
    diff: str
    title: str
    author: str
    kind: ChangeKind = ChangeKind.DEPLOY

    @property
    def service(self) -> str:
        return self.diff.partition("-")[0]


@dataclass(frozen=True)
class Switch:
    """A feature flag is turned on in Unleash."""

    flag: str


@dataclass(frozen=True)
class Stop:
    """A process that the shop needs ends and does not come back."""

    process: str


@dataclass(frozen=True)
class Surge:
    """More visitors, and more of them who buy."""

    times: float
    buyers: float
    """Share of the requests that are orders."""


@dataclass(frozen=True)
class Hog:
    """Programs that only calculate start on the one processor that the service may use."""

    service: str
    programs: int


@dataclass(frozen=True)
class Expiry:
    """Nothing is done: the certificate that payment serves was issued to end at this moment."""


@dataclass(frozen=True)
class NewRule:
    """Somebody adds a rule that pages people, `evals.shop.rules` has it by name. Nothing in the shop changes."""

    rule: str


Action = Release | Switch | Stop | Surge | Hog | Expiry | NewRule


def said(action: Action) -> str:
    """What is done, in a few words."""
    match action:
        case Release(id=id, title=title):
            return f"{id} ({title})"
        case Switch(flag=flag):
            return f"flag {flag} on"
        case Stop(process=process):
            return f"{process} stops"
        case Surge(times=times, buyers=buyers):
            return f"{times:g} times the visitors, {buyers:.0%} of them buy"
        case Hog(service=service, programs=programs):
            return f"{programs} programs calculate beside {service}"
        case Expiry():
            return "the certificate of payment ends"
        case NewRule(rule=rule):
            return f"rule {rule} is added"


@dataclass(frozen=True)
class Step:
    """What happens, how many seconds after the first visitor came."""

    at: float
    action: Action


@dataclass(frozen=True)
class Fault:
    """One way to break the shop, innocent changes around it, and what the right answer is."""

    name: str
    """What people see; also the name of the recording, which must not tell the answer."""
    title: str
    steps: tuple[Step, ...]
    guilty: Action | None
    """Which of the steps did it; None for the control, in which nothing is wrong."""
    service: str
    """Where the cause sits."""
    kinds: tuple[str, ...]
    """Fault kinds that count as right."""
    remediation: tuple[str, ...]
    first_failing_service: str | None = None
    blast_radius: tuple[str, ...] = ("storefront",)
    rules: tuple[str, ...] = USUAL
    """What may page."""
    memory_mb: dict[str, int] = field(default_factory=dict[str, int])
    pinned: str | None = None
    """Service that may use one processor only."""

    @property
    def begins(self) -> float:
        """Seconds after the first visitor at which it breaks; for the control, when the rule is there."""
        if self.guilty is None:
            return next(step.at for step in self.steps if isinstance(step.action, NewRule))
        return next(step.at for step in self.steps if step.action is self.guilty)

    @property
    def changed(self) -> bool:
        """Whether a change did it, that a change feed can hold."""
        return isinstance(self.guilty, Release | Switch | Expiry)
