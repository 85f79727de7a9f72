"""What `whydown doctor` prints: each backend, what it sees, and the next step."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from agent.backends import parts_of, read_backends
from agent.checkup import Checkup, Missing, PartSeen, check_up
from agent.settings import config_file
from web.terminal.claims import LABEL, QUIET
from web.terminal.desk import Desk, utc_now
from web.terminal.printable import shortened, styled
from web.terminal.times import stamp

SERVICES_TOLD = 12


def look(desk: Desk) -> Checkup:
    """Look at all backends and print what they show; raises OperatorError for a setting that is wrong."""
    file = config_file()
    parts = parts_of(read_backends(desk.settings), desk.store)
    checkup = check_up(parts, utc_now(), None if file is None else str(file), desk.settings.tool_timeout_seconds)
    if desk.screen.json:
        desk.screen.emit(checkup)
    else:
        desk.screen.show(checkup_view(checkup, desk.screen.out.width))
    return checkup


FIRST_STEPS = """No backend is configured yet; only recordings can be investigated: whydown demo

To look at a live system, write whydown.toml here (or name another file in WHYDOWN_CONFIG), begin with metrics:
"""


def checkup_view(checkup: Checkup, width: int) -> RenderableType:
    """The parts, then what is missing; on an empty machine what to do first."""
    if not checkup.parts:
        return Group(Text(FIRST_STEPS), *_examples(checkup.missing), Text("\nThen run whydown doctor again."))
    lines: list[RenderableType] = [styled(f"{checkup.file or 'settings'}, looked at {stamp(checkup.at)}", QUIET)]
    lines += [line for part in checkup.parts for line in _part(part, checkup, width)]
    if checkup.missing:
        lines.append(Text("\nnot configured", LABEL))
        lines += [Padding(styled(f"{each.source.value}: {each.means}"), (0, 0, 0, 2)) for each in checkup.missing]
    return Group(*lines)


def _part(part: PartSeen, checkup: Checkup, width: int) -> list[RenderableType]:
    word, style = ("answers", "green") if part.sighting is not None else ("FAILS", "bold red")
    head = Text("\n").append(f"{part.source.value:<9}", LABEL).append(f"{word:<8}", style)
    lines: list[RenderableType] = [head.append_text(styled(f"{part.name} ({part.seconds:.1f} s)"))]
    lines += [_below(styled(line)) for line in _facts(part, checkup, width)]
    lines += [_below(Text("! ", "yellow").append_text(styled(line))) for line in part.warnings]
    return lines


def _facts(part: PartSeen, checkup: Checkup, width: int) -> list[str]:
    seen = part.sighting
    if seen is None:
        return [part.trouble]
    found = ["; ".join(seen.facts)] if seen.facts else []
    if seen.services:
        more = f" and {len(seen.services) - SERVICES_TOLD} more" if len(seen.services) > SERVICES_TOLD else ""
        named = shortened(", ".join(seen.services[:SERVICES_TOLD]), max(20, width - 30))
        found.append(f"services: {named}{more}")
    if seen.newest is not None:
        age = max(0.0, (checkup.at - seen.newest).total_seconds())
        found.append(f"newest entry {age:.0f} s old")
    if part.skew_seconds is not None:
        found.append(f"clock {part.skew_seconds:+.0f} s against ours")
    return found


def _examples(missing: tuple[Missing, ...]) -> list[RenderableType]:
    return [
        Group(
            *(_below(Text(line)) for line in each.example.splitlines()),
            _below(Text(f"# without {each.source.value}: {each.means}\n", QUIET)),
        )
        for each in missing
    ]


def _below(line: Text) -> RenderableType:
    return Padding(line, (0, 0, 0, 2))
