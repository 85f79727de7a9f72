"""The code of a diff as a whole: what is defined, what is called, before and after."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from agent.analysis.diff.callees import Work, is_accessor, work_of
from agent.analysis.diff.calls import Call
from agent.analysis.diff.conditions import Condition, find_conditions
from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.values import Place


@dataclass(frozen=True)
class Called:
    """A call where it stands."""

    call: Call
    side: Side
    hunk: Hunk

    @cached_property
    def in_loop(self) -> bool:
        return self.call.in_loop or self.side.loops(self.call.line)

    @property
    def changed(self) -> bool:
        return self.side.lines[self.call.line].changed

    @cached_property
    def work(self) -> Work:
        work = work_of(self.call)
        if (
            self.side.language.name == "rust"
            and self.call.last in {"read", "write"}
            and self.call.close == self.call.open + 1
        ):
            return Work.LOCK  # without arguments it is a reader-writer lock, not a stream
        property_of_type = self.call.reference and self.call.segments[0][:1].isupper()
        if work is Work.PLAIN and (property_of_type or is_accessor(self.call, self.side.tokens)):
            return Work.TRIVIAL
        return work

    @cached_property
    def scope(self) -> str:
        return self.side.scope(self.call.line)

    def place(self, *, in_loop: bool | None = None) -> Place:
        line = self.side.lines[self.call.line].text
        return Place(self.hunk.path, self.hunk.language, self.scope, line, self.in_loop if in_loop is None else in_loop)


class CodeView:
    """All hunks of product code of one diff."""

    def __init__(self, hunks: Sequence[Hunk]) -> None:
        self.hunks = tuple(hunks)
        self._conditions: dict[int, tuple[Condition, ...]] = {}

    @cached_property
    def called_before(self) -> tuple[Called, ...]:
        """Every call of the old version."""
        return tuple(Called(c, h.before, h) for h in self.hunks for c in h.before.calls)

    @cached_property
    def called_after(self) -> tuple[Called, ...]:
        return tuple(Called(c, h.after, h) for h in self.hunks for c in h.after.calls)

    @cached_property
    def lasts_before(self) -> Counter[str]:
        """How often each callee is called, by its last name."""
        return Counter(c.call.last for c in self.called_before)

    @cached_property
    def lasts_after(self) -> Counter[str]:
        return Counter(c.call.last for c in self.called_after)

    @cached_property
    def keys_after(self) -> frozenset[str]:
        return frozenset(c.call.key for c in self.called_after)

    @cached_property
    def looped_before(self) -> frozenset[str]:
        """Keys of what was called once per element before."""
        return frozenset(c.call.key for c in self.called_before if c.in_loop)

    def conditions(self, side: Side) -> tuple[Condition, ...]:
        """The conditions of a side, found once."""
        known = self._conditions.get(id(side))
        if known is None:
            known = self._conditions[id(side)] = find_conditions(side)
        return known

    @cached_property
    def defined_before(self) -> frozenset[str]:
        return frozenset(d.name for h in self.hunks for d in h.before.definitions.values())

    @cached_property
    def defined_after(self) -> frozenset[str]:
        return frozenset(d.name for h in self.hunks for d in h.after.definitions.values())

    @cached_property
    def helpers(self) -> frozenset[str]:
        """Functions and types that the diff introduces."""
        return self.defined_after - self.defined_before

    @cached_property
    def dissolved(self) -> frozenset[str]:
        """Functions and types that the diff takes away."""
        return self.defined_before - self.defined_after

    @cached_property
    def looped_helpers(self) -> frozenset[str]:
        """Functions of the diff that its new code calls once per element; their bodies run in that loop."""
        return frozenset(c.call.last for c in self.called_after if c.call.last in self.defined_after and c.in_loop)

    @cached_property
    def text_after(self) -> str:
        return "\n".join(line.text for h in self.hunks for line in h.after.lines)

    @cached_property
    def words_after(self) -> frozenset[str]:
        return frozenset(re.findall(r"\w+", self.text_after))
