"""Reads the tables of diffs in `cases/`.

A file holds a sentence on what it is about and then cases:

    === name
    files: paths of the change, separated by spaces
    expect: kind[|kind] [name=regex] [section=regex] [before=text] [after=text] [number_before=1] [number_after=1]
            [unit=s] [lowered] [raised] [gone] [loop]      an edit that must be there
    absent: kind[|kind] [...]                              an edit that must not
    inert: moved | renamed | ... | none
    (then the diff, up to an empty line and the next ===)
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.analysis.edits import Edit, EditKind, Inert

CASES = Path(__file__).parent / "cases"
_HEAD = re.compile(r"(files|expect|absent|inert): ?(.*)")


@dataclass(frozen=True)
class Expected:
    kinds: tuple[EditKind, ...]
    text: str
    fields: dict[str, str]
    flags: frozenset[str]

    @classmethod
    def read(cls, text: str) -> Expected:
        words = shlex.split(text)
        pairs = dict(w.split("=", 1) for w in words[1:] if "=" in w)
        flags = frozenset(w for w in words[1:] if "=" not in w)
        unknown = flags - {"lowered", "raised", "gone", "loop"}
        assert not unknown, f"unknown flags {unknown} in {text!r}"
        return cls(tuple(EditKind(k) for k in words[0].split("|")), text, pairs, flags)

    def fits(self, edit: Edit) -> bool:
        if edit.kind not in self.kinds:
            return False
        for key, wanted in self.fields.items():
            found = getattr(edit, key)
            if key in {"name", "section"}:
                if not re.search(wanted, found):
                    return False
            elif key.startswith("number"):
                if found is None or abs(found - float(wanted)) > 1e-9 * max(1.0, abs(float(wanted))):
                    return False
            elif found != wanted:
                return False
        moves = {
            "lowered": edit.lowered,
            "raised": edit.raised,
            "gone": edit.before is not None and edit.after is None,
            "loop": edit.in_loop,
        }
        return all(moves[flag] for flag in self.flags)


@dataclass(frozen=True)
class Case:
    name: str
    files: tuple[str, ...]
    expected: tuple[Expected, ...]
    absent: tuple[Expected, ...]
    inert: Inert | str | None
    diff: str | None


def read_cases(path: Path) -> Iterator[Case]:
    text = path.read_text(encoding="utf-8")
    for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        heads: dict[str, list[str]] = {"files": [], "expect": [], "absent": [], "inert": []}
        lines = rest.split("\n")
        while lines and (match := _HEAD.match(lines[0])):
            heads[match[1]].append(match[2].strip())
            lines.pop(0)
        diff = "\n".join(lines).rstrip("\n") + "\n"
        wanted = heads["inert"][0] if heads["inert"] else "any"
        inert = "any" if wanted == "any" else (None if wanted == "none" else Inert[wanted.upper()])
        yield Case(
            name=f"{path.stem}: {name.strip()}",
            files=tuple(" ".join(heads["files"]).split()),
            expected=tuple(Expected.read(t) for t in heads["expect"]),
            absent=tuple(Expected.read(t) for t in heads["absent"]),
            inert=inert,
            diff=diff if diff.strip() else None,
        )


def all_cases() -> list[Case]:
    return [case for path in sorted(CASES.glob("*.txt")) for case in read_cases(path)]
