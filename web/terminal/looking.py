"""Looking back: the timeline and its chain, one piece of evidence and whether the data still says it, all incidents."""

from __future__ import annotations

from pydantic import TypeAdapter
from rich.console import Group
from rich.text import Text

from agent import documents
from agent.errors import CallerError
from agent.incident import Incident, Postmortem, TimelineEntry
from web.backends import backend_of
from web.investigated import Answered, read_report
from web.terminal.answer import answer
from web.terminal.desk import Desk
from web.terminal.evidence import evidence_view
from web.terminal.exits import ExitCode
from web.terminal.incidents import incidents_table
from web.terminal.timeline import chain_verdict, timeline

NEWEST = 50
"""Incidents in the list: more than anybody scans, and a list of thousands would hide the newest."""


def list_incidents(desk: Desk) -> ExitCode:
    """Show the newest incidents."""
    found = desk.store.incidents(limit=NEWEST)
    if desk.screen.json:
        desk.screen.emit_json(TypeAdapter(list[Incident]).dump_json(found, indent=2))
    else:
        desk.screen.show(incidents_table(found, desk.screen.out.width))
    return ExitCode.DONE


def show_incident(desk: Desk, incident_id: str) -> ExitCode:
    """Show the whole answer of an incident again; nothing is asked of a backend."""
    report = read_report(desk.store, incident_id)
    if desk.screen.json:
        desk.screen.emit(report)
    else:
        desk.screen.show(answer(report))
    return ExitCode.DONE


def show_postmortem(desk: Desk, incident_id: str) -> ExitCode:
    """Write the draft as it is: Markdown, to be pasted or piped."""
    desk.store.incident(incident_id)
    text = desk.store.document(incident_id, documents.POSTMORTEM)
    if text is None:
        raise CallerError(f"incident {incident_id!r} has no postmortem yet; it is drafted when the investigation ends")
    drafted = Postmortem.model_validate_json(text)
    if desk.screen.json:
        desk.screen.emit(drafted)
    else:
        desk.screen.write(drafted.markdown)
    return ExitCode.DONE


def show_timeline(desk: Desk, incident_id: str, *, verify: bool) -> ExitCode:
    """Show what happened; with `verify`, whether it is what was written."""
    entries = desk.store.timeline(incident_id)
    if desk.screen.json:
        desk.screen.emit_json(TypeAdapter(list[TimelineEntry]).dump_json(entries, indent=2))
    else:
        desk.screen.show(Group(*timeline(entries)))
    if not verify:
        return ExitCode.DONE
    broken = desk.store.verify_timeline(incident_id)
    desk.screen.warn(chain_verdict(broken, len(entries)))
    return ExitCode.DONE if broken is None else ExitCode.NO


def show_evidence(desk: Desk, incident_id: str, evidence_id: str, *, again: bool) -> ExitCode:
    """Show a stored answer; with `again`, ask the same question of the recording and compare."""
    evidence, result = desk.store.evidence(incident_id, evidence_id)
    if desk.screen.json:
        desk.screen.emit(Answered(evidence=evidence, result=result))
    else:
        reruns = desk.store.reruns(incident_id, evidence_id)
        desk.screen.show(Group(*evidence_view(evidence, result, reruns), Text()))
    if not again:
        return ExitCode.DONE
    from tools.catalogue import run  # pandas and the readers, which stored evidence does not need

    now = run(backend_of(desk.store, incident_id, desk.settings), evidence.query, evidence.window)
    desk.store.put_evidence(incident_id, now.evidence, now.result)
    if now.evidence.digest == evidence.digest:
        desk.screen.warn(f"Asked again: the same digest {evidence.digest[:12]}; the data still says it.")
        return ExitCode.DONE
    desk.screen.warn(f"Asked again: digest {now.evidence.digest[:12]} instead of {evidence.digest[:12]}.")
    desk.screen.warn(f"It now says: {now.evidence.summary}")
    return ExitCode.NO
