"""The catalogue of traits and mechanisms, read once from the data files beside this module.

`traits.toml` says how each piece of a fault signature is recognised, `mechanisms.toml` how changes and operations break
systems. Both are data: to teach whydown a mechanism, add an entry there.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from agent.analysis.edits import EditKind
from agent.incident import ChangeKind, FaultKind, GoldenSignal
from tools.evidence import Frozen, OperationKind

Where = Literal["self", "caller", "callee", "peers"]


def _pattern(value: str | re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(value)


def _at_a_word(value: str | re.Pattern[str]) -> re.Pattern[str]:
    """The pattern where a word of a metric's name begins: `shed` is in `load_shed` and not in `published`."""
    return value if isinstance(value, re.Pattern) else re.compile(rf"(?:^|_)(?:{value})")


Pattern = Annotated[re.Pattern[str], BeforeValidator(_pattern)]
WordPattern = Annotated[re.Pattern[str], BeforeValidator(_at_a_word)]


class MetricRule(Frozen):
    """A metric whose name fits, or that is of the golden signal, and that moved that way."""

    move: Literal["up", "down", "any"]
    name: WordPattern | None = None
    golden: GoldenSignal | None = None

    def fits(self, name: str, golden: GoldenSignal | None, direction: str) -> bool:
        named = self.name is not None and self.name.search(name) is not None
        return self.move in (direction, "any") and (named or (golden is not None and golden is self.golden))


class Trait(Frozen):
    """One recognisable piece of a fault signature."""

    id: str
    says: str
    weight: float = Field(gt=0)
    """How much seeing it speaks for a mechanism that produces it, in nats."""
    metric: tuple[MetricRule, ...] = ()
    text: tuple[Pattern, ...] = ()
    aspect: tuple[str, ...] = ()


class EditRule(Frozen):
    """A fact of a diff that shows a mechanism; every pattern that is given must fit."""

    kind: tuple[EditKind, ...]
    name: WordPattern | None = None
    path: Pattern | None = None
    line: Pattern | None = None
    source: Pattern | None = Field(default=None, alias="from")
    target: Pattern | None = Field(default=None, alias="to")
    section: str | None = None
    move: Literal["lowered", "raised", "changed", "gone"] | None = None
    loop: bool = False
    strength: float = Field(default=1.0, gt=0, le=1)


class Mechanism(Frozen):
    """How something breaks, what that looks like, how it is checked and what stops it."""

    id: str
    title: str
    fault: FaultKind
    edits: tuple[EditRule, ...] = ()
    produces: dict[str, float]
    refutes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    where: tuple[Where, ...] = ()
    delay: Literal["instant", "load", "slow", "restart"] = "instant"
    bites: Literal["deadline", "ceiling"] | None = None
    under_load: bool = False
    """It takes capacity away, which hurts when demand grows."""
    scope: Literal["entry", "trend"] | None = None
    condition: bool = False
    """Nobody changed anything."""
    shown_by: tuple[ChangeKind, ...] = ()
    """Kinds of changes that show it by what they are, as the turning of a flag or the expiry of a certificate."""
    located: bool = False
    """Shown by where a fault was located (`agent.analysis.faults`), whoever or whatever caused it."""
    generic: bool = False
    """Fits almost any code change; it never convicts alone."""
    mitigation: OperationKind
    verify: str
    prevent: str


@cache
def traits() -> dict[str, Trait]:
    """All traits by id, in the order of the file."""
    return {t.id: t for t in (Trait.model_validate(row) for row in _read("traits.toml")["trait"])}


@cache
def mechanisms() -> dict[str, Mechanism]:
    """All mechanisms by id, in the order of the file."""
    return {m.id: m for m in (Mechanism.model_validate(row) for row in _read("mechanisms.toml")["mechanism"])}


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("agent.analysis").joinpath(name).read_text(encoding="utf-8"))
