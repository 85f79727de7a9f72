"""The command. Every heavy import is inside the command that needs it, so that `whydown --help` answers at once."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from web.terminal.exits import ExitCode, exit_codes

if TYPE_CHECKING:
    from web.terminal.desk import Desk
    from web.terminal.screen import Screen

DEMO = "story-reads-time-out"
"""The bundled recording that `whydown demo` investigates."""

HELP = f"""Finds why production is down: ranked causes with evidence that can be asked for again, and mitigations that
wait for a person.

Exit codes:

\b
{exit_codes()}
"""
STARTING = "starting"
"""Shown while the graph and the numerics are imported, which takes seconds on a busy machine."""
NO_COLOR = "Print without colour; NO_COLOR=1 does the same."

app = typer.Typer(
    name="whydown",
    help=HELP,
    rich_markup_mode=None,  # Rich help costs another 0.1 s of imports, and frames around text that is read once
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 100},
)
approvals = typer.Typer(rich_markup_mode=None, help="What waits for a person; approve or reject it.")
app.add_typer(approvals, name="approvals")

Json = Annotated[bool, typer.Option("--json", help="Write one JSON value to standard output.")]
NoColor = Annotated[bool, typer.Option("--no-color", help=NO_COLOR)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show the answer only, not how it comes about.")]
IncidentId = Annotated[str, typer.Argument(metavar="INCIDENT", help="Incident id, as `whydown incidents` lists it.")]
ApprovalId = Annotated[str, typer.Argument(metavar="APPROVAL", help="Approval id, as `whydown approvals` lists it.")]
All = Annotated[bool, typer.Option("--all", help="Also what was decided or has expired.")]
By = Annotated[str | None, typer.Option("--by", help="Who decides; the operator of this installation by default.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands on the timeline.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the report as JSON to this file.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write a page that needs no other file.")]
Markdown = Annotated[Path | None, typer.Option("--markdown", help="Write the report as Markdown.")]
Gate = Annotated[Path | None, typer.Option("--gate", help="Compare with this scorecard; fail where a rate got worse.")]
WriteScorecard = Annotated[Path | None, typer.Option("--write-scorecard", help="Put the rates into this scorecard.")]


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Print the version, or the help where no command was given."""
    if show_version:
        from web.version import version

        print(f"whydown {version()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def demo(
    yes: Annotated[bool, typer.Option("--yes", help="Approve the first mitigation without asking.")] = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> int:
    """Investigate the bundled recording: no key, no network."""
    recording = Path(__file__).parent / "fixtures" / "recordings" / DEMO
    with desk(quiet=quiet, no_color=no_color) as at:
        with at.screen.busy(STARTING):
            from web.terminal.investigating import investigate
        return investigate(at, recording, approve_as=at.settings.operator if yes else None, anew=True)


@app.command()
def investigate(
    recording: Annotated[
        Path, typer.Argument(metavar="RECORDING|ALERT", help="Folder of a recording, or the JSON file of an alert.")
    ],
    json: Json = False,
    again: Annotated[bool, typer.Option("--again", help="Investigate anew, as another incident.")] = False,
    no_approve: Annotated[bool, typer.Option("--no-approve", help="Do not ask; leave approvals waiting.")] = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> int:
    """Find the cause of an incident and what stops it: of a recording, or of an alert with the configured backends."""
    with desk(json=json, quiet=quiet, no_color=no_color) as at:
        with at.screen.busy(STARTING):
            from web.terminal.investigating import investigate as run
        return run(at, recording, may_ask=not (no_approve or json), anew=again)


@app.command()
def record(
    incident: Annotated[
        str | None, typer.Argument(metavar="[INCIDENT]", help="Incident whose window, alert and questions are taken.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Without an incident: the first moment.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="The moment just after the last.")] = None,
    service: Annotated[str | None, typer.Option("--service", help="The alert: the service it fired for.")] = None,
    metric: Annotated[str | None, typer.Option("--metric", help="The alert: the metric it watches.")] = None,
    fired_at: Annotated[str | None, typer.Option("--fired-at", help="The alert: when it fired.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; here, named after it, by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the recording that is there.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> int:
    """Keep what the live backends say of an incident as a recording: to replay, to share, to measure with."""
    with desk(json=json, quiet=quiet, no_color=no_color) as at:
        with at.screen.busy(STARTING):
            from web.terminal.recording import Asked, record as run
        asked = Asked(incident, since, until, service, metric, fired_at)
        return run(at, asked, out, force=force)


@app.command()
def doctor(json: Json = False, no_color: NoColor = False) -> int:
    """Look at every configured backend: what it can see, and what that means for an investigation."""
    with desk(json=json, no_color=no_color) as at:
        with at.screen.busy("looking at the backends"):
            from web.terminal.doctor import look

            checkup = look(at)
    return ExitCode.DONE if checkup.healthy else ExitCode.INSTALLATION if checkup.parts else ExitCode.NO


@app.command()
def resume(incident: IncidentId, json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> int:
    """Go on where an investigation stood."""
    with desk(json=json, quiet=quiet, no_color=no_color) as at:
        with at.screen.busy(STARTING):
            from web.terminal.investigating import resume as run
        return run(at, incident, may_ask=not json)


@app.command()
def incidents(
    incident: Annotated[str | None, typer.Argument(metavar="[INCIDENT]", help="Show the whole answer of one.")] = None,
    json: Json = False,
    no_color: NoColor = False,
) -> int:
    """List incidents, newest first, or show all about one."""
    from web.terminal.looking import list_incidents, show_incident

    with desk(json=json, no_color=no_color) as at:
        return show_incident(at, incident) if incident else list_incidents(at)


@app.command()
def timeline(
    incident: IncidentId,
    json: Json = False,
    verify: Annotated[bool, typer.Option("--verify", help="Check the hash chain: was anything changed since?")] = False,
    no_color: NoColor = False,
) -> int:
    """Show what was done and found, step by step."""
    from web.terminal.looking import show_timeline

    with desk(json=json, no_color=no_color) as at:
        return show_timeline(at, incident, verify=verify)


@app.command()
def evidence(
    incident: IncidentId,
    evidence_id: Annotated[str, typer.Argument(metavar="ID", help="Evidence id, such as E1a2b3c4d.")],
    again: Annotated[bool, typer.Option("--again", help="Run the query again and compare the digests.")] = False,
    json: Json = False,
    no_color: NoColor = False,
) -> int:
    """Show one piece of evidence: query, digest and result."""
    from web.terminal.looking import show_evidence

    with desk(json=json, no_color=no_color) as at:
        return show_evidence(at, incident, evidence_id, again=again)


@app.command()
def postmortem(incident: IncidentId, json: Json = False) -> int:
    """Write the draft of the postmortem, as Markdown."""
    from web.terminal.looking import show_postmortem

    with desk(json=json) as at:
        return show_postmortem(at, incident)


@approvals.callback(invoke_without_command=True)
def approvals_without_a_word(context: typer.Context, everything: All = False, no_color: NoColor = False) -> int:
    """What waits for a person; approve or reject it. Without a further word: the list."""
    return ExitCode.DONE if context.invoked_subcommand else list_approvals(everything, no_color)


@approvals.command("list")
def list_approvals(everything: All = False, no_color: NoColor = False) -> int:
    """List what waits for a person."""
    from web.terminal.deciding import list_approvals as run

    with desk(no_color=no_color) as at:
        return run(at, everything=everything)


@approvals.command()
def approve(
    approval: ApprovalId,
    digest: Annotated[
        str | None, typer.Option("--digest", help="Digest of the operation as it was shown, 12 characters or more.")
    ] = None,
    by: By = None,
    reason: Reason = "",
    no_color: NoColor = False,
) -> int:
    """Show what would be done; approve it by digest or by yes."""
    from web.terminal.deciding import approve as run

    with desk(no_color=no_color) as at:
        return run(at, approval, digest=digest, by=by, reason=reason)


@approvals.command()
def reject(approval: ApprovalId, by: By = None, reason: Reason = "", no_color: NoColor = False) -> int:
    """Reject a mitigation."""
    from web.terminal.deciding import reject as run

    with desk(no_color=no_color) as at:
        return run(at, approval, by=by, reason=reason)


@app.command("eval")
def evaluate(
    suite: Annotated[str, typer.Argument(metavar="SUITE", help="Suite, such as rootcausebench or recordings.")],
    data: Annotated[Path, typer.Option("--data", help="Folder of the suite's data, in its original layout.")],
    out: Out = None,
    html: Html = None,
    markdown: Markdown = None,
    stories: Annotated[bool, typer.Option("--stories", help="Keep what each answer rests on in --out.")] = False,
    gate: Gate = None,
    write_scorecard: WriteScorecard = None,
    full: Annotated[
        bool, typer.Option("--full", help="Also with the alert late and early, and without each kind of data.")
    ] = False,
    without: Annotated[
        list[str] | None, typer.Option("--without", help="Take away metrics, logs, traces, graph or changes.")
    ] = None,
    shift: Annotated[float, typer.Option("--shift", help="Seconds by which the alert fires later; or earlier.")] = 0,
    quiet_stretches: Annotated[
        bool, typer.Option("--quiet-stretches/--no-quiet-stretches", help="Also stretches without a fault.")
    ] = True,
    analyst: Annotated[str, typer.Option("--analyst", help="Who answers: statistics, n-sigma or baro.")] = "statistics",
    label: Annotated[str | None, typer.Option("--label", help="What to call this set of the suite's data.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Cases that run at once; one per processor, at most four.")
    ] = None,
    no_color: NoColor = False,
) -> int:
    """Measure whydown on incidents whose cause is known."""
    from web.terminal.screen import open_screen

    screen = open_screen(color=not no_color)
    with screen.busy(STARTING):
        from evals.outputs import Outputs
        from evals.perturb import variant_of
        from evals.runner import Plan, run_suite
        from web.terminal.progress import counting

    plan = Plan(variant_of(without or (), shift), full=full, quiet=quiet_stretches, analyst=analyst, label=label)
    outputs = Outputs(out, html, markdown, write_scorecard, gate, stories=stories)
    outputs.check(plan)
    with counting(screen, label or suite) as progress:
        report = run_suite(suite, data, workers, progress, plan=plan)
    outputs.write([report], report)
    screen.show(report.as_terminal())
    return judged(screen, outputs.regressions([report]))


@app.command()
def scorecard(
    reports: Annotated[list[Path], typer.Argument(metavar="REPORT...", help="Files that eval --out has written.")],
    out: Out = None,
    html: Html = None,
    markdown: Markdown = None,
    gate: Gate = None,
    write_scorecard: WriteScorecard = None,
    no_color: NoColor = False,
) -> int:
    """Put reports of several suites together: per suite, per kind of fault, and pooled."""
    from web.terminal.screen import open_screen

    screen = open_screen(color=not no_color)
    with screen.busy(STARTING):
        from evals.outputs import Outputs
        from evals.pooled import Pooled, read_report

    outputs = Outputs(out, html, markdown, write_scorecard, gate)
    outputs.check()
    read = [read_report(path) for path in reports]
    pooled = Pooled.of(read)
    outputs.write(read, pooled)
    screen.show(pooled.as_terminal())
    return judged(screen, outputs.regressions(read))


@app.command()
def serve(
    host: Annotated[str, typer.Option("--host", help="Address of this machine's loopback.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 8321,
) -> int:
    """Serve incidents over HTTP: read-only, this machine only."""
    from server import listen, run

    with listen(host, port) as listening:
        print(f"whydown answers on http://{host}:{port}; Ctrl-C ends it", file=sys.stderr)
        run(listening)
    return ExitCode.DONE


@contextmanager
def desk(*, json: bool = False, quiet: bool = False, no_color: bool = False) -> Generator[Desk]:
    """Open the screen and the store for one command."""
    from agent.settings import read_settings
    from agent.store import Store
    from web.terminal.desk import Desk
    from web.terminal.screen import open_screen

    settings = read_settings()
    with Store.open(settings.store) as store:
        yield Desk(open_screen(color=not no_color, quiet=quiet, json=json), store, settings)


def judged(screen: Screen, worse: Sequence[str]) -> int:
    """Print the figures that got worse, one a line, and return the exit code."""
    for line in worse:
        screen.warn(f"worse: {line}")
    return ExitCode.REGRESSION if worse else ExitCode.DONE


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code: the one border at which an error becomes one line."""
    try:
        code = get_command(app)(arguments, prog_name="whydown", standalone_mode=False)
        sys.stdout.flush()
    except TyperException as error:
        return _told(f"{error.format_message()} (see whydown --help)", ExitCode.UNUSABLE)
    except _expected() as error:
        from web.terminal.trouble import told

        return _told(*told(error))
    except Exception as error:  # noqa: BLE001 - the outermost border: a person gets a line, never a traceback
        from web.terminal.trouble import of_ours

        return _told(*of_ours(error))
    return int(code or ExitCode.DONE)


def _expected() -> tuple[type[Exception], ...]:
    """Return what is raised on purpose. Called only once something was raised, so the imports cost nothing before."""
    from web.terminal.trouble import EXPECTED

    return EXPECTED


def _told(line: str, code: ExitCode) -> int:
    print(f"whydown: {line}", file=sys.stderr)
    return code


def main() -> None:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
