"""Break the shop for real and ask why: `python -m evals.shop FAULT|all --out DIR`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from evals.shop.faults import FAULTS, fault_named
from evals.shop.plan import Fault
from evals.shop.play import play
from evals.shop.result import RUNS, Run, keep, table
from evals.shop.running import NotServing
from fixtures.servers.process import NotFetched, NotStarted

RUNS_FILE = "runs.json"
TABLE_FILE = "table.md"


def main(
    names: Annotated[list[str], typer.Argument(metavar="FAULT...|all", help="Which faults; `list` shows them.")],
    out: Annotated[Path, typer.Option(help="Folder for the recordings, runs.json and table.md.")] = Path("shop-runs"),
    ask: Annotated[bool, typer.Option(help="Investigate; without, the shop is only broken.")] = True,
) -> None:
    """Run faults of the small shop on real servers, about four minutes each, and say what was found."""
    if names == ["list"]:
        for fault in FAULTS:
            typer.echo(f"{fault.name:20} {fault.title}")
        return
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    for fault in _wanted(names):
        _add(_played(fault, out, asks=ask), out)
    typer.echo((out / TABLE_FILE).read_text(encoding="utf-8"))
    typer.echo(f"{(time.monotonic() - began) / 60:.1f} minutes", err=True)


def _played(fault: Fault, out: Path, *, asks: bool) -> Run:
    """The run; one that could not even begin says why, and the next fault has its turn."""
    try:
        return play(fault, lambda line: typer.echo(line, err=True), out / fault.name, asks=asks)
    except (NotFetched, NotStarted, NotServing) as error:
        why = str(error).splitlines()[0]
        typer.echo(f"  {why}", err=True)
        return Run(fault=fault.name, broke_at=datetime.now(UTC), trouble=f"the shop did not start: {why}")


def _wanted(names: list[str]) -> list[Fault]:
    if names == ["all"]:
        return list(FAULTS)
    found = [(name, fault_named(name)) for name in names]
    unknown = [name for name, fault in found if fault is None]
    if unknown:
        raise typer.BadParameter(f"no fault is called {unknown[0]!r}; there are {', '.join(f.name for f in FAULTS)}")
    return [fault for _, fault in found if fault is not None]


def _add(run: Run, out: Path) -> None:
    """Keep the run in place of an earlier one of the same fault."""
    file = out / RUNS_FILE
    before = RUNS.validate_json(file.read_bytes()) if file.exists() else ()
    runs = [*(each for each in before if each.fault != run.fault), run]
    keep(runs, file)
    (out / TABLE_FILE).write_text(table(runs), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
