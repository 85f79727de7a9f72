"""Runs an investigation in front of a person: its timeline as it grows, the answer, and the question that waits."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import JsonValue
from rich.text import Text

from agent.approval import Approval, ApprovalPolicy, ApprovalStatus
from agent.errors import CallerError
from agent.incident import ApprovalDecision, Verdict
from agent.parse_alert import parse_alert
from agent.runner import Runner
from tools.backend import Backend
from tools.recorded import read_recording, recorded_backend
from web.backends import backend_of
from web.investigated import read_report
from web.report import Report
from web.terminal.answer import fitted
from web.terminal.approvals import outcome_line
from web.terminal.asking import ask, decision
from web.terminal.desk import Desk, utc_now
from web.terminal.exits import ExitCode
from web.terminal.mitigations import standing
from web.terminal.printable import styled
from web.terminal.progress import watching
from web.terminal.screen import Screen
from web.terminal.stopping import stoppable
from web.terminal.times import Day

ANEW = "investigated_anew_at"
"""Label that makes the alert of a recording another incident's."""


def investigate(
    desk: Desk, path: Path, *, may_ask: bool = True, approve_as: str | None = None, anew: bool = False
) -> ExitCode:
    """Investigate a recording, given as its folder or its alert.json, or an alert alone with the configured backends.

    An alert is alone when no telemetry lies beside it. The same alert is the same incident, so a second call shows what
    is known or goes on; with `anew` it is another incident, told apart by a label of the alert. Raises RecordingError,
    CallerError and OperatorError.
    """
    alone = path.is_file() and not any(beside.exists() for beside in _telemetry(path.parent))
    recording = None if alone else read_recording(path.parent if path.is_file() else path)
    alert = parse_alert(_alert_in(path) if recording is None else recording.alert)
    if anew:
        alert = alert.model_copy(update={"labels": alert.labels | {ANEW: utc_now().isoformat()}})
    runner = Runner(desk.store, desk.settings)
    if recording is None:
        incident = runner.open(alert)
        backend = backend_of(desk.store, incident.id, desk.settings)
    else:
        incident = runner.open(alert, str((path.parent if path.is_file() else path).resolve()))
        backend = recorded_backend(recording)
    return work_on(desk, incident.id, backend, may_ask=may_ask, approve_as=approve_as)


def _telemetry(folder: Path) -> list[Path]:
    names = ("metrics.csv", "logs.ndjson", "traces.ndjson", "changes.json", "recording.json")
    return [folder / f"{name}{packed}" for name in names for packed in ("", ".gz")]


def _alert_in(path: Path) -> dict[str, JsonValue]:
    """The alert of a file: one alert, or the first that fires of what Alertmanager sends to a webhook."""
    try:
        sent = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CallerError(f"{path}: cannot be read as JSON: {error}") from error
    if isinstance(sent, dict) and isinstance(sent.get("alerts"), list):
        firing = [each for each in sent["alerts"] if isinstance(each, dict) and each.get("status") != "resolved"]
        sent = next(iter(firing), None)
    if not isinstance(sent, dict) or not sent:
        raise CallerError(f"{path}: holds no alert; an object that describes one is due")
    return sent


def resume(desk: Desk, incident_id: str, *, may_ask: bool = True) -> ExitCode:
    """Go on where an investigation stood: after a crash, an interruption or a person's decision."""
    return work_on(desk, incident_id, backend_of(desk.store, incident_id, desk.settings), may_ask=may_ask)


def work_on(
    desk: Desk, incident_id: str, backend: Backend, *, may_ask: bool, approve_as: str | None = None
) -> ExitCode:
    """Run until there is an answer; then, where a person can be asked, ask, and run on with what was decided."""
    screen = desk.screen
    try:
        report = _run(desk, incident_id, backend)
        if not screen.json:
            screen.tell(Text())
            screen.show(fitted(report, screen.out))
        if may_ask and _decide(desk, report, approve_as):
            report = _run(desk, incident_id, backend)
            if not screen.json:
                screen.tell(Text())
                _show_outcome(screen, report)
    except KeyboardInterrupt:
        screen.warn(f"Interrupted; nothing is lost. To go on: whydown resume {incident_id}")
        return ExitCode.INTERRUPTED
    if screen.json:
        screen.emit(report)
    return ExitCode.NO if report.verdict is Verdict.NOT_ENOUGH_EVIDENCE else ExitCode.DONE


def _run(desk: Desk, incident_id: str, backend: Backend) -> Report:
    """Run as far as it comes; raises KeyboardInterrupt when the person stopped it."""
    last = len(desk.store.timeline(incident_id))
    with stoppable(desk.screen) as stop, watching(desk.screen, f"investigating {incident_id}") as on_entry:
        outcome = Runner(desk.store, desk.settings).run(incident_id, backend, on_entry=on_entry, stop=stop)
    if outcome.status == "stopped":
        raise KeyboardInterrupt
    if outcome.diagnosis is not None and len(desk.store.timeline(incident_id)) == last:
        desk.screen.note(f"{incident_id} was investigated before; this is what is known.")
    return read_report(desk.store, incident_id, outcome.timings)


def _decide(desk: Desk, report: Report, approve_as: str | None) -> bool:
    """Ask about what waits, the best mitigation first, until one is approved. True when anything was decided."""
    decided = False
    for approval in (a for a in report.approvals if a.status is ApprovalStatus.PENDING):
        word = _word_on(desk, report, approval, approve_as)
        if word is None:
            continue
        desk.screen.note(outcome_line(desk.store.decide(approval.request.id, word)))
        decided = True
        if word.verdict == "approve":  # one operation at a time: see whether it helps before the next
            break
    return decided


def _word_on(desk: Desk, report: Report, approval: Approval, approve_as: str | None) -> ApprovalDecision | None:
    if approve_as is not None:
        return decision(approval, "approve", approve_as, "--yes", utc_now())
    if not desk.screen.interactive:
        return None
    rule = ApprovalPolicy().required(approval.request.mitigation, report.severity)
    return ask(desk.screen, approval, rule, desk.settings.operator, utc_now)


def _show_outcome(screen: Screen, report: Report) -> None:
    asked = {approval.request.mitigation.id: approval for approval in report.approvals}
    day = Day.of(report.alert.fired_at)
    for mitigation in report.mitigations:
        if mitigation.id in asked:
            for line in standing(mitigation, asked[mitigation.id], report, day):
                screen.show(line)
    screen.show(styled(f"{report.incident} is {report.status.replace('_', ' ')}. whydown postmortem {report.incident}"))
