"""`whydown record`: keeps what the live backends say of an incident as a recording, and says what came of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
from pydantic import JsonValue
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from agent.backends import live_backend, read_backends
from agent.errors import CallerError
from agent.parse_alert import parse_alert
from agent.recording import Order, Taken, order_of, take
from agent.time_limit import Stopped
from tools.evidence import Evidence, Frozen, Source, TimeWindow, as_utc
from tools.recorded import Recording
from tools.recording_writer import Written, check_target, write_recording
from tools.words import counted
from web.terminal.claims import LABEL, QUIET
from web.terminal.desk import Desk, utc_now
from web.terminal.exits import ExitCode
from web.terminal.printable import styled
from web.terminal.progress import counting
from web.terminal.stopping import stoppable
from web.terminal.times import stamp

CHANGED_TOLD = 5
"""Answers that are no longer the same, of which the first are named."""
_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Asked:
    """What a person typed: an incident, or a stretch of time and the alert that is to be looked into."""

    incident: str | None = None
    since: str | None = None
    until: str | None = None
    service: str | None = None
    metric: str | None = None
    fired_at: str | None = None


class PartKept(Frozen):
    """One kind of data in the recording."""

    source: Source
    text: str
    gaps: tuple[str, ...] = ()
    masked: int = 0
    """Texts in it in which a secret was masked."""


class Kept(Frozen):
    """What came of recording."""

    folder: str
    window: TimeWindow
    bytes: int
    files: dict[str, int]
    parts: tuple[PartKept, ...]
    same: int
    """Pieces of the investigation's evidence that the recording gives unchanged."""
    changed: tuple[Evidence, ...]


def record(desk: Desk, asked: Asked, out: Path | None, *, force: bool = False) -> ExitCode:
    """Ask the live backends and write the folder; raises CallerError, OperatorError, RecordingError and OSError."""
    order = _order(desk, asked)
    folder = Path(_NOT_IN_A_NAME.sub("-", order.name)) if out is None else out
    check_target(folder, force=force)
    config = read_backends(desk.settings)
    if not config.live:
        raise CallerError("no backend is configured, so there is nothing to record from: whydown doctor")
    backend = live_backend(config, desk.store)
    try:
        with stoppable(desk.screen) as stop:
            with counting(desk.screen, f"recording {order.name}") as progress:
                taken = take(order, backend, desk.settings, stop, progress)
            with desk.screen.busy(f"writing {folder}"):
                written = write_recording(taken.recording, folder, force=force)
    except Stopped:
        desk.screen.warn(f"Interrupted; nothing was written to {folder}.")
        return ExitCode.INTERRUPTED
    kept = _kept(folder, taken, written)
    if desk.screen.json:
        desk.screen.emit(kept)
    else:
        desk.screen.show(kept_view(kept, taken.recording))
    return ExitCode.DONE if _telemetry(taken.recording) else ExitCode.NO


def _order(desk: Desk, asked: Asked) -> Order:
    stretch = [asked.since, asked.until, asked.service, asked.metric, asked.fired_at]
    if asked.incident is not None:
        if any(each is not None for each in stretch):
            raise CallerError(f"{asked.incident}: an incident brings its own window and alert; leave the options out")
        return order_of(desk.store, asked.incident, desk.settings, utc_now())
    if asked.since is None or asked.until is None:
        raise CallerError("name an incident (whydown incidents lists them), or --since and --until")
    if asked.service is None or asked.fired_at is None:
        raise CallerError(
            "a recording can only be investigated with an alert: add --service and --fired-at, and --metric if you know it"
        )
    since, until = _moment("--since", asked.since), _moment("--until", asked.until)
    if until <= since:
        raise CallerError(f"--until {asked.until}: must be after --since {asked.since}")
    fired_at = _moment("--fired-at", asked.fired_at)
    if not since < fired_at <= until:
        raise CallerError(f"--fired-at {asked.fired_at}: must lie after --since and not after --until")
    sent: dict[str, JsonValue] = {"service": asked.service, "metric": asked.metric, "fired_at": fired_at.isoformat()}
    name = f"{asked.service}-{fired_at:%Y%m%dT%H%M%SZ}"
    return Order(name, parse_alert(sent), TimeWindow(since=since, until=until))


def _moment(option: str, text: str) -> datetime:
    try:
        return as_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise CallerError(f"{option} {text}: a time with a zone is needed, like 2026-01-31T12:00:00Z") from error


