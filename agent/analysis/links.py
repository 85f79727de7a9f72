"""What a diff and the failing signals have in common by name: identifiers, literals, routes, tables, numbers.

A link supports a mechanism that already fits; surface similarity alone convicts nobody, so links are capped.
"""

from __future__ import annotations

import re

from agent.analysis.edits import Edit, EditKind
from agent.analysis.scene import Scene
from agent.incident import Claim
from tools.evidence import ChangeEvent, ChangeKind

PER_LITERAL = 0.9
PER_IDENTIFIER = 0.6
PER_NUMBER = 0.7
PER_FUNCTION = 1.2
"""Nats per shared name: a function in a failing stack says more than an identifier, a literal more than a number."""
CAP = 2.4
"""All links of one change together; below what a refuted operating point takes away."""
COMMON_IN = 3
"""A name that so many diffs share distinguishes none of them."""
MIN_LENGTH = 4
ACTIVE = frozenset(EditKind) - {EditKind.LOG, EditKind.METRIC, EditKind.TEXT, EditKind.STYLE}
"""Edits whose own lines can link; a log statement that repeats an error's words did not cause it."""


def links(scene: Scene, change: ChangeEvent, edits: tuple[Edit, ...]) -> Claim | None:
    """The names that the diff shares with what fails, as one claim; None without any."""
    shared: dict[str, tuple[float, str]] = {}
    for word, weight in _words(scene, change, edits).items():
        for evidence, text in scene.failing_text.items():
            if _occurs(word, text) and not _occurs(word, scene.usual_text):
                shared[word] = (weight, evidence)
                break
    if not shared:
        return None
    names = ", ".join(f"“{w}”" for w in sorted(shared, key=lambda w: (-shared[w][0], w))[:3])
    return Claim(
        text=f"{_what(change)} and the failing signals share {names}",
        evidence=(scene.change_evidence(change), *sorted({e for _, e in shared.values()})[:2]),
        weight=min(CAP, sum(weight for weight, _ in shared.values())),
    )


def _what(change: ChangeEvent) -> str:
    return "the flag" if change.kind is ChangeKind.FLAG else "the diff"


def words_in(name: str) -> list[str]:
    """The words of a name in any case: `related-products`, `relatedProducts` -> related, products."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", parted) if word]


def _words(scene: Scene, change: ChangeEvent, edits: tuple[Edit, ...]) -> dict[str, float]:
    """Candidate names of a diff with their weight; names that several diffs share are left out."""
    reading = scene.readings[change.id]
    words: dict[str, float] = {}
    lines = "\n".join(e.line for e in edits if e.kind in ACTIVE).lower()
    for identifier in reading.identifiers:
        if identifier.lower() in lines and len(identifier) > MIN_LENGTH:
            words[identifier.lower()] = PER_IDENTIFIER
    for literal in reading.literals:
        text = literal.strip().lower()
        if MIN_LENGTH <= len(text) <= 80 and re.search(r"[a-z]", text):
            words[text] = PER_LITERAL
    for function in reading.functions:
        name = re.split(r"[.:#]", function)[-1].strip("()* ").lower()
        if len(name) > MIN_LENGTH:
            words[name] = PER_FUNCTION
    for number in reading.numbers:
        if number >= 100:
            words[f"{number:g}"] = PER_NUMBER
    if change.kind is ChangeKind.FLAG:
        said = " ".join(words_in(change.title))
        if " " in said:  # a name of one word stands in every other text
            words[said] = PER_FUNCTION
    return {w: weight for w, weight in words.items() if not _common(scene, change, w)}


def _common(scene: Scene, change: ChangeEvent, word: str) -> bool:
    others = 0
    for other_id, other in scene.readings.items():
        if other_id != change.id:
            names = {x.lower() for x in (*other.identifiers, *other.literals)}
            others += word in names
    services = {s.lower() for s in scene.services}
    return others >= COMMON_IN or word in services


def _occurs(word: str, text: str) -> bool:
    return re.search(rf"(?<![a-z0-9_]){re.escape(word)}(?![a-z0-9_])", text) is not None
