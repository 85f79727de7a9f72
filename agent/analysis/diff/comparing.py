"""Which named values changed between the two sides of a hunk."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from agent.analysis.diff.bindings import Binding
from agent.analysis.diff.quantities import read_quantity, words_of


@dataclass(frozen=True, slots=True)
class Changed:
    """A named value before and after; one of them is None when it appeared or went."""

    before: Binding | None
    after: Binding | None

    @property
    def binding(self) -> Binding:
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def renamed(self) -> bool:
        return self.before is not None and self.after is not None and self.before.name != self.after.name


def compare(before: Sequence[Binding], after: Sequence[Binding]) -> list[Changed]:
    """Pair the values of both sides by name, then what is left by value; equal ones are dropped."""
    old, new = _without_equal(before, after)
    pairs = list(_pairs(old, new, lambda b: f"{b.name} {b.identity}"))
    old, new = _rest(old, new, pairs)
    pairs += (nameless := list(_pairs(old, new, lambda b: b.name)))
    old, new = _rest(old, new, nameless)
    moved = [c for c in _pairs(old, new, lambda b: f"{b.kind} {b.key.lower()}") if _may_move(c)]
    old, new = _rest(old, new, moved)
    renamed = list(_renamed(old, new))
    old, new = _rest(old, new, renamed)
    changes = [c for c in (*pairs, *moved) if c.before and c.after and not _same(c.before, c.after)]
    changes += [*renamed, *(Changed(b, None) for b in old), *(Changed(None, b) for b in new)]
    return sorted(changes, key=lambda c: c.binding.line)


def _rest(
    old: Sequence[Binding], new: Sequence[Binding], pairs: Sequence[Changed]
) -> tuple[list[Binding], list[Binding]]:
    used = {id(c.before) for c in pairs} | {id(c.after) for c in pairs}
    return [b for b in old if id(b) not in used], [b for b in new if id(b) not in used]


def _may_move(change: Changed) -> bool:
    """A value that kept its short name while what it is set in changed; only code restructures that freely."""
    return change.before is not None and change.before.kind not in {"setting", "item"}


def _same(before: Binding, after: Binding) -> bool:
    return same_value(before.value, after.value, after.name)


def _without_equal(before: Iterable[Binding], after: Iterable[Binding]) -> tuple[list[Binding], list[Binding]]:
    spare: dict[tuple[str, str, str], list[Binding]] = defaultdict(list)
    for binding in after:
        spare[binding.name, binding.identity, binding.value].append(binding)
    old: list[Binding] = []
    for binding in before:
        same = spare[binding.name, binding.identity, binding.value]
        if same:
            same.pop(0)
        else:
            old.append(binding)
    return old, sorted((b for rest in spare.values() for b in rest), key=lambda b: b.line)


def _pairs(old: Iterable[Binding], new: Iterable[Binding], key: Callable[[Binding], str]) -> Iterator[Changed]:
    waiting: dict[str, list[Binding]] = defaultdict(list)
    for binding in new:
        waiting[key(binding)].append(binding)
    for binding in old:
        candidates = waiting[key(binding)]
        if candidates and (binding.kind != "item" or _alike(binding.value, candidates)):
            near = candidates[:_COMPARED]
            best = max(near, key=lambda c: _ratio(c.value, binding.value)) if len(near) > 1 else near[0]
            candidates.remove(best)
            yield Changed(binding, best)


ALIKE = 0.6
"""Likeness of text from which two elements of a list are versions of one."""

_COMPARED = 8
"""Values of one name that are compared by likeness; beyond, their order decides."""

_WIDTH = 120
"""Characters of a value that are compared."""

_MAX_RENAMES = 100_000
"""Values that went times values that came up to which renamed ones are sought; beyond, a file was rewritten."""


def _alike(value: str, candidates: Sequence[Binding]) -> bool:
    return max(_ratio(value, c.value) for c in candidates[:_COMPARED]) > ALIKE


def _ratio(a: str, b: str) -> float:
    matcher = SequenceMatcher(None, a[:_WIDTH], b[:_WIDTH], autojunk=False)
    rough = matcher.quick_ratio()
    return matcher.ratio() if rough > ALIKE else rough


def _renamed(old: Sequence[Binding], new: Sequence[Binding]) -> Iterator[Changed]:
    """The same value under another name in the same place: a renamed key."""
    free = list(new)
    for binding in old if len(old) * len(new) <= _MAX_RENAMES else ():
        for other in free:
            fits = binding.kind == other.kind and binding.kind in {"keyed", "setting"} and binding.owner == other.owner
            alike = fits and binding.value == other.value and (len(binding.value) > 1 or _kin(binding.key, other.key))
            if alike or (
                binding.kind == other.kind == "assigned" and _kin(binding.key, other.key) and _says_same(binding, other)
            ):
                free.remove(other)
                yield Changed(binding, other)
                break


def _says_same(a: Binding, b: Binding) -> bool:
    """The same constant, or the same quantity under names that carry different units."""
    if not (a.plain and b.plain):
        return False
    x, y = read_quantity(a.value, a.name), read_quantity(b.value, b.name)
    return a.value == b.value or (x is not None and y is not None and x == y)


def _kin(a: str, b: str) -> bool:
    return bool(set(words_of(a)) & set(words_of(b)))


def same_value(a: str, b: str, name: str) -> bool:
    """Equal as written, or the same quantity in another spelling (`15m`, `900s`)."""
    if _bare(a) == _bare(b):
        return True
    x, y = read_quantity(a, name), read_quantity(b, name)
    return x is not None and y is not None and x.unit == y.unit != "" and abs(x.value - y.value) <= 1e-9 * abs(x.value)


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


_PIECE = re.compile(r"X(?:m[xsn]|ss)(?=\d)|\d+(?:\.\d+)*[A-Za-z%]*|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*|[^\w\s]|\s+")


def differing_figures(before: str, after: str) -> list[tuple[str, str, str]]:
    """(label, before, after) of each figure in which two texts differ; [] when they differ in anything else.

    `-Xmx2g -Dpool=5` against `-Xmx1g -Dpool=5` gives one entry, Xmx; the label is the nearest word before the figure.
    """
    a, b = _PIECE.findall(before[:2000]), _PIECE.findall(after[:2000])
    if len(a) != len(b) or len(a) < 2:
        return []
    found: list[tuple[str, str, str]] = []
    for at, (x, y) in enumerate(zip(a, b, strict=True)):
        if x == y:
            continue
        if not (x[:1].isdigit() and y[:1].isdigit()):
            return []
        label = next((p for p in reversed(a[max(0, at - 6) : at]) if p[:1].isalpha() and len(p) > 1), "")
        found.append((label, x, y))
    return found