def _kept(folder: Path, taken: Taken, written: Written) -> Kept:
    recording = taken.recording
    return Kept(
        folder=str(folder),
        window=recording.window,
        bytes=written.size,
        files=written.files,
        parts=tuple(
            PartKept(
                source=source,
                text="not recorded" if source in recording.missing else text,
                gaps=tuple(note for of, note in recording.notes if of is source),
                masked=written.masked.get(source, 0),
            )
            for source, text in _texts(recording).items()
        ),
        same=taken.same,
        changed=taken.changed,
    )


def _texts(recording: Recording) -> dict[Source, str]:
    with_diff = sum(1 for change in recording.changes if change.diff)
    return {
        Source.METRICS: _rows(recording.metrics, "sample"),
        Source.LOGS: _rows(recording.logs, "line"),
        Source.TRACES: _rows(recording.spans, "span"),
        Source.CHANGES: f"{counted(len(recording.changes), 'change')}, {with_diff} with a diff",
        Source.STATUS: counted(len(recording.status_events), "entry", "entries"),
        Source.TOPOLOGY: counted(len(recording.edges), "dependency", "dependencies"),
        Source.RUNBOOKS: counted(len(recording.runbooks), "page"),
    }


def _rows(frame: pd.DataFrame | None, what: str) -> str:
    if frame is None or frame.empty:
        return f"no {what}"
    services = int(frame["service"].nunique())
    return f"{len(frame):,} {what}{'' if len(frame) == 1 else 's'} of {counted(services, 'service')}"


def _telemetry(recording: Recording) -> bool:
    return any(frame is not None and len(frame) for frame in (recording.metrics, recording.logs, recording.spans))


def kept_view(kept: Kept, recording: Recording) -> RenderableType:
    """What was kept of each kind, what is missing, what was masked, and what to do next."""
    size = f"{kept.bytes / 1e6:.1f} MB in {counted(len(kept.files), 'file')}"
    over = f"{stamp(kept.window.since)} until {stamp(kept.window.until)}"
    lines: list[RenderableType] = [styled(f"Recorded to {kept.folder}: {size}"), styled(over, QUIET), Text()]
    for part in kept.parts:
        masked = f", {counted(part.masked, 'secret')} masked" if part.masked else ""
        lines.append(Text(f"{part.source.value:<9}", LABEL).append_text(styled(f"{part.text}{masked}")))
        lines += [Padding(Text("! ", "yellow").append_text(styled(gap)), (0, 0, 0, 9)) for gap in part.gaps]
    lines += _evidence(kept)
    if not _telemetry(recording):
        lines.append(styled("\nNothing can be found out from it: no metrics, log lines or spans came. whydown doctor"))
    return Group(*lines, *_next(kept, recording))


def _evidence(kept: Kept) -> list[RenderableType]:
    total = kept.same + len(kept.changed)
    if not total:
        return []
    text = f"{kept.same} of {counted(total, 'stored answer')} of the investigation are in it unchanged"
    lines: list[RenderableType] = [Text("evidence ", LABEL).append_text(styled(text))]
    for each in kept.changed[:CHANGED_TOLD]:
        lines.append(
            Padding(Text("! ", "yellow").append_text(styled(f"{each.id} {each.query}: not like then")), (0, 0, 0, 9))
        )
    if len(kept.changed) > CHANGED_TOLD:
        lines.append(Padding(styled(f"and {len(kept.changed) - CHANGED_TOLD} more"), (0, 0, 0, 11)))
    return lines


def _next(kept: Kept, recording: Recording) -> list[RenderableType]:
    folder = Path(kept.folder)
    example = f'{{"{folder.name}": {{"cause": "{_cause(recording)}"}}}}'
    return [
        Text(),
        styled(
            "Look at it before you share it: masks are made by pattern, and names of services and people stay.", QUIET
        ),
        styled(f"Investigate it:       whydown investigate {folder} --again"),
        styled(f"Make it an eval case: write {folder.parent / 'answers.json'}, such as {example}"),
        styled(f"                      whydown eval recordings --data {folder.parent}"),
        styled('cause is the guilty change, "none" or null; the other labels are told in docs/recordings.md', QUIET),
    ]


def _cause(recording: Recording) -> str:
    """A change of it, so that the example can be copied; which one is guilty is the person's word."""
    return recording.changes[-1].id if recording.changes else "none"
